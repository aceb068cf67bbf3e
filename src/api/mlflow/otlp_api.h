// Spans over OpenTelemetry's protocol, into the experiment that a header names.
#pragma once

#include "api/mlflow/call.h"
#include "ml/traces/traces.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

class OtlpApi final : public Noun {
 public:
  OtlpApi(projects::Projects& projects, tracking::Experiments& experiments,
          tracking::Tracking& tracking, traces::Traces& traces)
      : Noun(projects), experiments_(experiments), tracking_(tracking), traces_(traces) {}
  net::RouteTable table();

  Result<net::Response> Export(Call& call);

 private:
  Result<tracking::Experiment> ExperimentOf(const Call& call);

  tracking::Experiments& experiments_;
  tracking::Tracking& tracking_;
  traces::Traces& traces_;
};

}  // namespace gyre::mlflow
