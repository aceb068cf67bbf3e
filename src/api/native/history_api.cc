#include "api/native/history_api.h"

#include "api/native/brought.h"
#include "api/native/route_table.h"
#include "ml/projects/projects.h"
#include "ml/registry/catalog.h"
#include "ml/registry/source_rule.h"
#include "ml/tracking/experiments.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/history/experiments",
     .handler = Bind<&HistoryApi::BringExperiment>,
     .permission = Permission("run.write"),
     .summary = "Bring an experiment that was made elsewhere, or answer the one of this title",
     .body = Body::kBuffer,
     .members = {{"title", Type::kText, "unique in the project", "", net::kRequired},
                 {"number", Type::kWhole, "that it had; kept where it is free"},
                 {"created_at", Type::kTime, "when it was made"},
                 {"tags", Type::kObject, "text by name"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/history/model-versions",
     .handler = Bind<&HistoryApi::BringVersion>,
     .permission = Permission("model.write"),
     .summary = "Bring a version of a model that was made elsewhere, or answer the one of this "
                "number",
     .body = Body::kBuffer,
     .response_type = "ModelVersion",
     .members = {{"title", Type::kText, "of the model, which is there", "", net::kRequired},
                 {"number", Type::kWhole, "that it had: above all that are there", "",
                  net::kRequired},
                 {"source", Type::kText, "where its files are: runs:/ID/path, models:/m-ID", "",
                  net::kRequired},
                 {"run", Type::kText, "id of the run that made it"},
                 {"run_link", Type::kText, "to a run elsewhere"},
                 {"description", Type::kText, "its notes"},
                 {"created_at", Type::kTime, "when it was made"},
                 {"created_by", Type::kText, "who made it"},
                 {"flavors", Type::kTexts, "what can open its files"},
                 {"tags", Type::kObject, "text by name"}}},
};

}  // namespace

net::RouteTable HistoryApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> HistoryApi::BringExperiment(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  tracking::NewExperiment from{.project = project.name, .title = body["title"].AsString()};
  GYRE_TRY(from.tags, BroughtTexts(body, "tags"));
  GYRE_TRY(from.created_us, BroughtTime(body));
  from.number = body["number"].AsInt(-1);
  if (from.number <= 0) from.number = -1;
  auto made = experiments_.Create(from);
  if (!made && made.error().gy() == "GY1402") {  // the number is another's
    from.number = -1;
    made = experiments_.Create(from);
  }
  const int status = made ? 201 : 200;
  if (!made && made.error().gy() == "GY3420") made = experiments_.Find(from.project, from.title);
  if (!made) return made.error();
  return net::Response::JsonDoc(tracking::ExperimentToJson(*made), status);
}

Result<net::Response> HistoryApi::BringVersion(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  registry::LoggedVersion from{.project = project.name,
                               .title = body["title"].AsString(),
                               .source = body["source"].AsString(),
                               .run_link = body["run_link"].AsString(),
                               .description = body["description"].AsString(),
                               .created_by = body["created_by"].StringOr(request.principal.name)};
  GYRE_TRY(from.tags, BroughtTexts(body, "tags"));
  GYRE_TRY(from.created_us, BroughtTime(body));
  from.owners.run_id = body["run"].AsString();
  if (const std::string model = registry::LoggedModelOf(from.source); !model.empty()) {
    from.owners.logged_model = model;
    GYRE_TRY(from.location, model_root_(from.project, model));
    from.owners.logged_model_root = from.location;
    if (from.location.empty())
      return NotFound("GY3448", "its logged model `{}` is not here", model.substr(0, 100))
          .Fix("bring the logged model first");
  }
  for (const Json& flavor : body["flavors"].items()) from.flavors.push_back(flavor.AsString());
  from.number = static_cast<int>(body["number"].AsInt());
  const auto there = catalog_.GetVersion(from.project, from.title, from.number);
  if (there) return net::Response::JsonDoc(registry::VersionToJson(*there));
  if (there.error().gy() != "GY3603") return there.error();
  GYRE_TRY(const registry::ModelVersion made, catalog_.Log(std::move(from)));
  return net::Response::JsonDoc(registry::VersionToJson(made), 201);
}

}  // namespace gyre::native
