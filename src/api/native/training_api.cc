#include "api/native/training_api.h"

#include "api/native/job_answer.h"
#include "api/native/route_table.h"
#include "ml/training/training.h"

namespace gyre::native {
namespace {

constexpr net::Fields kTrainMembers = {
    {"dataset", Type::kText, "churn or churn:v2", "", net::kRequired},
    {"target", Type::kText, "the column that is predicted; else the project's"},
    {"model", Type::kText, "its name; the dataset's when it is not given"},
    {"experiment", Type::kText, "where its runs stand"},
    {"metric", Type::kText, "that candidates are judged by"},
    {"task", Type::kText, "binary, multiclass or regression; else by the target's values"},
    {"positive", Type::kText, "of two classes the one to find; else see the plan"},
    {"budget_seconds", Type::kNumber, "time for the search"},
    {"trials", Type::kWhole, "1 to 10,000, instead of a time"},
    {"seed", Type::kWhole, "of the random numbers"},
    {"split", Type::kText, "random looks for no column of time or of people", "auto|random"},
    {"time_column", Type::kText, "the test comes after the training in it"},
    {"group_column", Type::kText, "rows that share its value stay together"},
    {"keep_leaks", Type::kBool, "train with columns that give the target away"},
    {"test_share", Type::kNumber, "of the rows, that no candidate sees"},
    {"gate", Type::kText, "default when it is not given", "default|kpi|judge|none"},
    {"recipe", Type::kAny, "a recipe, instead of a suggested one"}};

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/train",
     .handler = Bind<&TrainingApi::Train>,
     .permission = Permission("run.write"),
     .summary = "Train models on a dataset, register the best, and let the gate decide on "
                "@champion: a job",
     .body = Body::kBuffer,
     .request_type = "TrainRequest",
     .response_type = "Job",
     .members = kTrainMembers},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/train/plan",
     .handler = Bind<&TrainingApi::Plan>,
     .permission = Permission("dataset.read"),
     .summary = "What a training would do: task, metric, split, candidates, columns left out; "
                "nothing is changed",
     .body = Body::kBuffer,
     .request_type = "TrainRequest",
     .response_type = "TrainPlan",
     .audited = false,
     .members = kTrainMembers},
};

}  // namespace

net::RouteTable TrainingApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> TrainingApi::Plan(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(training::TrainRequest train, training::TrainRequestFromJson(body));
  train.project = request.Param("project");
  GYRE_TRY(const Json plan,
           training_.Plan(std::move(train), [&request] { return request.client_gone(); }));
  return net::Response::JsonDoc(plan);
}

Result<net::Response> TrainingApi::Train(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(training::TrainRequest train, training::TrainRequestFromJson(body));
  train.project = request.Param("project");
  train.created_by = request.principal.name;
  GYRE_TRY(const runners::Job job, training_.Train(std::move(train)));
  return Accepted(job);
}

}  // namespace gyre::native
