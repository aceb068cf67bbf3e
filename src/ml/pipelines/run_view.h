// A run as people look at it: its steps, tasks and attempts. Private.
#pragma once

#include <string>
#include <string_view>

#include "ml/pipelines/pipeline_store.h"

namespace gyre::pipelines {

Result<Json> DescribeRun(const RunView& run, const PipelineStore::RunSums& sums);
// `attempts`: what is to be said of them.
Json TaskToJson(const Step& step, const TaskRecord& task, const Json& attempts);
// Error: kNotFound GY4713.
Result<std::size_t> FindStep(const Spec& spec, std::string_view name);
Result<Json> TasksOfRun(const StoredRun& stored, int limit);

struct LoggedAttempt {
  Step step;
  std::int64_t item = -1;
  int number = 0;         // 0 = none yet
  std::string reference;  // what works for it elsewhere
  bool ended = false;
};
// "train", "train[3]"; attempt 0 = the last. Error: kNotFound GY4713.
Result<LoggedAttempt> FindAttempt(const StoredRun& stored, std::string_view name, int attempt);

}  // namespace gyre::pipelines
