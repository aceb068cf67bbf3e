// Scoring a file: what `predictors.score_file` computes inside a worker. Same scorer, same bits as
// an endpoint. Private.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "ml/runners/tasks.h"

namespace gyre::serving {

// Input: {"model": path of a package, "input": path, "name": "rows.csv" (for messages), "format":
// "csv" or "" (by content),
//         "output_format": "csv" | "jsonl" | "parquet"}
// Answer: {"output": path in the scratch folder, "rows", "notes": [...],
// "renamed": {a column of the input that has an answer's name: its name beside the answer}}
// The output holds the columns of the input, then `prediction` and, for classes,
// `probability_CLASS`.
Result<Json> ScoreFile(runners::TaskContext& context);

}  // namespace gyre::serving
