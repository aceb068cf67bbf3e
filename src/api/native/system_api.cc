#include "api/native/system_api.h"

#include "api/native/route_table.h"
#include "api/native/shapes.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/healthz",
     .handler = Bind<&SystemApi::Health>,
     .permission = net::kPublic,
     .summary = "The process answers",
     .where = net::Where::kInline,
     .any_query = true},
    {.method = Method::kGet,
     .path = "/readyz",
     .handler = Bind<&SystemApi::Ready>,
     .permission = net::kPublic,
     .summary = "Everything that should run is loaded",
     .where = net::Where::kInline,
     .any_query = true},
    {.method = Method::kGet,
     .path = "/api/v1/openapi.json",
     .handler = Bind<&SystemApi::OpenApi>,
     .permission = net::kPublic,
     .summary = "This API as an OpenAPI 3.1 document"},
    {.method = Method::kGet,
     .path = "/api/v1/config",
     .handler = Bind<&SystemApi::Config>,
     .permission = Permission("config.read"),
     .summary = "Settings in effect and where each came from"},
    {.method = Method::kGet,
     .path = "/api/v1/status",
     .handler = Bind<&SystemApi::Status>,
     .permission = Permission("config.read"),
     .summary = "Version, process, data directory, addresses",
     .response_type = "Status"},
};

}  // namespace

net::RouteTable SystemApi::table() { return {"native", kRoutes, this}; }

void SystemApi::Describe(std::span<const net::RouteTable> tables) {
  tables_.assign(tables.begin(), tables.end());
}

Result<net::Response> SystemApi::Health(net::Request& /*request*/) {
  return net::Response::Text("ok\n");
}

Result<net::Response> SystemApi::Ready(net::Request& /*request*/) {
  const std::string reason = info_.not_ready_reason();
  if (reason.empty()) return net::Response::Text("ready\n");
  return net::Response::Text(reason + "\n", 503).With("Retry-After", "1");
}

Result<net::Response> SystemApi::OpenApi(net::Request& /*request*/) {
  Json document = net::OpenApi(tables_, AnswerSchemas(), "gyre", info_.version);
  document.Set("servers",
               Json::Arr({Json::Obj({{"url", info_.base_path.empty() ? "/" : info_.base_path}})}));
  return net::Response::JsonDoc(document);
}

Result<net::Response> SystemApi::Config(net::Request& /*request*/) {
  return net::Response::JsonDoc(Json::Obj({{"items", info_.settings()}}));
}

Result<net::Response> SystemApi::Status(net::Request& /*request*/) {
  return net::Response::JsonDoc(info_.status());
}

}  // namespace gyre::native
