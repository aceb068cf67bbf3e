#include "ml/tracking/tracking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/checks.h"
#include "ml/tracking/compactor.h"
#include "ml/tracking/experiment_store.h"
#include "ml/tracking/metric_codec.h"
#include "ml/tracking/model_points.h"
#include "ml/tracking/names.h"
#include "ml/tracking/run_effects.h"
#include "ml/tracking/run_store.h"
#include "ml/tracking/settler.h"

namespace gyre::tracking {

namespace {

constexpr std::size_t kPointsMax = 100'000;

std::string TextOf(const Json& json) { return json.is_null() ? std::string() : json.Dump(); }

// The one run of a key, if it is there.
Result<bool> FindImported(db::Transaction& tx, std::string_view project, std::string_view key,
                          Run* run) {
  // One that is deleted is not listed: by the id that it kept it is found all the same.
  Run kept;
  if (ReadRun(tx, run->id, &kept) && kept.project == project &&
      kept.tags[std::string(kImportKey)] == key) {
    *run = std::move(kept);
    return true;
  }
  GYRE_TRY(const std::string id, FindImportedRun(tx, project, key));
  if (id.empty()) return false;
  GYRE_DO(ReadRun(tx, id, run));
  return true;
}

Result<> CheckSlice(db::Transaction& tx, std::string_view run_id, const ImportSlice& slice) {
  Run run;
  GYRE_DO(ReadRun(tx, run_id, &run));
  const auto found = run.tags.find(std::string(kImportPosition));
  const std::int64_t held = found == run.tags.end() ? 0 : ParseInt(found->second).value_or(0);
  if (held == slice.from && slice.to >= slice.from) return {};
  return Error(
             Code::kAborted, "GY3418",
             fmt::format("run {} holds {} points of its source, and what was sent goes on from {}",
                         run_id.substr(0, 8), held, slice.from))
      .Why("another import writes the same run")
      .Fix("wait for it, then import again: what is there is not taken twice");
}

std::vector<std::string_view> KeysOf(const std::map<std::string, std::string>& texts) {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : texts) keys.push_back(key);
  return keys;
}

NamedTexts Numbered(const std::map<std::string, std::string>& texts,
                    const std::vector<std::int64_t>& numbers) {
  NamedTexts named;
  for (const auto& [key, value] : texts) named.push_back({numbers[named.size()], key, value});
  return named;
}

class TrackingImpl final : public Tracking {
 public:
  TrackingImpl(db::Database& database, const Clock& clock, RunStamps& stamps)
      : database_(database),
        clock_(clock),
        stamps_(stamps),
        names_(database),
        settler_(database, names_),
        compactor_(database, settler_) {}

  Result<> Begin() { return compactor_.Begin(); }
  Result<Run> CreateRun(NewRun from) override;
  Result<Run> GetRun(std::string_view project, std::string_view reference) override;
  Result<Run> GetRunById(std::string_view run_id) override;
  Result<std::vector<RunDetails>> GetRuns(std::span<const std::string> run_ids) override;
  Result<std::string> ProjectOf(std::string_view run_id) override;
  Result<RunPage> ListRuns(const RunQuery& query) override;
  Result<> ChangeRun(std::string_view run_id, const RunChange& change) override;
  Result<> HideRun(std::string_view run_id) override;
  Result<> UnhideRun(std::string_view run_id) override;
  Result<> DeleteTag(std::string_view run_id, std::string_view key) override;
  Result<> RewriteTag(std::string_view run_id, const std::string& key,
                      const TagChange& change) override;
  Result<> LogBatch(std::string_view run_id, const Batch& batch) override;
  Result<> LogInputs(std::string_view run_id, const std::vector<DatasetInput>& datasets) override;
  Result<std::vector<DatasetInput>> ListInputs(std::string_view run_id) override;
  Result<> EndRun(std::string_view run_id, const RunEnd& end) override;
  Result<std::string> DeleteRun(std::string_view run_id, std::string_view by) override;
  Result<int> EndOrphans(std::string_view why, std::span<const std::string> alive) override;
  Result<std::vector<MetricPoint>> MetricHistory(std::string_view run_id, std::string_view key,
                                                 int limit) override;
  Result<Series> ReadSeries(std::string_view run_id, std::string_view key,
                            SeriesOrder order) override;
  Result<> SettleMetrics(std::string_view project,
                         std::span<const std::int64_t> experiments) override {
    return settler_.SettleExperiments(project, experiments);
  }
  Result<> AddArtifacts(std::string_view run_id, const std::vector<Artifact>& artifacts) override;
  Result<std::vector<Artifact>> ListArtifacts(std::string_view run_id,
                                              std::string_view prefix) override;
  Result<Artifact> GetArtifact(std::string_view run_id, std::string_view path) override;
  Result<> AddInput(std::string_view run_id, const RunInput& input) override;
  Result<> AddOutput(std::string_view run_id, const Output& output) override;
  Result<std::vector<Output>> ListOutputs(std::string_view run_id) override;

 private:
  Result<Run> RunFrom(NewRun from);
  Result<NamedTexts> Named(const std::map<std::string, std::string>& texts);
  // One durable change of that run, after which nobody shows what it was before.
  Result<> Change(std::string_view run_id, db::Database::WriteBody body);

  db::Database& database_;
  const Clock& clock_;
  RunStamps& stamps_;
  NameBook names_;
  MetricSettler settler_;
  MetricCompactor compactor_;
};

Result<NamedTexts> TrackingImpl::Named(const std::map<std::string, std::string>& texts) {
  GYRE_TRY(const auto numbers, names_.NumbersOf(KeysOf(texts)));
  return Numbered(texts, numbers);
}

Result<> TrackingImpl::Change(std::string_view run_id, db::Database::WriteBody body) {
  GYRE_DO(database_.Write(std::move(body)));
  stamps_.Touch(run_id);
  return {};
}

Result<Run> TrackingImpl::RunFrom(NewRun from) {
  GYRE_DO(CheckTexts("param", from.params, kParamBytesMax));
  GYRE_DO(CheckTexts("tag", from.tags, kTagBytesMax));
  Run run;
  run.id = from.id.empty() ? NewId() : std::move(from.id);
  run.project = std::move(from.project);
  if (!from.import_key.empty()) from.tags[std::string(kImportKey)] = from.import_key;
  run.name = from.name.empty() ? fmt::format("{}-{}", from.kind, run.id.substr(0, 6))
                               : std::move(from.name);
  GYRE_DO(CheckKey("run", run.name));
  run.kind = std::move(from.kind);
  run.job = std::move(from.job);
  run.parent = std::move(from.parent);
  run.created_by = std::move(from.created_by);
  run.user_name = std::move(from.user_name);
  run.artifact_root = std::move(from.artifact_root);
  run.status = from.status;
  run.seed = from.seed;
  run.created_us = from.created_us == 0 ? clock_.NowMicros() : from.created_us;
  run.started_us = from.started_us == 0 ? run.created_us : from.started_us;
  run.source = std::move(from.source);
  run.code = std::move(from.code);
  run.inputs = std::move(from.inputs);
  run.environment = std::move(from.environment);
  run.params = std::move(from.params);
  run.tags = std::move(from.tags);
  return run;
}

// The experiment of a new run: the one with that number, or the one of that name, made if need be.
Result<Experiment> ExperimentFor(db::Transaction& tx, const Run& run, const NewRun& from) {
  if (from.experiment_number) return ReadActiveExperiment(tx, run.project, *from.experiment_number);
  return EnsureExperiment(tx, run.project, from.experiment, run.created_us);
}

Result<Run> TrackingImpl::CreateRun(NewRun from) {
  GYRE_DO(CheckTitle(from.experiment));
  const bool is_import = !from.import_key.empty(), keeps_id = !from.id.empty();
  GYRE_TRY(Run run, RunFrom(from));
  const RunTexts texts{TextOf(run.source), TextOf(run.code), TextOf(run.inputs),
                       TextOf(run.environment)};
  GYRE_TRY(const NamedTexts params, Named(run.params));
  GYRE_TRY(const NamedTexts tags, Named(run.tags));
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    if (is_import) {
      GYRE_TRY(const bool there, FindImported(tx, run.project, from.import_key, &run));
      if (there) return {};
    }
    if (keeps_id && FindRun(tx, run.id))
      return MakeError(Code::kAlreadyExists, "GY3425", "there is a run {} already", run.id);
    if (run.kind == "program" && !is_import)
      GYRE_DO(usage::Admit(
          tx,
          {.project = run.project, .subject_kind = "run", .user = usage::UserOf(run.created_by)},
          run.created_us));
    GYRE_TRY(const Experiment experiment, ExperimentFor(tx, run, from));
    run.experiment = experiment.name;
    run.experiment_number = experiment.number;
    if (run.artifact_root.empty() && !experiment.artifact_root.empty())
      run.artifact_root = fmt::format("{}/{}/artifacts", experiment.artifact_root, run.id);
    GYRE_TRY(run.number, NextNumber(tx, "run"));
    GYRE_DO(InsertRun(tx, run, texts, from.import_key));
    const RunKey key{run.number, run.experiment_number, 0, run.project};
    GYRE_DO(PutParams(tx, key, run.id, params));
    GYRE_DO(PutTags(tx, key, tags));
    return WriteLineage(tx, run);
  }));
  stamps_.Touch(run.id);
  return run;
}

Result<Run> TrackingImpl::GetRun(std::string_view project, std::string_view reference) {
  Run run;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto ids, FindRunIds(reader, project, reference));
    if (ids.empty()) {
      return NotFound("GY3401", "there is no run `{}` in project {}", reference, project)
          .Fix("gyre runs            (lists them)");
    }
    if (ids.size() > 1) {
      return InvalidArgument("GY3402", "`{}` is the beginning of more than one run's id", reference)
          .Fix("give more digits of the id");
    }
    return ReadRun(reader, ids[0], &run);
  }));
  return run;
}

Result<Run> TrackingImpl::GetRunById(std::string_view run_id) {
  Run run;
  GYRE_DO(database_.Read([&](db::Reader& reader) { return ReadRun(reader, run_id, &run); }));
  return run;
}

Result<std::vector<RunDetails>> TrackingImpl::GetRuns(std::span<const std::string> run_ids) {
  std::vector<RunDetails> all;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const std::string& id : run_ids) {
      RunDetails details;
      const auto read = ReadRun(reader, id, &details.run);
      if (!read && read.error().code() == Code::kNotFound) continue;
      GYRE_DO(read);
      GYRE_TRY(details.datasets, ReadDatasets(reader, details.run.number));
      GYRE_TRY(details.outputs, ReadOutputs(reader, id));
      all.push_back(std::move(details));
    }
    return {};
  }));
  return all;
}

Result<std::string> TrackingImpl::ProjectOf(std::string_view run_id) {
  std::string project;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const RunKey run, FindRun(reader, run_id));
    project = run.project;
    return {};
  }));
  return project;
}

Result<> TrackingImpl::ChangeRun(std::string_view run_id, const RunChange& change) {
  if (change.name) GYRE_DO(CheckKey("run", *change.name));
  GYRE_DO(CheckTexts("tag", change.tags, kTagBytesMax));
  GYRE_TRY(const NamedTexts tags, Named(change.tags));
  RunKey key;
  GYRE_DO(Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(key, FindActiveRun(tx, run_id));
    GYRE_DO(UpdateRun(tx, key, change));
    for (const std::string& tag : change.removed_tags) GYRE_DO(RemoveTag(tx, key, tag));
    return PutTags(tx, key, tags);
  }));
  if (change.ended_us) compactor_.Add(key.number);
  return {};
}

Result<> TrackingImpl::HideRun(std::string_view run_id) {
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const RunKey key, FindRun(tx, run_id));
    return key.deleted_us != 0 ? Result<>() : SetRunDeleted(tx, key, clock_.NowMicros());
  });
}

Result<> TrackingImpl::UnhideRun(std::string_view run_id) {
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const RunKey key, FindRun(tx, run_id));
    return SetRunDeleted(tx, key, 0);
  });
}

Result<> TrackingImpl::DeleteTag(std::string_view run_id, std::string_view key) {
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const RunKey run, FindActiveRun(tx, run_id));
    GYRE_TRY(const bool removed, RemoveTag(tx, run, key));
    if (removed) return {};
    return NotFound("GY3427", "run {} has no tag `{}`", run_id.substr(0, kShortIdLength),
                    key.substr(0, 100));
  });
}

Result<> TrackingImpl::RewriteTag(std::string_view run_id, const std::string& key,
                                  const TagChange& change) {
  GYRE_TRY(const auto numbers, names_.NumbersOf({key}));
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const RunKey run, FindActiveRun(tx, run_id));
    GYRE_TRY(const std::string before, ReadTag(tx, run, numbers[0]));
    GYRE_TRY(const std::string after, change(before));
    GYRE_DO(CheckTexts("tag", {{key, after}}, kTagBytesMax));
    return PutTags(tx, run, {{numbers[0], key, after}});
  });
}

Result<RunPage> TrackingImpl::ListRuns(const RunQuery& query) {
  if (query.limit < 1 || query.limit > kPageSizeMax) {
    return InvalidArgument("GY3408", "a page has 1 to {} runs, not {}", kPageSizeMax, query.limit);
  }
  RunPage page;
  if (!query.order_by_metric.empty()) GYRE_DO(SettleMetrics(query.project, {}));
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(RunIdPage found, FindRuns(reader, query));
    page.next_page_token = std::move(found.next_page_token);
    page.runs.resize(found.ids.size());
    for (std::size_t i = 0; i < found.ids.size(); ++i)
      GYRE_DO(ReadRun(reader, found.ids[i], &page.runs[i]));
    return {};
  }));
  return page;
}

Result<> TrackingImpl::LogBatch(std::string_view run_id, const Batch& batch) {
  GYRE_DO(CheckTexts("param", batch.params, kParamBytesMax));
  GYRE_DO(CheckTexts("tag", batch.tags, kTagBytesMax));
  if (batch.name) GYRE_DO(CheckKey("run", *batch.name));
  if (batch.metrics.size() > kPointsMax) {
    return InvalidArgument("GY3409", "a batch has at most {} metric points, not {}", kPointsMax,
                           batch.metrics.size());
  }
  auto all_tags = batch.tags;
  if (batch.slice) all_tags[std::string(kImportPosition)] = fmt::format("{}", batch.slice->to);
  std::vector<MetricPoint> points = batch.metrics;
  const std::int64_t now_us = clock_.NowMicros();
  for (MetricPoint& point : points) {
    GYRE_DO(CheckKey("metric", point.key));
    if (point.time_us == kNow) point.time_us = now_us;
  }
  GYRE_TRY(const NamedTexts params, Named(batch.params));
  GYRE_TRY(const NamedTexts tags, Named(all_tags));
  const std::string encoded = points.empty() ? std::string() : EncodePoints(points);
  std::int64_t waiting = 0;
  RunKey run;
  GYRE_DO(Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(run, FindActiveRun(tx, run_id, batch.project));
    if (batch.slice) GYRE_DO(CheckSlice(tx, run_id, *batch.slice));
    GYRE_DO(PutParams(tx, run, run_id, params));
    GYRE_DO(PutTags(tx, run, tags));
    if (batch.name) GYRE_DO(UpdateRun(tx, run, {.name = batch.name}));
    if (!points.empty()) {
      GYRE_TRY(waiting, PutPoints(tx, run, encoded));
    }
    return PutModelPoints(tx, run.project, batch.of_models);
  }));
  if (waiting >= kBatchesWaitingMax) compactor_.Add(run.number);
  return {};
}

Result<> TrackingImpl::LogInputs(std::string_view run_id,
                                 const std::vector<DatasetInput>& datasets) {
  std::vector<std::string> tags;
  for (const DatasetInput& dataset : datasets) {
    Json json = Json::Obj();
    for (const auto& [key, value] : dataset.tags) json.Set(key, value);
    tags.push_back(json.Dump());
  }
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const RunKey run, FindActiveRun(tx, run_id));
    for (std::size_t i = 0; i < datasets.size(); ++i)
      GYRE_DO(PutDataset(tx, run, datasets[i], tags[i]));
    return {};
  });
}

Result<std::vector<DatasetInput>> TrackingImpl::ListInputs(std::string_view run_id) {
  std::vector<DatasetInput> inputs;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const RunKey run, FindRun(reader, run_id));
    GYRE_TRY(inputs, ReadDatasets(reader, run.number));
    return {};
  }));
  return inputs;
}

Result<> TrackingImpl::AddOutput(std::string_view run_id, const Output& output) {
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_DO(FindRun(tx, run_id));
    return PutOutput(tx, run_id, output);
  });
}

Result<std::vector<Output>> TrackingImpl::ListOutputs(std::string_view run_id) {
  std::vector<Output> outputs;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(outputs, ReadOutputs(reader, run_id));
    return {};
  }));
  return outputs;
}

Result<> TrackingImpl::EndRun(std::string_view run_id, const RunEnd& end) {
  RunEnd ending = end;
  if (ending.ended_us == 0) ending.ended_us = clock_.NowMicros();
  const std::string resources = TextOf(ending.resources);
  Run run;
  GYRE_DO(Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_DO(ReadRun(tx, run_id, &run));
    GYRE_DO(BookUsage(tx, run, ending));
    return UpdateEnd(tx, run_id, ending, resources);
  }));
  compactor_.Add(run.number);
  return {};
}

Result<> TrackingImpl::AddInput(std::string_view run_id, const RunInput& input) {
  // Most reads are of what was read before: those do not wait for the writer.
  bool news = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    Run run;
    GYRE_DO(ReadRun(reader, run_id, &run));
    news = WithInput(run.inputs, input).has_value();
    return {};
  }));
  if (!news) return {};
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    Run run;
    GYRE_DO(ReadRun(tx, run_id, &run));
    const auto inputs = WithInput(run.inputs, input);
    if (!inputs) return {};
    GYRE_DO(UpdateInputs(tx, run_id, inputs->Dump()));
    GYRE_DO(lineage::EnsureNode(tx, {.id = run.id,
                                     .kind = "run",
                                     .label = run.name,
                                     .project = run.project,
                                     .created_us = run.created_us}));
    GYRE_DO(lineage::EnsureNode(tx, {.id = input.id,
                                     .kind = input.kind,
                                     .label = input.name,
                                     .project = run.project,
                                     .created_us = clock_.NowMicros()}));
    return lineage::AddEdge(tx, input.id, run.id, "read_by");
  });
}

Result<std::string> TrackingImpl::DeleteRun(std::string_view run_id, std::string_view by) {
  std::string name;
  std::int64_t left = 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const RunKey run, FindRun(tx, run_id));
    left = run.experiment;
    GYRE_TRY(name, RemoveRun(tx, run_id, by, clock_.NowMicros()));
    return {};
  }));
  stamps_.Leave(run_id, left);
  return name;
}

Result<int> TrackingImpl::EndOrphans(std::string_view why, std::span<const std::string> alive) {
  std::vector<std::string> ids;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(ids, RunningRuns(reader));
    return {};
  }));
  const std::unordered_set<std::string_view> spared(alive.begin(), alive.end());
  std::erase_if(ids, [&](const std::string& id) { return spared.contains(id); });
  const RunEnd end{RunStatus::kKilled, std::string(why), Json(), clock_.NowMicros()};
  for (const std::string& id : ids)
    GYRE_DO(Change(id, [&](db::Transaction& tx) { return UpdateEnd(tx, id, end, ""); }));
  if (!ids.empty()) compactor_.AddAll();
  return static_cast<int>(ids.size());
}

Result<Series> TrackingImpl::ReadSeries(std::string_view run_id, std::string_view key,
                                        SeriesOrder order) {
  Series series;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const RunKey run, FindRun(reader, run_id));
    GYRE_TRY(series, ReadSeriesOf(reader, run.number, key));
    return {};
  }));
  Settle(order, &series);
  return series;
}

Result<std::vector<MetricPoint>> TrackingImpl::MetricHistory(std::string_view run_id,
                                                             std::string_view key, int limit) {
  GYRE_DO(CheckKey("metric", key));
  GYRE_TRY(const Series series, ReadSeries(run_id, key, SeriesOrder::kByStep));
  const std::size_t all = series.size();
  const std::size_t wanted = limit <= 0 ? all : std::min(all, static_cast<std::size_t>(limit));
  std::vector<MetricPoint> points;
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::size_t at = wanted == all ? i : wanted == 1 ? all - 1 : i * (all - 1) / (wanted - 1);
    points.push_back({std::string(key), series.values[at], series.steps[at], series.times_us[at]});
  }
  return points;
}

Result<> TrackingImpl::AddArtifacts(std::string_view run_id,
                                    const std::vector<Artifact>& artifacts) {
  std::vector<Artifact> checked = artifacts;
  for (Artifact& artifact : checked) {
    GYRE_DO(CheckPath(artifact.path));
    if (artifact.media_type.empty()) artifact.media_type = GuessMediaType(artifact.path);
  }
  return Change(run_id, [&](db::Transaction& tx) -> Result<> {
    GYRE_DO(FindRun(tx, run_id));
    for (const Artifact& artifact : checked) {
      GYRE_DO(PutFile(tx, run_id, artifact));
      GYRE_DO(blob::AddRef(tx, kRefOwner, run_id, artifact.object));
    }
    return {};
  });
}

Result<std::vector<Artifact>> TrackingImpl::ListArtifacts(std::string_view run_id,
                                                          std::string_view prefix) {
  std::vector<Artifact> artifacts;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(FindRun(reader, run_id));
    GYRE_TRY(artifacts, ReadFiles(reader, run_id, prefix));
    return {};
  }));
  return artifacts;
}

Result<Artifact> TrackingImpl::GetArtifact(std::string_view run_id, std::string_view path) {
  GYRE_TRY(auto artifacts, ListArtifacts(run_id, path));
  for (Artifact& artifact : artifacts) {
    if (artifact.path == path) return std::move(artifact);
  }
  return NotFound("GY3403", "run {} has no artifact `{}`", run_id.substr(0, 8), path.substr(0, 200))
      .Fix(fmt::format("gyre runs show {}            (lists its artifacts)", run_id.substr(0, 8)));
}

}  // namespace

Result<std::unique_ptr<Tracking>> OpenTracking(db::Database& database, const Clock& clock,
                                               RunStamps& stamps) {
  auto tracking = std::make_unique<TrackingImpl>(database, clock, stamps);
  GYRE_DO(tracking->Begin());
  return tracking;
}

}  // namespace gyre::tracking
