// A file's rows with columns of answers beside them, in constant memory; what the tasks that score
// and explain files share. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/predictors/scorer.h"
#include "ml/runners/tasks.h"
#include "platform/table/frame.h"

namespace gyre::serving {

class Answers {
 public:
  virtual ~Answers() = default;
  virtual const table::Schema& input() const = 0;  // the columns that the model reads
  virtual const predictors::ModelPackage& package() const = 0;
  virtual const std::vector<std::string>& names() const = 0;
  virtual std::string_view verb() const = 0;  // of the command that asked: "predict"
  virtual void Begin() = 0;                   // the rows come from the first one on, perhaps again
  // The columns called names(), for rows with the columns of input().
  virtual Result<std::vector<table::Column>> Of(const table::Frame& rows) = 0;
};

// Input: {"input": path, "name": "rows.csv" (for messages), "format": "csv" or "" (by content),
//         "output_format": "csv" | "jsonl" | "parquet" | "none", "bad_is_missing"}
// Answer: {"output": path in the scratch folder (not for "none"), "rows", "notes": [...],
// "cells_nulled", "renamed": {a column of the input that has an answer's name: its name beside the
// answer}}
Result<Json> AnswerFile(runners::TaskContext& context, Answers& answers);

}  // namespace gyre::serving
