// Task "monitoring.compare", inside a worker: two tables in, a comparison out. Private.
//
// Input:  {"reference": SIDE, "current": SIDE, "method": "psi"?, "threshold": 0.2?, "columns":
// [...]?, "threads"} A side: {"name", "parts": [PATH of Parquet, ...], "columns": its schema with
// formats} or {"name", "file": PATH, "format": "csv" or "" (by content)} Answer: {"comparison":
// what CompareTables says, "notes": [how files were read]}
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/monitoring/compare.h"
#include "ml/runners/tasks.h"

namespace gyre::monitoring {

Result<Json> CompareTask(runners::TaskContext& context);
// {"method", "threshold"} as options. Errors: GY3007; kInvalidArgument GY4524 a threshold without a
// method, GY4525 one that is out of range.
Result<statistics::DriftOptions> DriftOptionsOf(const Json& request);

}  // namespace gyre::monitoring
