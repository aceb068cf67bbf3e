#include "api/native/deleted_api.h"

#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "base/time.h"
#include "ml/tracking/deleted.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs/purge",
     .handler = Bind<&DeletedApi::Purge>,
     .permission = Permission("access.admin"),
     .summary = "End runs, experiments and logged models that MLflow's clients deleted, for good",
     .body = Body::kBuffer,
     .request_type = "Purge",
     .response_type = "PurgedRuns",
     .query = {{"older_than_seconds", Type::kWhole, "only what was deleted longer ago"}, kDryRun},
     .members = {{"runs", Type::kTexts, "only these runs"},
                 {"experiments", Type::kTexts, "only these experiments, with all that is theirs"}}},
};

Error NotDeleted(std::string_view noun, std::string_view name) {
  return FailedPrecondition("GY3443", "{} {} is not deleted", noun, name)
      .Why("only what a client of MLflow has deleted is ended here")
      .Fix("gyre runs rm RUN, then gyre trash empty run RUN    (ends a run that is in use)");
}

Json NamesOf(const tracking::Ending& ending) {
  Json runs = Json::Arr(), experiments = Json::Arr(), models = Json::Arr(), kept = Json::Arr();
  for (const auto& run : ending.runs) runs.Push(run.id);
  for (const auto& experiment : ending.experiments) experiments.Push(experiment.title);
  for (const auto& model : ending.models) models.Push(model.id);
  for (const auto& [id, by] : ending.needed) kept.Push(Json::Obj({{"id", id}, {"needed_by", by}}));
  return Json::Obj({{"runs", std::move(runs)},
                    {"experiments", std::move(experiments)},
                    {"logged_models", std::move(models)},
                    {"bytes", ending.bytes},
                    {"kept", std::move(kept)}});
}

}  // namespace

net::RouteTable DeletedApi::table() { return {"native", kRoutes, this}; }

Result<tracking::DeletedQuery> DeletedApi::QueryOf(const net::Request& request) {
  tracking::DeletedQuery query{.project = request.Param("project")};
  GYRE_TRY(const std::int64_t seconds,
           request.QueryInt("older_than_seconds", 0, 0, INT64_MAX / kMicrosPerSecond / 2));
  query.before_us = SystemClock().NowMicros() - seconds * kMicrosPerSecond;
  if (request.body().empty()) return query;
  GYRE_TRY(const Json body, request.JsonBody());
  for (const Json& reference : body["runs"].items()) {
    GYRE_TRY(const tracking::Run run, tracking_.GetRun(query.project, reference.AsString()));
    if (run.deleted_us == 0) return NotDeleted("run", reference.AsString());
    query.runs.push_back(run.id);
  }
  for (const Json& title : body["experiments"].items()) {
    GYRE_TRY(const tracking::Experiment experiment,
             experiments_.Find(query.project, title.AsString()));
    if (experiment.deleted_us == 0) return NotDeleted("experiment", title.AsString());
    query.experiments.push_back(experiment.number);
  }
  if (query.runs.empty() || query.experiments.empty()) return query;
  return InvalidArgument("GY3444", "either runs or experiments are named, not both")
      .Fix("first the one, then the other");
}

Result<net::Response> DeletedApi::Purge(net::Request& request) {
  GYRE_TRY(const tracking::DeletedQuery query, QueryOf(request));
  GYRE_TRY(const tracking::Ending ending,
           request.Query("dry_run") == "true" ? deleted_.Find(query) : deleted_.End(query));
  return net::Response::JsonDoc(NamesOf(ending));
}

}  // namespace gyre::native
