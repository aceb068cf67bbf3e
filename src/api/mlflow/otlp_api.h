// Spans over OpenTelemetry's protocol, into the experiment that a header names.
#pragma once

#include <atomic>
#include <cstdint>
#include <semaphore>

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
  class Turn;
  Result<tracking::Experiment> ExperimentOf(const Call& call);
  Result<> Keep(Call& call, const tracking::Experiment& experiment, const std::string& body,
                bool json);

  tracking::Experiments& experiments_;
  tracking::Tracking& tracking_;
  traces::Traces& traces_;
  // What is read takes many times its bytes: large bodies are unpacked and read one at a time, and
  // those that come meanwhile are few.
  std::atomic<std::int64_t> coming_bytes_ = 0;
  std::binary_semaphore large_{1};
};

}  // namespace gyre::mlflow
