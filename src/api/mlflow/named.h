// What a call names by ids that are unique on the server: a run of the call's project, experiments
// of it. Private.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/mlflow/call.h"
#include "base/error.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

// The `run_id` of the arguments. Error: GY3401 in MLflow's words, also of another project's run.
Result<std::string> RunOf(tracking::Tracking& tracking, const Call& call);

// Numbers; "0" is the default experiment of the project. One that is not there finds nothing.
Result<std::vector<std::int64_t>> ExperimentsOf(tracking::Experiments& experiments,
                                                const Call& call,
                                                const std::vector<std::string>& ids);

}  // namespace gyre::mlflow
