#include "api/native/training_api.h"

#include "api/native/job_answer.h"
#include "api/native/route_table.h"
#include "ml/training/training.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/train",
     .handler = Bind<&TrainingApi::Train>,
     .permission = Permission("run.write"),
     .summary = "Train models on a dataset, register the best, and let the gate decide on "
                "@champion: a job",
     .body = Body::kBuffer,
     .request_type = "TrainRequest",
     .response_type = "Job"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/train/plan",
     .handler = Bind<&TrainingApi::Plan>,
     .permission = Permission("dataset.read"),
     .summary = "What a training would do: task, metric, split, candidates, columns left out; "
                "nothing is changed",
     .body = Body::kBuffer,
     .request_type = "TrainRequest",
     .response_type = "TrainPlan",
     .audited = false},
};

}  // namespace

net::RouteTable TrainingApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> TrainingApi::Plan(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(training::TrainRequest train, training::TrainRequestFromJson(body));
  train.project = request.Param("project");
  GYRE_TRY(const Json plan, training_.Plan(std::move(train)));
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
