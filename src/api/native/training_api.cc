#include "api/native/training_api.h"

#include "api/native/job_answer.h"
#include "api/native/route_table.h"
#include "api/native/usage_json.h"
#include "ml/runners/jobs.h"
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
    {"against", Type::kText, "gate judge: compares with this version instead of @champion"},
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

constexpr std::size_t kMeasuredMax = 20;

double RowsOf(const Json& split) {
  return static_cast<double>(split["train_rows"].AsInt() + split["test_rows"].AsInt());
}

// "churn" of "churn:v3".
std::string_view DatasetOf(const Json& reference) {
  const std::string_view text = reference.AsString();
  return text.substr(0, text.find(':'));
}

bool IsLike(const runners::Job& job, const Json& plan) {
  const Json& input = job.input;
  return DatasetOf(input["dataset"]) == DatasetOf(plan["dataset"]) &&
         input["target"].AsString() == plan["target"].AsString() &&
         input["budget_seconds"].AsDouble() == plan["budget_seconds"].AsDouble() &&
         input["trials"].AsInt() == plan["trials"].AsInt();
}

}  // namespace

net::RouteTable TrainingApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> TrainingApi::Plan(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(training::TrainRequest train, training::TrainRequestFromJson(body));
  train.project = request.Param("project");
  GYRE_TRY(Json plan, training_.Plan(train, [&request] { return request.client_gone(); }));
  GYRE_TRY(Json expected, Expected(train.project, plan));
  plan.Set("expected", std::move(expected));
  return net::Response::JsonDoc(plan);
}

// By the trainings of the same target of the same dataset with the same budget, scaled by rows.
Result<Json> TrainingApi::Expected(const std::string& project, const Json& plan) {
  constexpr int kJobsLooked = 1000;
  GYRE_TRY(const auto jobs, jobs_.List({.projects = {{project}}, .limit = kJobsLooked}));
  std::vector<runners::Measured> before;
  for (const runners::Job& job : jobs) {
    if (job.kind != "training.train" || job.state != "succeeded" || !IsLike(job, plan)) continue;
    if (before.size() == kMeasuredMax) break;
    before.push_back({.size = RowsOf(job.result["split"]),
                      .cpu_seconds = job.cpu_seconds,
                      .wall_seconds = static_cast<double>(job.ended_us - job.started_us) / 1e6,
                      .memory_bytes_peak = job.memory_bytes_peak});
  }
  const double budget = plan["budget_seconds"].AsDouble();
  const runners::Bound bound{.cpu_seconds = budget * bounds_.threads,
                             .wall_seconds = budget,
                             .memory_bytes = budget > 0 ? bounds_.memory_bytes : 0};
  GYRE_TRY(const usage::PriceBook prices, usage_.PricesNow());
  return ExpectedToJson(runners::EstimateFrom(before, RowsOf(plan["split"]), bound), prices);
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
