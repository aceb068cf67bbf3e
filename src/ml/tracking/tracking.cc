#include "ml/tracking/tracking.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "ledger/lineage/lineage.h"
#include "ml/tracking/checks.h"
#include "ml/tracking/compactor.h"
#include "ml/tracking/names.h"
#include "ml/tracking/run_effects.h"
#include "ml/tracking/run_store.h"
#include "ml/tracking/run_writes.h"
#include "ml/tracking/settler.h"

namespace gyre::tracking {

namespace {

std::string TextOf(const Json& json) { return json.is_null() ? std::string() : json.Dump(); }

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
  void CreateRunLater(NewRun from, ThenRun then) override;
  Result<Run> GetRun(std::string_view project, std::string_view reference) override;
  Result<Run> GetRunById(std::string_view run_id) override;
  Result<std::vector<RunDetails>> GetRuns(std::span<const std::string> run_ids) override;
  Result<std::string> ProjectOf(std::string_view run_id) override;
  Result<RunPage> ListRuns(const RunQuery& query) override;
  Result<> ChangeRun(std::string_view run_id, const RunChange& change) override;
  void ChangeRunLater(std::string_view run_id, RunChange change, ThenRun then) override;
  Result<> HideRun(std::string_view run_id) override;
  Result<> UnhideRun(std::string_view run_id) override;
  Result<> DeleteTag(std::string_view run_id, std::string_view key) override;
  Result<> RewriteTag(std::string_view run_id, const std::string& key,
                      const TagChange& change) override;
  Result<> LogBatch(std::string_view run_id, Batch batch) override;
  void LogBatchLater(std::string_view run_id, Batch batch, ThenLogged then) override;
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
  // A prepared write (run_writes.h), and what follows when it is durable.
  template <class Write>
  Result<> Keep(Write& write);
  template <class Write, class Then>
  void KeepLater(std::shared_ptr<Write> write, Then then);
  void Done(const RunWrite& write);
  void Done(const BatchWrite& write);
  void Done(const ChangeWrite& write);
  // One durable change of that run, after which nobody shows what it was before.
  Result<> Change(std::string_view run_id, db::Database::WriteBody body);

  db::Database& database_;
  const Clock& clock_;
  RunStamps& stamps_;
  NameBook names_;
  MetricSettler settler_;
  MetricCompactor compactor_;
};

Result<> TrackingImpl::Change(std::string_view run_id, db::Database::WriteBody body) {
  GYRE_DO(database_.Write(std::move(body)));
  stamps_.Touch(run_id);
  return {};
}

template <class Write>
Result<> TrackingImpl::Keep(Write& write) {
  GYRE_DO(database_.Write([&](db::Transaction& tx) { return write.Put(tx); }));
  Done(write);
  return {};
}

template <class Write, class Then>
void TrackingImpl::KeepLater(std::shared_ptr<Write> write, Then then) {
  Write* const writes = write.get();
  database_.WriteLater(
      [writes](db::Transaction& tx) { return writes->Put(tx); },
      [this, write = std::move(write), then = std::move(then)](Result<> outcome) mutable {
        if (outcome) Done(*write);
        then(*write, std::move(outcome));
      });
}

void TrackingImpl::Done(const RunWrite& write) {
  write.Done(names_);
  stamps_.Touch(write.run_id());
}

void TrackingImpl::Done(const BatchWrite& write) {
  write.Done(names_);
  stamps_.Touch(write.run_id());
  if (write.compacts()) compactor_.Add(write.run_number());
}

void TrackingImpl::Done(const ChangeWrite& write) {
  write.Done(names_);
  stamps_.Touch(write.run_id());
  if (write.ends_run()) compactor_.Add(write.run_number());
}

Result<Run> TrackingImpl::CreateRun(NewRun from) {
  GYRE_TRY(const auto write, RunWrite::Prepare(names_, std::move(from), clock_.NowMicros()));
  GYRE_DO(Keep(*write));
  return write->Take();
}

void TrackingImpl::CreateRunLater(NewRun from, ThenRun then) {
  auto write = RunWrite::Prepare(names_, std::move(from), clock_.NowMicros());
  if (!write) return then(write.error());
  KeepLater(*std::move(write), [then = std::move(then)](RunWrite& done, Result<> outcome) mutable {
    then(outcome ? Result<Run>(done.Take()) : outcome.error());
  });
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
  GYRE_TRY(const auto write, ChangeWrite::Prepare(names_, run_id, change));
  return Keep(*write);
}

void TrackingImpl::ChangeRunLater(std::string_view run_id, RunChange change, ThenRun then) {
  auto write = ChangeWrite::Prepare(names_, run_id, std::move(change));
  if (!write) return then(write.error());
  KeepLater(*std::move(write),
            [then = std::move(then)](ChangeWrite& done, Result<> outcome) mutable {
              then(outcome ? Result<Run>(done.Take()) : outcome.error());
            });
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

Result<> TrackingImpl::LogBatch(std::string_view run_id, Batch batch) {
  GYRE_TRY(const auto write,
           BatchWrite::Prepare(names_, run_id, std::move(batch), clock_.NowMicros()));
  return Keep(*write);
}

void TrackingImpl::LogBatchLater(std::string_view run_id, Batch batch, ThenLogged then) {
  auto write = BatchWrite::Prepare(names_, run_id, std::move(batch), clock_.NowMicros());
  if (!write) return then(write.error(), {});
  KeepLater(*std::move(write),
            [then = std::move(then)](BatchWrite& done, Result<> outcome) mutable {
              then(std::move(outcome), done.conflicts());
            });
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
