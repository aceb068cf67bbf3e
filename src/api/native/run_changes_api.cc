#include "api/native/run_changes_api.h"

#include <utility>

#include "api/native/route_table.h"
#include "api/native/text_members.h"
#include "ledger/access/access.h"
#include "ml/projects/projects.h"
#include "ml/tracking/run_transfer.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {
namespace {

constexpr net::Field kExperiment = {"experiment", Type::kText, "number, title or name", "",
                                    net::kRequired};
constexpr net::Route kRoutes[] = {
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}/runs/{run}",
     .handler = Bind<&RunChangesApi::Change>,
     .permission = Permission("run.write"),
     .summary = "Change the name, the note or tags of a run",
     .body = Body::kBuffer,
     .request_type = "RunChange",
     .response_type = "Run",
     .members = {{"name", Type::kText, "a new one"},
                 {"note", Type::kText, "a new one; empty takes it away"},
                 {"tags", Type::kObject, "text by name; null takes one away"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs/{run}/move",
     .handler = Bind<&RunChangesApi::Move>,
     .permission = Permission("run.write"),
     .summary = "Move a run to another experiment of its project; its id and files stay",
     .body = Body::kBuffer,
     .response_type = "Run",
     .members = {kExperiment}},
    // In its own project who copies needs no more than to read; where the copy stands, to write.
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs/{run}/copy",
     .handler = Bind<&RunChangesApi::Copy>,
     .permission = Permission("run.read"),
     .summary = "Copy a run to an experiment, also of another project; its files are shared",
     .body = Body::kBuffer,
     .response_type = "Run",
     .members = {kExperiment,
                 {"project", Type::kText, "that of the run when it is not given"},
                 {"name", Type::kText, "the same when it is not given"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs/{run}/restore",
     .handler = Bind<&RunChangesApi::Restore>,
     .permission = Permission("run.write"),
     .summary = "Bring a run back that a client deleted",
     .response_type = "Run"},
};

}  // namespace

net::RouteTable RunChangesApi::table() { return {"native", kRoutes, this}; }

Result<tracking::Run> RunChangesApi::RunOf(const net::Request& request) {
  return tracking_.GetRun(request.Param("project"), request.Param("run"));
}

Result<net::Response> RunChangesApi::Answer(const std::string& run_id, int status) {
  GYRE_TRY(const tracking::Run run, tracking_.GetRunById(run_id));
  return net::Response::JsonDoc(tracking::RunToJson(run), status);
}

Result<> RunChangesApi::AdmitTo(net::Request& request, const std::string& project) {
  net::Route needed = *request.route;
  needed.permission.name = "run.write";
  const auto params = request.params;
  for (auto& [name, value] : request.params) {
    if (name == "project") value = project;
  }
  auto admitted = access_.Admit(request, needed);
  request.params = params;
  return admitted;
}

Result<net::Response> RunChangesApi::Change(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(TagChange tags, TagChangeOf(body));
  GYRE_TRY(const tracking::Run run, RunOf(request));
  tracking::RunChange change{.tags = std::move(tags.put), .removed_tags = std::move(tags.removed)};
  if (body.Has("name")) change.name = body["name"].AsString();
  GYRE_DO(tracking_.ChangeRun(run.id, change));
  return Answer(run.id);
}

Result<net::Response> RunChangesApi::Move(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const tracking::Run run, RunOf(request));
  GYRE_TRY(const tracking::Experiment to,
           experiments_.Resolve(run.project, body["experiment"].AsString()));
  GYRE_DO(transfer_.Move(run.id, to.number));
  return Answer(run.id);
}

Result<net::Response> RunChangesApi::Copy(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  const std::string to_project = body["project"].StringOr(request.Param("project"));
  GYRE_DO(AdmitTo(request, to_project));
  GYRE_TRY(const projects::Project project, projects_.Get(to_project));
  GYRE_TRY(const tracking::Run run, RunOf(request));
  GYRE_TRY(const tracking::Experiment to,
           experiments_.Resolve(project.name, body["experiment"].AsString()));
  GYRE_TRY(const std::string id, transfer_.Copy({.run_id = run.id,
                                                 .project = project.name,
                                                 .experiment_number = to.number,
                                                 .name = body["name"].AsString(),
                                                 .by = request.principal.name}));
  return Answer(id, 201);
}

Result<net::Response> RunChangesApi::Restore(net::Request& request) {
  GYRE_TRY(const tracking::Run run, RunOf(request));
  GYRE_DO(tracking_.UnhideRun(run.id));
  return Answer(run.id);
}

}  // namespace gyre::native
