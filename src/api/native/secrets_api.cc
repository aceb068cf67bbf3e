#include "api/native/secrets_api.h"

#include "base/time.h"
#include "ledger/secrets/secrets.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = net::Method::kGet,
     .path = "/api/v1/projects/{project}/secrets",
     .handler = net::Bind<&SecretsApi::List>,
     .permission = net::Permission("secret.write"),
     .summary = "Names of the project's secrets; never their values",
     .response_type = "SecretList"},
    {.method = net::Method::kPut,
     .path = "/api/v1/projects/{project}/secrets/{secret}",
     .handler = net::Bind<&SecretsApi::Put>,
     .permission = net::Permission("secret.write"),
     .summary = "Sets a secret: {\"value\": \"...\"}",
     .body = net::Body::kBuffer,
     .request_type = "NewSecret"},
    {.method = net::Method::kDelete,
     .path = "/api/v1/projects/{project}/secrets/{secret}",
     .handler = net::Bind<&SecretsApi::Remove>,
     .permission = net::Permission("secret.write"),
     .summary = "Removes a secret"},
    {.method = net::Method::kPost,
     .path = "/api/v1/secrets/rotate",
     .handler = net::Bind<&SecretsApi::Rotate>,
     .permission = net::Permission("access.admin"),
     .summary = "Wraps every secret's key under a new master key"},
};

}  // namespace

net::RouteTable SecretsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> SecretsApi::List(net::Request& request) {
  GYRE_TRY(const auto list, secrets_.List(request.Param("project")));
  Json items = Json::Arr();
  for (const secrets::SecretInfo& info : list) {
    items.Push(Json::Obj({{"name", info.name},
                          {"project", info.project},
                          {"created_at", FormatTime(info.created_us)},
                          {"changed_at", FormatTime(info.changed_us)},
                          {"changed_by", info.changed_by}}));
  }
  return net::Response::JsonDoc(Json::Obj({{"items", std::move(items)}}));
}

Result<net::Response> SecretsApi::Put(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string value, body.GetString("value"));
  GYRE_DO(secrets_.Put(request.Param("project"), request.Param("secret"), value,
                       request.principal.name));
  return net::Response::Empty();
}

Result<net::Response> SecretsApi::Remove(net::Request& request) {
  GYRE_DO(secrets_.Remove(request.Param("project"), request.Param("secret")));
  return net::Response::Empty();
}

Result<net::Response> SecretsApi::Rotate(net::Request&) {
  GYRE_DO(secrets_.RotateMasterKey());
  return net::Response::Empty();
}

}  // namespace gyre::native
