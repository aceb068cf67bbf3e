// Answers and their labels as a dataset: fresh rows, and older ones as far as they are needed.
// Private.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/joined.h"
#include "ml/runners/tasks.h"

namespace gyre::inference_log {

ReadRequest RequestOf(runners::TaskContext& context);
Json ProblemsJson(const Joined& joined);

// The input of its job, for a model of that target.
Json DatasetInput(InferenceLog::DatasetRequest request, const std::string& target);

// What stands before the fresh rows.
struct Wanted {
  std::string target = {};
  std::vector<std::string> classes = {};  // of which each must be there; empty: none must
  std::int64_t newest = 0;                // so many of the older rows, the newest
};
struct Mixed {
  table::Frame frame = {};          // older rows, the newest last, and then the fresh ones
  std::int64_t older = 0;           // rows
  std::vector<std::string> said{};  // classes that only older rows have
  std::vector<std::string> gone{};  // classes that no row has
};
// `older` has the columns of `fresh`, its newest rows last. Pure.
Mixed Mix(const table::Frame& older, const table::Frame& fresh, const Wanted& wanted);

Result<Json> DatasetTask(runners::TaskContext& context);

}  // namespace gyre::inference_log
