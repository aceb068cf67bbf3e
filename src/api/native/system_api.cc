#include "api/native/system_api.h"

#include "api/native/route_table.h"

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
     .summary = "Version, process, data directory, addresses"},
};

// Named in the tables' request_type and response_type. Documents may gain members; what stands here
// stays.
Json Schemas() {
  const auto object = [](std::initializer_list<Json::Member> properties) {
    return Json::Obj({{"type", "object"}, {"properties", Json::Obj(properties)}});
  };
  const Json text = Json::Obj({{"type", "string"}});
  const Json whole = Json::Obj({{"type", "integer"}});
  const auto list_of = [](std::string_view name) {
    return Json::Obj(
        {{"type", "array"},
         {"items", Json::Obj({{"$ref", fmt::format("#/components/schemas/{}", name)}})}});
  };
  const auto page_of = [&](std::string_view name) {
    return object({{"items", list_of(name)}, {"next_page_token", Json::Obj({{"type", "string"}})}});
  };
  Json schemas = Json::Obj();
  schemas.Set("Kpi", object({{"text", text},
                             {"name", text},
                             {"comparison", text},
                             {"value", Json::Obj({{"type", "number"}})},
                             {"unit", text}}));
  schemas.Set("Problem", object({{"version", whole},
                                 {"statement", text},
                                 {"target", text},
                                 {"owner", text},
                                 {"kpis", list_of("Kpi")},
                                 {"created_by", text},
                                 {"created_at", text}}));
  schemas.Set("Project",
              object({{"id", text},
                      {"name", text},
                      {"created_by", text},
                      {"created_at", text},
                      {"problem", Json::Obj({{"$ref", "#/components/schemas/Problem"}})}}));
  schemas.Set("ProjectList", page_of("Project"));
  schemas.Set("ProblemList", page_of("Problem"));
  return schemas;
}

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
  Json document = net::OpenApi(tables_, Schemas(), "gyre", info_.version);
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
