#include "api/mlflow/run_page.h"

#include <optional>
#include <utility>
#include <vector>

#include "api/mlflow/run_models_api.h"
#include "api/mlflow/run_words.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

constexpr std::size_t kGenerationBytesMax = 6u << 20;

void WriteData(AnswerWriter& out, const tracking::Run& run) {
  out.Object("data");
  if (!run.metrics.empty()) {
    out.List("metrics");
    for (const auto& [key, metric] : run.metrics) {
      out.Object()
          .Text("key", key)
          .Number("value", Clamped(metric.value))
          .Whole("timestamp", metric.time_us / kMicrosPerMilli)
          .Whole("step", metric.step)
          .End();
    }
    out.End();
  }
  out.Pairs("params", run.params);
  out.Pairs("tags", run.tags);
  out.End();
}

void WriteDatasets(AnswerWriter& out, const std::vector<tracking::DatasetInput>& datasets) {
  if (datasets.empty()) return;
  out.List("dataset_inputs");
  for (const tracking::DatasetInput& dataset : datasets) {
    out.Object();
    out.Pairs("tags", dataset.tags);
    out.Object("dataset")
        .Text("name", dataset.name)
        .Text("digest", dataset.digest)
        .Text("source_type", dataset.source_type)
        .Text("source", dataset.source)
        .TextUnlessEmpty("schema", dataset.schema)
        .TextUnlessEmpty("profile", dataset.profile)
        .End();
    out.End();
  }
  out.End();
}

void WriteModelInputs(AnswerWriter& out, const tracking::Run& run) {
  bool any = false;
  for (const Json& input : run.inputs.items()) {
    if (input["kind"].AsString() != kLoggedModelKind) continue;
    if (!any) out.List("model_inputs");
    any = true;
    out.Object().Text("model_id", input["id"].AsString()).End();
  }
  if (any) out.End();
}

void WriteModelOutputs(AnswerWriter& out, const std::vector<tracking::Output>& outputs) {
  bool any = false;
  for (const tracking::Output& output : outputs) {
    if (output.kind != kLoggedModelKind) continue;
    if (!any) out.List("model_outputs");
    any = true;
    out.Object().Text("model_id", output.id);
    out.Whole("step", ParseInt(output.name).value_or(0)).End();
  }
  if (any) out.End();
}

}  // namespace

void WriteRunInfo(AnswerWriter& out, const tracking::Run& run, std::string_view name) {
  out.Object(name)
      .Text("run_uuid", run.id)
      .Text("experiment_id", fmt::format("{}", run.experiment_number))
      .Text("run_name", run.name)
      .Text("user_id", run.user_name)
      .Text("status", StatusWord(run.status))
      .Whole("start_time", run.started_us / kMicrosPerMilli);
  if (run.ended_us != 0) out.Whole("end_time", run.ended_us / kMicrosPerMilli);
  out.Text("artifact_uri", ArtifactUri(run))
      .Text("lifecycle_stage", run.deleted_us == 0 ? "active" : "deleted")
      .Text("run_id", run.id)
      .End();
}

void WriteExperiment(AnswerWriter& out, const tracking::Experiment& experiment) {
  out.Text("experiment_id", fmt::format("{}", experiment.number))
      .Text("name", experiment.title)
      .Text("artifact_location", ArtifactUri(experiment))
      .Text("lifecycle_stage", experiment.deleted_us == 0 ? "active" : "deleted")
      .Whole("last_update_time", experiment.updated_us / kMicrosPerMilli)
      .Whole("creation_time", experiment.created_us / kMicrosPerMilli)
      .Text("workspace", "default");  // that of every server without workspaces
  out.Pairs("tags", experiment.tags);
}

std::string RenderedNewRun(const tracking::Run& run) {
  std::string text;
  AnswerWriter out(&text);
  out.Object();
  WriteRunInfo(out, run);
  WriteData(out, run);
  out.Object("inputs").End();
  out.End();
  return text;
}

std::string RenderedRun(const tracking::RunDetails& details) {
  std::string text;
  AnswerWriter out(&text);
  out.Object();
  WriteRunInfo(out, details.run);
  WriteData(out, details.run);
  out.Object("inputs");
  WriteDatasets(out, details.datasets);
  WriteModelInputs(out, details.run);
  out.End();
  out.Object("outputs");
  WriteModelOutputs(out, details.outputs);
  out.End();
  out.End();
  return text;
}

std::optional<RunPages::Kept> RunPages::Find(const std::string& run_id) {
  const MutexLock held(mutex_);
  if (const auto found = young_.find(run_id); found != young_.end()) return found->second;
  const auto found = old_.find(run_id);
  if (found == old_.end()) return std::nullopt;
  return found->second;
}

void RunPages::Keep(const std::string& run_id, Kept kept) {
  const MutexLock held(mutex_);
  young_bytes_ += kept.text->size() + run_id.size() + sizeof(Kept);
  young_.insert_or_assign(run_id, std::move(kept));
  if (young_bytes_ < kGenerationBytesMax) return;
  old_ = std::exchange(young_, {});
  young_bytes_ = 0;
}

Result<std::vector<RunPages::Text>> RunPages::Render(std::string_view project,
                                                     std::span<const std::string> run_ids) {
  std::unordered_map<std::string_view, Kept> texts;
  std::vector<std::string> missing;
  std::vector<std::uint64_t> stamps;
  for (const std::string& id : run_ids) {
    const std::uint64_t stamp = stamps_.Of(id);
    auto kept = Find(id);
    if (kept && kept->stamp == stamp) {
      texts.emplace(id, *std::move(kept));
    } else {
      missing.push_back(id);
      stamps.push_back(stamp);
    }
  }
  if (!missing.empty()) {
    GYRE_TRY(const auto runs, tracking_.GetRuns(missing));
    std::size_t at = 0;
    for (const tracking::RunDetails& details : runs) {
      while (missing[at] != details.run.id) ++at;
      Kept kept{stamps[at], details.run.project,
                std::make_shared<const std::string>(RenderedRun(details))};
      texts.emplace(missing[at], kept);
      if (stamps_.Of(missing[at]) == stamps[at]) Keep(missing[at], std::move(kept));
    }
  }
  std::vector<Text> page;
  for (const std::string& id : run_ids) {
    const auto found = texts.find(id);
    if (found != texts.end() && found->second.project == project)
      page.push_back(found->second.text);
  }
  return page;
}

}  // namespace gyre::mlflow
