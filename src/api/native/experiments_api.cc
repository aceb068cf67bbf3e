#include "api/native/experiments_api.h"

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "api/native/run_views.h"
#include "api/native/text_members.h"
#include "ml/projects/projects.h"
#include "ml/tracking/experiments.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/experiments",
     .handler = Bind<&ExperimentsApi::List>,
     .permission = Permission("run.read"),
     .summary = "List experiments, newest first, by a filter, or one folder of them",
     .response_type = "ExperimentList",
     .query = {{"folder", Type::kText,
                "what lies in this folder itself, and its `folders`; the top when it is empty"},
               {"title", Type::kText, "the one of this title"},
               {"filter", Type::kText, "name LIKE 'team/%' AND tags.owner = 'ann'"},
               {"sort", Type::kTexts, "name, creation_time DESC, last_update_time, tags.KEY"},
               kView,
               kLimit,
               kPageToken}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/experiments",
     .handler = Bind<&ExperimentsApi::Create>,
     .permission = Permission("run.write"),
     .summary = "Make an experiment",
     .body = Body::kBuffer,
     .request_type = "NewExperiment",
     .response_type = "Experiment",
     .members = {{"title", Type::kText, "unique in the project; slashes make folders", "",
                  net::kRequired},
                 {"note", Type::kText, "what it is for"},
                 {"tags", Type::kObject, "text by name"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/experiments/{experiment}",
     .handler = Bind<&ExperimentsApi::Get>,
     .permission = Permission("run.read"),
     .summary = "One experiment, by number, name, or title without slashes",
     .response_type = "Experiment"},
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}/experiments/{experiment}",
     .handler = Bind<&ExperimentsApi::Change>,
     .permission = Permission("run.write"),
     .summary = "Change the title, the note or tags of an experiment",
     .body = Body::kBuffer,
     .request_type = "ExperimentChange",
     .response_type = "Experiment",
     .members = {{"title", Type::kText, "a new one"},
                 {"note", Type::kText, "a new one; empty takes it away"},
                 {"tags", Type::kObject, "text by name; null takes one away"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/experiments/{experiment}",
     .handler = Bind<&ExperimentsApi::Delete>,
     .permission = Permission("run.write"),
     .summary = "Delete an experiment with its runs; both can be restored",
     .response_type = "Experiment"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/experiments/{experiment}/restore",
     .handler = Bind<&ExperimentsApi::Restore>,
     .permission = Permission("run.write"),
     .summary = "Bring a deleted experiment back with its runs",
     .response_type = "Experiment"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/experiment-folders/move",
     .handler = Bind<&ExperimentsApi::MoveFolder>,
     .permission = Permission("run.write"),
     .summary = "Move a folder of experiments, all of it in one transaction",
     .body = Body::kBuffer,
     .members = {{"folder", Type::kText, "team/churn", "", net::kRequired},
                 {"to", Type::kText, "what it is called then; the top when it is empty", "",
                  net::kRequired}}},
};

Json FolderJson(const tracking::Folder& folder) {
  return Json::Obj({{"path", folder.path}, {"experiments", folder.experiments}});
}

Json AnswerOf(const std::vector<tracking::Experiment>& experiments, std::string next_page_token) {
  Json answer = Json::Obj({{"items", ItemsOf(experiments, tracking::ExperimentToJson)}});
  if (!next_page_token.empty()) answer.Set("next_page_token", std::move(next_page_token));
  return answer;
}

}  // namespace

net::RouteTable ExperimentsApi::table() { return {"native", kRoutes, this}; }

Result<tracking::Experiment> ExperimentsApi::ExperimentOf(const net::Request& request) {
  return experiments_.Resolve(request.Param("project"), request.Param("experiment"));
}

Result<net::Response> ExperimentsApi::Answer(const net::Request& request, std::int64_t number) {
  GYRE_TRY(const tracking::Experiment experiment,
           experiments_.Get(request.Param("project"), number));
  return net::Response::JsonDoc(tracking::ExperimentToJson(experiment));
}

Result<net::Response> ExperimentsApi::ListFolder(net::Request& request) {
  if (request.Query("filter") || request.Query("sort"))
    return InvalidArgument("GY3412", "a folder is listed by title, without filter and sort")
        .Fix("filter=name LIKE 'team/churn/%'");
  tracking::FolderQuery query{.project = request.Param("project"),
                              .folder = *request.Query("folder"),
                              .view = ViewOf(request),
                              .page_token = request.Query("page_token").value_or("")};
  GYRE_TRY(query.limit, ReadLimit(request));
  GYRE_TRY(const tracking::FolderPage page, experiments_.ListFolder(query));
  Json answer = AnswerOf(page.experiments, page.next_page_token);
  answer.Set("folders", ItemsOf(page.folders, FolderJson));
  return net::Response::JsonDoc(answer);
}

Result<net::Response> ExperimentsApi::List(net::Request& request) {
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  if (const auto title = request.Query("title")) {
    GYRE_TRY(const tracking::Experiment found, experiments_.Find(project.name, *title));
    return net::Response::JsonDoc(AnswerOf({found}, ""));
  }
  if (request.Query("folder")) return ListFolder(request);
  tracking::ExperimentSearch search{.project = project.name,
                                    .view = ViewOf(request),
                                    .page_token = request.Query("page_token").value_or("")};
  GYRE_TRY(search.limit, ReadLimit(request));
  GYRE_TRY(search.filter, tracking::ParseFilter(request.Query("filter").value_or(""),
                                                tracking::kExperimentFields));
  GYRE_TRY(search.order,
           tracking::ParseOrder(request.QueryAll("sort"), tracking::kExperimentFields));
  GYRE_TRY(const tracking::ExperimentPage page, experiments_.Search(search));
  return net::Response::JsonDoc(AnswerOf(page.experiments, page.next_page_token));
}

Result<net::Response> ExperimentsApi::Create(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  GYRE_TRY(TagChange tags, TagChangeOf(body));
  GYRE_TRY(const tracking::Experiment made, experiments_.Create({.project = project.name,
                                                                 .title = body["title"].AsString(),
                                                                 .tags = std::move(tags.put)}));
  return net::Response::JsonDoc(tracking::ExperimentToJson(made), 201);
}

Result<net::Response> ExperimentsApi::Get(net::Request& request) {
  GYRE_TRY(const tracking::Experiment experiment, ExperimentOf(request));
  Json answer = tracking::ExperimentToJson(experiment);
  GYRE_TRY(const std::int64_t runs, experiments_.CountRuns(experiment.number));
  answer.Set("runs", runs);
  return net::Response::JsonDoc(answer);
}

Result<net::Response> ExperimentsApi::Change(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const tracking::Experiment experiment, ExperimentOf(request));
  GYRE_TRY(TagChange tags, TagChangeOf(body));
  tracking::ExperimentChange change{.tags = std::move(tags.put),
                                    .removed_tags = std::move(tags.removed)};
  if (body.Has("title")) change.title = body["title"].AsString();
  GYRE_DO(experiments_.Change(experiment.project, experiment.number, change));
  return Answer(request, experiment.number);
}

Result<net::Response> ExperimentsApi::Delete(net::Request& request) {
  GYRE_TRY(const tracking::Experiment experiment, ExperimentOf(request));
  GYRE_DO(experiments_.Delete(experiment.project, experiment.number));
  return Answer(request, experiment.number);
}

Result<net::Response> ExperimentsApi::Restore(net::Request& request) {
  GYRE_TRY(const tracking::Experiment experiment, ExperimentOf(request));
  GYRE_DO(experiments_.Restore(experiment.project, experiment.number));
  return Answer(request, experiment.number);
}

Result<net::Response> ExperimentsApi::MoveFolder(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const int moved,
           experiments_.MoveFolder(request.Param("project"), body["folder"].AsString(),
                                   body["to"].AsString()));
  return net::Response::JsonDoc(Json::Obj({{"moved", moved}}));
}

}  // namespace gyre::native
