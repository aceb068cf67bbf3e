#include "ml/inference_log/steps.h"

#include "base/text.h"
#include "ml/pipelines/job_kind.h"

namespace gyre::inference_log {
namespace {

using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kKeys[] = {{"endpoint", true}, {"dataset", true}, {"labelled"},
                             {"last_s"},         {"rows_min"},      {"history"},
                             {"history_below"},  {"since"},         {"fill_to"}};
const OutputSpec kOutputs[] = {{"dataset", ValueType::kText}, {"version_id", ValueType::kText},
                               {"rows", ValueType::kInt},     {"fresh_rows", ValueType::kInt},
                               {"mixed", ValueType::kBool},   {"notes", ValueType::kText}};
const pipelines::KindFacts kCaptures{"captures", kKeys, kOutputs};

Result<runners::Job> Submit(InferenceLog& log, const StepContext& context) {
  const Json& with = context.with;
  GYRE_TRY(std::string endpoint, with.GetString("endpoint"));
  GYRE_TRY(std::string dataset, with.GetString("dataset"));
  const std::int64_t last_us = with["last_s"].AsInt() * kMicrosPerSecond;
  std::int64_t since_us = 0;
  if (const std::string& since = with["since"].AsString(); !since.empty() && last_us == 0) {
    const auto time_us = ParseTime(since);
    if (!time_us)
      return InvalidArgument("GY4622", "`since` must be a time like 2026-11-21T08:30:00Z, not `{}`",
                             since);
    since_us = *time_us;
  }
  return log.MakeDataset({.project = context.project,
                          .endpoint = std::move(endpoint),
                          .dataset = std::move(dataset),
                          .last_us = last_us,
                          .labelled_only = with["labelled"].AsBool(),
                          .retrain = true,
                          .rows_min = with["rows_min"].AsInt(),
                          .since_us = since_us,
                          .fill_to = with["fill_to"].AsInt(),
                          .history_below = with["history_below"].AsInt(),
                          .history = with["history"].AsString(),
                          .by = context.created_by});
}

StepEnd End(const StepContext& /*context*/, const runners::Job& job) {
  const Json& made = job.result;
  std::vector<std::string> notes;
  for (const Json& problem : made["problems"].items()) notes.push_back(problem.AsString());
  return {.outputs = Json::Obj({{"dataset", made["reference"]},
                                {"version_id", made["id"]},
                                {"rows", made["rows"]},
                                {"fresh_rows", made["fresh_rows"]},
                                {"mixed", made["mixed"]},
                                {"notes", Join(notes, "; ")}}),
          .links = {{.kind = "dataset_version",
                     .id = made["id"].AsString(),
                     .label = made["reference"].AsString()}}};
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, InferenceLog& log, runners::Jobs& jobs) {
  pipelines.AddKind(pipelines::JobStepKind(
      jobs, kCaptures, "dataset.write",
      {[&](const StepContext& context) { return Submit(log, context); }, End}));
}

}  // namespace gyre::inference_log
