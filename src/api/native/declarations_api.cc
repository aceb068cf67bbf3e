#include "api/native/declarations_api.h"

#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "ml/automation/trigger.h"
#include "ml/projects/declarations.h"
#include "ml/projects/projects.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/declarations",
     .handler = Bind<&DeclarationsApi::List>,
     .permission = Permission("project.read"),
     .summary = "What a file has declared of the project and an apply brought about",
     .response_type = "DeclarationList",
     .query = {{"kind", Type::kText, "only these: sources, recipes, ..."}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/declarations/check",
     .handler = Bind<&DeclarationsApi::Check>,
     .permission = Permission("project.read"),
     .summary = "Whether a problem's goals and a trigger's times can be read; changes nothing, and "
                "the project need not be there",
     .body = Body::kBuffer,
     .audited = false,
     .members = {{"kind", Type::kText, "problem or triggers; of others nothing is said", "",
                  net::kRequired},
                 {"name", Type::kText, "of the entry"},
                 {"spec", Type::kObject, "as it would be sent", "", net::kRequired}}},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/declarations/{kind}/{name}",
     .handler = Bind<&DeclarationsApi::Keep>,
     .permission = Permission("project.write"),
     .summary = "Keep what a file says of one thing; of sources and recipes that is all there is",
     .body = Body::kBuffer,
     .body_bytes_max = 8 * 1024 * 1024,
     .request_type = "NewDeclaration",
     .response_type = "Declaration",
     .members = {{"spec", Type::kObject, "in the words of the file", "", net::kRequired},
                 {"made", Type::kBool, "it was not there before"},
                 {"id", Type::kText, "of the thing that was made; another may get its name"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/declarations/{kind}/{name}",
     .handler = Bind<&DeclarationsApi::Forget>,
     .permission = Permission("project.write"),
     .summary = "Forget that a file has declared it; the thing itself stays. A source or a recipe "
                "goes into the trash",
     .query = {kForce, kDryRun}},
};

}  // namespace

net::RouteTable DeclarationsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> DeclarationsApi::List(net::Request& request) {
  GYRE_TRY(auto list, declarations_.List(request.Param("project")));
  if (const auto kind = request.Query("kind"))
    std::erase_if(list, [&](const projects::Declared& one) { return one.kind != *kind; });
  return WholeList(list, projects::DeclaredToJson);
}

Result<net::Response> DeclarationsApi::Check(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  const std::string& kind = body["kind"].AsString();
  if (kind == "problem") {
    GYRE_TRY(const auto change, projects::ProblemChangeFromJson(body["spec"]));
    GYRE_TRY([[maybe_unused]] const auto problem, projects::Changed({}, change));
  } else if (kind == "triggers") {
    GYRE_TRY([[maybe_unused]] const auto spec, automation::TriggerSpecFromJson(body["spec"]));
  }
  return net::Response::Empty();
}

Result<net::Response> DeclarationsApi::Keep(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::Declared kept,
           declarations_.Keep(request.Param("project"), {.kind = request.Param("kind"),
                                                         .name = request.Param("name"),
                                                         .made = body["made"].AsBool(),
                                                         .thing = body["id"].AsString(),
                                                         .spec = body["spec"],
                                                         .applied_by = request.principal.name}));
  return net::Response::JsonDoc(projects::DeclaredToJson(kept));
}

Result<net::Response> DeclarationsApi::Forget(net::Request& request) {
  const std::string& kind = request.Param("kind");
  // Of these there is nothing else; other things stay, and can be declared again.
  if (kind == "sources" || kind == "recipes")
    return native::Remove(
        trash_, request,
        {.noun = kind == "sources" ? "source" : "recipe", .name = request.Param("name")});
  GYRE_DO(declarations_.Forget(request.Param("project"), kind, request.Param("name")));
  return net::Response::Empty();
}

}  // namespace gyre::native
