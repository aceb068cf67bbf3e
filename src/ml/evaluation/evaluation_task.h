// Task "evaluation.run", inside a worker: files in, documents out.
//
// Input:  {"package": PATH, "parts": [PATH of Parquet, ...], "champion": PATH?, "champion_name":
// "churn:v3"?, "primary": "auc"?,
//          "options": {"seed", "resamples", "confidence", "interval": "percentile|bca", "slices",
//          "importance", "slice_rows_min"}?}
// Answer: {"evaluation": Evaluation, "comparison": Comparison (with a champion), "numbers":
// registry::GateNumbers}
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/evaluation/evaluate.h"
#include "ml/runners/tasks.h"

namespace gyre::evaluation {

Result<Json> RunEvaluationTask(runners::TaskContext& context);
// Errors: kInvalidArgument GY3705 names the member that is wrong.
Result<EvaluateOptions> OptionsFromJson(const Json& json);

}  // namespace gyre::evaluation
