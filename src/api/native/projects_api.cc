#include "api/native/projects_api.h"

#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "base/limits.h"
#include "base/text.h"
#include "ml/projects/projects.h"
#include "ml/projects/trash_kind.h"
#include "ml/serving/serving.h"

namespace gyre::native {
namespace {

constexpr net::Fields kProblemMembers = {
    {"statement", Type::kText, "what is to be solved, and for whom"},
    {"target", Type::kText, "the column that is predicted"},
    {"owner", Type::kText, "who answers for it"},
    {"kpis", Type::kTexts, "goals such as auc >= 0.84"}};

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects",
     .handler = Bind<&ProjectsApi::List>,
     .permission = Permission("project.read"),
     .summary = "List projects by name",
     .response_type = "ProjectList",
     .per_project = true,
     .query = {kLimit, kPageToken}},
    {.method = Method::kPost,
     .path = "/api/v1/projects",
     .handler = Bind<&ProjectsApi::Create>,
     .permission = Permission("project.write"),
     .summary = "Create a project, optionally with its problem statement",
     .body = Body::kBuffer,
     .request_type = "NewProject",
     .response_type = "Project",
     .members = {{"name", Type::kText, "of the project", "", net::kRequired},
                 {"problem", Type::kObject, "its problem statement", "ProblemChange"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}",
     .handler = Bind<&ProjectsApi::Get>,
     .permission = Permission("project.read"),
     .summary = "One project with the newest problem statement",
     .response_type = "Project"},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}",
     .handler = Bind<&ProjectsApi::Remove>,
     .permission = Permission("access.admin"),
     .summary = "Remove a project with all that it holds, into the trash",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}",
     .handler = Bind<&ProjectsApi::SetProblem>,
     .permission = Permission("project.write"),
     .summary = "Change parts of the problem statement",
     .body = Body::kBuffer,
     .request_type = "ProblemChange",
     .response_type = "ProblemStatement",
     .members = kProblemMembers},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/problem",
     .handler = Bind<&ProjectsApi::GetProblem>,
     .permission = Permission("project.read"),
     .summary = "The newest problem statement",
     .response_type = "ProblemStatement"},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/problem",
     .handler = Bind<&ProjectsApi::SetProblem>,
     .permission = Permission("project.write"),
     .summary = "State the problem; what is left out stays as it was",
     .body = Body::kBuffer,
     .request_type = "ProblemChange",
     .response_type = "ProblemStatement",
     .members = kProblemMembers},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/problem/history",
     .handler = Bind<&ProjectsApi::ProblemHistory>,
     .permission = Permission("project.read"),
     .summary = "Every version of the problem statement, newest first",
     .response_type = "ProblemStatementList"},
};

}  // namespace

net::RouteTable ProjectsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> ProjectsApi::List(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto projects, projects_.List(page.after, page.limit));
  Json items = Json::Arr();
  for (const projects::Project& project : projects) {
    if (request.principal.AllowsProject(project.name)) items.Push(projects::ProjectToJson(project));
  }
  Json answer = Json::Obj({{"items", std::move(items)}});
  if (projects.size() == static_cast<std::size_t>(page.limit))
    answer.Set("next_page_token", projects.back().name);
  return net::Response::JsonDoc(answer);
}

Result<net::Response> ProjectsApi::Create(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string name, body.GetString("name"));
  GYRE_TRY(const projects::ProblemChange problem, projects::ProblemChangeFromJson(body["problem"]));
  GYRE_TRY(const projects::Project project,
           projects_.Create(name, problem, request.principal.name));
  return net::Response::JsonDoc(projects::ProjectToJson(project), 201)
      .With("Location", "/api/v1/projects/" + PercentEncode(name));
}

Result<net::Response> ProjectsApi::Get(net::Request& request) {
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  return net::Response::JsonDoc(projects::ProjectToJson(project));
}

// What a removal would take: how many of each noun, and what answers requests now.
Result<net::Response> ProjectsApi::Remove(net::Request& request) {
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  GYRE_TRY(const auto held, trash_.HeldBy(project.name));
  Json holds = Json::Obj(), answers = Json::Arr();
  for (const trash::Held& one : held) holds.Set(one.what, one.count);
  for (std::string after;;) {
    GYRE_TRY(const auto page, serving_.List(project.name, static_cast<int>(kPageSizeMax), after));
    for (const serving::Endpoint& endpoint : page) {
      answers.Push(Json::Obj({{"endpoint", endpoint.name},
                              {"model", endpoint.deployment.model},
                              {"requests", serving_.Answered(endpoint.name).requests}}));
      after = endpoint.name;
    }
    if (page.size() < static_cast<std::size_t>(kPageSizeMax)) break;
  }
  return native::Remove(trash_, request,
                        {.noun = "project",
                         .name = project.name,
                         .also = Json::Obj({{"holds", std::move(holds)},
                                            {"what", projects::HeldText(held)},
                                            {"answers", std::move(answers)}})});
}

Result<net::Response> ProjectsApi::GetProblem(net::Request& request) {
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  if (!project.problem) {
    return NotFound("GY3906", "project `{}` has no problem statement yet", project.name)
        .Fix(fmt::format("gyre projects edit {} --kpi 'auc >= 0.84'", project.name));
  }
  return net::Response::JsonDoc(projects::ProblemToJson(*project.problem));
}

Result<net::Response> ProjectsApi::SetProblem(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::ProblemChange change, projects::ProblemChangeFromJson(body));
  GYRE_TRY(const projects::Problem problem,
           projects_.SetProblem(request.Param("project"), change, request.principal.name));
  return net::Response::JsonDoc(projects::ProblemToJson(problem));
}

Result<net::Response> ProjectsApi::ProblemHistory(net::Request& request) {
  GYRE_TRY(const auto history, projects_.History(request.Param("project")));
  return WholeList(history, projects::ProblemToJson);
}

}  // namespace gyre::native
