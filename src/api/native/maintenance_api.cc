#include "api/native/maintenance_api.h"

#include "api/native/route_table.h"
#include "base/time.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kGraceHours = 24;
constexpr std::int64_t kGraceHoursMax = 24 * 366;
constexpr std::int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/maintenance/gc",
     .handler = Bind<&MaintenanceApi::Collect>,
     .permission = Permission("access.admin"),
     .summary = "Removes blobs that nothing refers to and that are older than grace_hours (24)",
     .response_type = "CollectResult"},
    {.method = Method::kPost,
     .path = "/api/v1/maintenance/fsck",
     .handler = Bind<&MaintenanceApi::Check>,
     .permission = Permission("access.admin"),
     .summary = "Checks the database and that every blob is there; deep=1 reads every byte",
     .response_type = "CheckResult",
     .audited = false},
};

}  // namespace

net::RouteTable MaintenanceApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> MaintenanceApi::Collect(net::Request& request) {
  GYRE_TRY(const std::int64_t hours,
           request.QueryInt("grace_hours", kGraceHours, 0, kGraceHoursMax));
  GYRE_TRY(const Json result, maintenance_.collect(hours * kMicrosPerHour));
  return net::Response::JsonDoc(result);
}

Result<net::Response> MaintenanceApi::Check(net::Request& request) {
  GYRE_TRY(const std::int64_t deep, request.QueryInt("deep", 0, 0, 1));
  GYRE_TRY(const Json result, maintenance_.check(deep == 1));
  return net::Response::JsonDoc(result);
}

}  // namespace gyre::native
