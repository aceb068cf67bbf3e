// Task "training.fit": from Parquet parts to packaged models and a leaderboard. Runs inside a
// worker.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/runners/tasks.h"
#include "ml/training/problem.h"

namespace gyre::training {

// Answer: {"task", "metric", "better", "split": {...}, "classes", "findings": [...], "leaderboard":
// [...], "best": "lightgbm bag of 5", "package": "model.json", "baseline_package": "baseline.json",
// "holdout": "holdout.parquet", "recipe_hash", "signature", ...}; files lie in the scratch
// directory.
Result<Json> FitTask(runners::TaskContext& context);
// What a fit would do, without one: task "training.plan".
Result<Json> PlanTask(runners::TaskContext& context);
Result<Json> FitProblem(runners::TaskContext& context, const Problem& problem);

}  // namespace gyre::training
