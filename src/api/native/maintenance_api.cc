#include "api/native/maintenance_api.h"

#include "api/files/file_bodies.h"
#include "api/native/job_answer.h"
#include "api/native/route_table.h"
#include "base/time.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kBlobBytesMax = std::int64_t{1} << 40;
constexpr std::int64_t kGraceHoursMax = 24 * 366;
constexpr std::int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/maintenance/gc",
     .handler = Bind<&MaintenanceApi::Collect>,
     .permission = Permission("access.admin"),
     .summary = "Ends what was in the trash for long enough; removes blobs that nothing refers to, "
                "when they are old enough",
     .response_type = "CollectResult",
     .query = {{"grace_hours", Type::kWhole, "younger blobs stay: 24"}}},
    {.method = Method::kPost,
     .path = "/api/v1/maintenance/fsck",
     .handler = Bind<&MaintenanceApi::Check>,
     .permission = Permission("access.admin"),
     .summary = "Starts a job that checks the database and every byte of every blob",
     .response_type = "Job",
     .audited = false,
     .query = {{"quick", Type::kWhole, "1 = only that the blobs are there"}}},
    {.method = Method::kPost,
     .path = "/api/v1/maintenance/repair",
     .handler = Bind<&MaintenanceApi::Repair>,
     .permission = Permission("access.admin"),
     .summary = "Starts a job that checks everything and makes anew what follows from the rest",
     .response_type = "Job",
     .query = {{"quick", Type::kWhole, "1 = only that the blobs are there"}}},
    {.method = Method::kPost,
     .path = "/api/v1/maintenance/blobs/{digest}",
     .handler = Bind<&MaintenanceApi::RestoreBlob>,
     .permission = Permission("access.admin"),
     .summary = "Puts back the bytes of a blob that is needed, and missing or damaged",
     .body = Body::kStream,
     .body_bytes_max = kBlobBytesMax,
     .response_type = "RestoredBlob"},
    {.method = Method::kGet,
     .path = "/api/v1/maintenance/space",
     .handler = Bind<&MaintenanceApi::Space>,
     .permission = Permission("access.admin"),
     .summary = "Where the bytes of the data directory are; the parts add up to the whole",
     .response_type = "Space"},
    {.method = Method::kGet,
     .path = "/api/v1/maintenance/retention",
     .handler = Bind<&MaintenanceApi::Retention>,
     .permission = Permission("access.admin"),
     .summary = "What is kept for how long, how much of it there is, the oldest of it, and when "
                "what is older goes",
     .response_type = "RetentionList"},
    {.method = Method::kGet,
     .path = "/api/v1/maintenance/backup",
     .handler = Bind<&MaintenanceApi::BackupSize>,
     .permission = Permission("access.admin"),
     .summary = "How large a backup would be that is made now",
     .response_type = "BackupSize"},
    {.method = Method::kPost,
     .path = "/api/v1/maintenance/backup",
     .handler = Bind<&MaintenanceApi::Backup>,
     .permission = Permission("access.admin"),
     .summary = "Copies everything as of this moment, as one stream of bytes",
     .query = {{"keys", Type::kWhole, "1 = the keys too, which open the secrets in it"}}},
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
  return Submit(request, false);
}

Result<net::Response> MaintenanceApi::Repair(net::Request& request) {
  return Submit(request, true);
}

Result<net::Response> MaintenanceApi::Submit(net::Request& request, bool repair) {
  GYRE_TRY(const std::int64_t quick, request.QueryInt("quick", 0, 0, 1));
  const char* const what =
      quick == 1 ? "check that everything is there" : "check everything that is stored";
  GYRE_TRY(
      const runners::Job job,
      jobs_.Submit({.kind = std::string(kCheckJob),
                    .title = repair ? fmt::format("{}, and repair it", what) : std::string(what),
                    .created_by = request.principal.name,
                    .input = Json::Obj({{"quick", quick == 1}, {"repair", repair}}),
                    .cpu_slots = 0}));
  return Accepted(job);
}

Result<net::Response> MaintenanceApi::Space(net::Request& /*request*/) {
  GYRE_TRY(const Json space, maintenance_.space());
  return net::Response::JsonDoc(space);
}

Result<net::Response> MaintenanceApi::Retention(net::Request& /*request*/) {
  GYRE_TRY(const Json retention, maintenance_.retention());
  return net::Response::JsonDoc(retention);
}

Result<net::Response> MaintenanceApi::BackupSize(net::Request& /*request*/) {
  GYRE_TRY(const Json size, maintenance_.backup_size());
  return net::Response::JsonDoc(size);
}

Result<net::Response> MaintenanceApi::Backup(net::Request& request) {
  GYRE_TRY(const std::int64_t keys, request.QueryInt("keys", 0, 0, 1));
  GYRE_TRY(auto write, maintenance_.backup(keys == 1));
  net::Response response;
  response.content_type = "application/x-tar";
  response.stream = std::move(write);
  return response;
}

Result<net::Response> MaintenanceApi::RestoreBlob(net::Request& request) {
  GYRE_TRY(const auto writer, maintenance_.restore_blob(request.Param("digest")));
  GYRE_DO(files::Receive(request, *writer));
  GYRE_TRY(const blob::Object object, writer->Commit());
  return net::Response::JsonDoc(
      Json::Obj({{"digest", object.digest}, {"size_bytes", object.size_bytes}}));
}

}  // namespace gyre::native
