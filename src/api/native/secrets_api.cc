#include "api/native/secrets_api.h"

#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "base/time.h"
#include "ledger/notices/notices.h"
#include "ledger/secrets/secrets.h"
#include "ml/projects/projects.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/secrets",
     .handler = Bind<&SecretsApi::List>,
     .permission = Permission("secret.write"),
     .summary = "Names of the project's secrets; never their values",
     .response_type = "SecretList"},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/secrets/{secret}",
     .handler = Bind<&SecretsApi::Put>,
     .permission = Permission("secret.write"),
     .summary = "Sets a secret",
     .body = Body::kBuffer,
     .request_type = "NewSecret",
     .members = {{"value", Type::kText, "the secret", "", net::kRequired}}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/secrets/{secret}",
     .handler = Bind<&SecretsApi::Remove>,
     .permission = Permission("secret.write"),
     .summary = "Removes a secret, into the trash",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kPost,
     .path = "/api/v1/secrets/rotate",
     .handler = Bind<&SecretsApi::Rotate>,
     .permission = Permission("access.admin"),
     .summary = "Wraps every secret's key under a new master key"},
};

Json InfoToJson(const secrets::SecretInfo& info) {
  return Json::Obj({{"name", info.name},
                    {"project", info.project},
                    {"created_at", FormatTime(info.created_us)},
                    {"changed_at", FormatTime(info.changed_us)},
                    {"changed_by", info.changed_by}});
}

}  // namespace

net::RouteTable SecretsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> SecretsApi::List(net::Request& request) {
  GYRE_TRY(const auto list, secrets_.List(request.Param("project")));
  return WholeList(list, InfoToJson);
}

Result<net::Response> SecretsApi::Put(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string value, body.GetString("value"));
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  GYRE_DO(secrets_.Put(project.name, request.Param("secret"), value, request.principal.name));
  return net::Response::Empty();
}

Result<net::Response> SecretsApi::Remove(net::Request& request) {
  return native::Remove(trash_, request,
                        {.noun = "secret", .name = request.Param("secret"), .check = [&] {
                           return CheckNoChannel(request.Param("project"), request.Param("secret"));
                         }});
}

Result<> SecretsApi::CheckNoChannel(const std::string& project, const std::string& name) {
  const std::string reference = "secret:" + name;
  GYRE_TRY(const auto channels, notices_.ListChannels(project));
  for (const notices::Channel& channel : channels) {
    const notices::NewChannel& settings = channel.settings;
    for (const std::string* text :
         {&settings.webhook, &settings.secret, &settings.user, &settings.password}) {
      if (*text != reference) continue;
      return FailedPrecondition("GY5007", "channel {} uses secret `{}`", settings.name, name)
          .Why("without it nothing can be sent there")
          .Fix(fmt::format("gyre channels rm {}", settings.name))
          .Fix(fmt::format("gyre secrets rm {} --force    (the channel stays)", name));
    }
  }
  return {};
}

Result<net::Response> SecretsApi::Rotate(net::Request&) {
  GYRE_DO(secrets_.RotateMasterKey());
  return net::Response::Empty();
}

}  // namespace gyre::native
