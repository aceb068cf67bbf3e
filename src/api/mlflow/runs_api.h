// Runs over MLflow's protocol: their life, what is logged to them, and how they are found.
#pragma once

#include "api/mlflow/call.h"
#include "api/mlflow/run_page.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

// Whether a call is for one param, of which MLflow has other words than of a batch's.
enum class OneParam : unsigned char { kNo, kYes };

class RunsApi final : public Noun {
 public:
  RunsApi(projects::Projects& projects, tracking::Tracking& tracking, RunPages& pages)
      : Noun(projects), tracking_(tracking), pages_(pages) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Update(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> Restore(Call& call);
  Result<net::Response> LogMetric(Call& call);
  Result<net::Response> LogParam(Call& call);
  Result<net::Response> LogBatch(Call& call);
  Result<net::Response> SetTag(Call& call);
  Result<net::Response> DeleteTag(Call& call);
  Result<net::Response> LogInputs(Call& call);

 private:
  // Answers when the batch is durable.
  net::Response Log(const Call& call, tracking::Batch batch, OneParam one_param = OneParam::kNo);

  tracking::Tracking& tracking_;
  RunPages& pages_;
};

}  // namespace gyre::mlflow
