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
#include "ml/tracking/metric_codec.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {

namespace {

constexpr std::array kStatusNames = {"scheduled", "running", "finished", "failed", "killed"};
constexpr std::size_t kKeyBytesMax = 250, kParamBytesMax = 8'000, kTagBytesMax = 64'000,
                      kPointsMax = 100'000;

Result<> CheckKey(std::string_view noun, std::string_view key) {
  const bool bad =
      key.empty() || key.size() > kKeyBytesMax || !IsValidUtf8(key) ||
      std::ranges::any_of(key, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (!bad) return {};
  return InvalidArgument("GY3407", "the {} name `{}` has {} bytes", noun, key.substr(0, 60),
                         key.size())
      .Why(fmt::format("names have 1 to {} bytes of UTF-8 without control characters",
                       kKeyBytesMax));
}

Result<> CheckTexts(std::string_view noun, const std::map<std::string, std::string>& texts,
                    std::size_t bytes_max) {
  for (const auto& [key, value] : texts) {
    GYRE_DO(CheckKey(noun, key));
    if (value.size() > bytes_max || !IsValidUtf8(value)) {
      return InvalidArgument("GY3407", "the value of {} `{}` has {} bytes", noun, key, value.size())
          .Why(fmt::format("values have at most {} bytes of UTF-8", bytes_max));
    }
  }
  return {};
}

Result<> CheckPath(std::string_view path) {
  bool good = !path.empty() && path.size() <= 1'000 && IsValidUtf8(path) &&
              path.find('\0') == std::string_view::npos &&
              path.find('\\') == std::string_view::npos;
  for (const std::string_view part : Split(path, '/'))
    good = good && !part.empty() && part != "." && part != "..";
  if (good) return {};
  return InvalidArgument("GY3405", "`{}` cannot be the path of an artifact", path.substr(0, 100))
      .Why("artifact paths are relative, with '/' between names, without '.' and '..'");
}

std::string GuessMediaType(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".json", "application/json"}, {".txt", "text/plain"},       {".log", "text/plain"},
      {".csv", "text/csv"},          {".md", "text/markdown"},     {".html", "text/html"},
      {".png", "image/png"},         {".jpg", "image/jpeg"},       {".svg", "image/svg+xml"},
      {".diff", "text/x-diff"},      {".yaml", "application/yaml"}};
  for (const auto& [suffix, type] : kTypes) {
    if (path.ends_with(suffix)) return std::string(type);
  }
  return "application/octet-stream";
}

// What the points of one batch leave behind as latest values.
std::map<std::string, LatestMetric> LatestOf(const std::vector<MetricPoint>& points) {
  std::map<std::string, LatestMetric> latest;
  for (const MetricPoint& p : points) {
    const auto [it, fresh] = latest.try_emplace(p.key, LatestMetric{p.value, p.step, p.time_us, 0});
    LatestMetric& m = it->second;
    if (!fresh && std::tie(p.step, p.time_us) >= std::tie(m.step, m.time_us))
      m = {p.value, p.step, p.time_us, m.points};
    ++m.points;
  }
  return latest;
}

std::string TextOf(const Json& json) { return json.is_null() ? std::string() : json.Dump(); }

// In the transaction of the run: what it was given to read; what is part of a run has read what
// the run has read.
Result<> WriteLineage(db::Transaction& tx, const Run& run) {
  const auto node = [&](const std::string& id, std::string_view kind, std::string label) {
    return lineage::Node{.id = id,
                         .kind = std::string(kind),
                         .label = std::move(label),
                         .project = run.project,
                         .created_us = run.created_us};
  };
  GYRE_DO(lineage::AddNode(tx, node(run.id, "run", run.name)));
  if (run.kind == "program") return {};  // it tells what it reads while it runs
  if (!run.parent.empty()) {
    GYRE_DO(lineage::EnsureNode(tx, node(run.parent, "run", run.parent.substr(0, 12))));
    return lineage::AddEdge(tx, run.parent, run.id, "tried");
  }
  for (const Json& input : run.inputs.items()) {
    const std::string& id = input["id"].AsString();
    GYRE_DO(lineage::EnsureNode(tx, node(id, input["kind"].AsString(), input["name"].AsString())));
    GYRE_DO(lineage::AddEdge(tx, id, run.id, "read_by"));
  }
  return {};
}

// Whoever reports what a program used may report anything; sums stay whole numbers.
double Between(const Json& value, double most) {
  const double number = value.AsDouble();
  return number > 0 ? std::min(number, most) : 0;
}

// What jobs use is booked by their room.
Result<> BookUsage(db::Transaction& tx, const Run& run, const RunEnd& end) {
  if (run.kind != "program" || run.ended_us != 0) return {};
  const Json& used = end.resources;
  constexpr double kSecondsMax = 1e7, kBytesMax = 1e13;
  const auto bytes =
      Between(used["read_bytes"], kBytesMax) + Between(used["written_bytes"], kBytesMax);
  usage::Quantities quantities = usage::QuantitiesOf(
      Between(used["cpu_seconds"], kSecondsMax), Between(used["wall_seconds"], kSecondsMax),
      static_cast<std::int64_t>(Between(used["memory_bytes_peak"], kBytesMax)),
      static_cast<std::int64_t>(bytes));
  // Nobody but the program knows: it says so at its end, or in a metric of that name.
  const auto logged = run.metrics.find("gpu_seconds");
  const Json told = used["gpu_seconds"].is_number() || logged == run.metrics.end()
                        ? used["gpu_seconds"]
                        : Json(logged->second.value);
  quantities.gpu_us = std::llround(Between(told, kSecondsMax) * kMicrosPerSecond);
  if (quantities == usage::Quantities{}) return {};
  return usage::Record(tx, {.project = run.project,
                            .subject_kind = "run",
                            .subject_id = run.id,
                            .subject_label = run.name,
                            .at_us = end.ended_us,
                            .quantities = quantities,
                            .user = usage::UserOf(run.created_by)});
}

// The inputs with one more; nothing when it is there already.
std::optional<Json> WithInput(const Json& inputs, const RunInput& input) {
  Json all = Json::Arr();
  bool there = false;
  for (const Json& item : inputs.items()) {
    Json same = item;
    if (item["id"].AsString() == input.id) {
      if (item["latest"].AsBool() || !input.latest) return std::nullopt;
      same.Set("latest", true);
      there = true;
    }
    all.Push(std::move(same));
  }
  if (!there) {
    all.Push(Json::Obj({{"kind", input.kind},
                        {"id", input.id},
                        {"name", input.name},
                        {"digest", input.digest},
                        {"latest", input.latest}}));
  }
  return all;
}

// The one run of a key, if it is there.
Result<bool> FindImported(db::Transaction& tx, std::string_view project, std::string_view key,
                          Run* run) {
  RunQuery query;
  query.project = project;
  query.tags[std::string(kImportKey)] = key;
  query.limit = 1;
  GYRE_TRY(const RunIdPage page, FindRuns(tx, query));
  if (page.ids.empty()) return false;
  GYRE_DO(ReadRun(tx, page.ids[0], run));
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

class TrackingImpl final : public Tracking {
 public:
  TrackingImpl(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Result<Experiment> EnsureExperiment(std::string_view project, std::string_view name) override {
    GYRE_DO(CheckName("experiment", name));
    Experiment experiment{NewId(), std::string(project), std::string(name), clock_.NowMicros(), 0};
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(experiment.id,
               EnsureExperimentIn(tx, project, name, experiment.id, experiment.created_us));
      return {};
    }));
    return experiment;
  }

  Result<std::vector<Experiment>> ListExperiments(std::string_view project) override {
    std::vector<Experiment> experiments;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(experiments, ReadExperiments(reader, project));
      return {};
    }));
    return experiments;
  }

  Result<Run> CreateRun(NewRun from) override;
  Result<Run> GetRun(std::string_view project, std::string_view reference) override;
  Result<RunPage> ListRuns(const RunQuery& query) override;
  Result<> LogBatch(std::string_view run_id, const Batch& batch) override;
  Result<> EndRun(std::string_view run_id, const RunEnd& end) override;
  Result<> DeleteRun(std::string_view run_id) override;
  Result<int> EndOrphans(std::string_view why, std::span<const std::string> alive) override;
  Result<std::vector<MetricPoint>> MetricHistory(std::string_view run_id, std::string_view key,
                                                 int limit) override;
  Result<> AddArtifacts(std::string_view run_id, const std::vector<Artifact>& artifacts) override;
  Result<std::vector<Artifact>> ListArtifacts(std::string_view run_id,
                                              std::string_view prefix) override;
  Result<Artifact> GetArtifact(std::string_view run_id, std::string_view path) override;

  Result<> AddInput(std::string_view run_id, const RunInput& input) override;
  Result<> AddOutput(std::string_view run_id, const Output& output) override {
    return database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_DO(CheckRunExists(tx, run_id));
      return PutOutput(tx, run_id, output);
    });
  }
  Result<std::vector<Output>> ListOutputs(std::string_view run_id) override {
    std::vector<Output> outputs;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(outputs, ReadOutputs(reader, run_id));
      return {};
    }));
    return outputs;
  }

 private:
  Result<> Compact(std::string_view run_id);

  db::Database& database_;
  const Clock& clock_;
};

Result<Run> TrackingImpl::CreateRun(NewRun from) {
  GYRE_DO(CheckName("experiment", from.experiment));
  GYRE_DO(CheckTexts("param", from.params, kParamBytesMax));
  GYRE_DO(CheckTexts("tag", from.tags, kTagBytesMax));
  Run run;
  run.id = NewId();
  run.project = std::move(from.project);
  if (!from.import_key.empty()) from.tags[std::string(kImportKey)] = from.import_key;
  run.experiment = std::move(from.experiment);
  run.name = from.name.empty() ? fmt::format("{}-{}", from.kind, run.id.substr(0, 6))
                               : std::move(from.name);
  GYRE_DO(CheckKey("run", run.name));
  run.kind = std::move(from.kind);
  run.job = std::move(from.job);
  run.parent = std::move(from.parent);
  run.created_by = std::move(from.created_by);
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
  const RunTexts texts{TextOf(run.source), TextOf(run.code), TextOf(run.inputs),
                       TextOf(run.environment)};
  const std::string experiment_id = NewId();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    if (!from.import_key.empty()) {
      GYRE_TRY(const bool there, FindImported(tx, run.project, from.import_key, &run));
      if (there) return {};
    }
    if (run.kind == "program" && from.import_key.empty())
      GYRE_DO(usage::Admit(
          tx,
          {.project = run.project, .subject_kind = "run", .user = usage::UserOf(run.created_by)},
          run.created_us));
    GYRE_TRY(run.experiment_id,
             EnsureExperimentIn(tx, run.project, run.experiment, experiment_id, run.created_us));
    GYRE_DO(InsertRun(tx, run, texts));
    return WriteLineage(tx, run);
  }));
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

Result<RunPage> TrackingImpl::ListRuns(const RunQuery& query) {
  if (query.limit < 1 || query.limit > kPageSizeMax) {
    return InvalidArgument("GY3408", "a page has 1 to {} runs, not {}", kPageSizeMax, query.limit);
  }
  RunPage page;
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
  if (batch.metrics.size() > kPointsMax) {
    return InvalidArgument("GY3409", "a batch has at most {} metric points, not {}", kPointsMax,
                           batch.metrics.size());
  }
  auto tags = batch.tags;
  if (batch.slice) tags[std::string(kImportPosition)] = fmt::format("{}", batch.slice->to);
  std::vector<MetricPoint> points = batch.metrics;
  const std::int64_t now_us = clock_.NowMicros();
  for (MetricPoint& point : points) {
    GYRE_DO(CheckKey("metric", point.key));
    if (point.time_us == 0) point.time_us = now_us;
  }
  const auto latest = LatestOf(points);
  const std::string encoded = points.empty() ? std::string() : EncodePoints(points);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckRunExists(tx, run_id));
    if (batch.slice) GYRE_DO(CheckSlice(tx, run_id, *batch.slice));
    GYRE_DO(PutParams(tx, run_id, batch.params));
    GYRE_DO(PutTags(tx, run_id, tags));
    if (points.empty()) return {};
    return PutMetrics(tx, run_id, latest, encoded);
  });
}

Result<> TrackingImpl::EndRun(std::string_view run_id, const RunEnd& end) {
  RunEnd ending = end;
  if (ending.ended_us == 0) ending.ended_us = clock_.NowMicros();
  const std::string resources = TextOf(ending.resources);
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    Run run;
    GYRE_DO(ReadRun(tx, run_id, &run));
    GYRE_DO(BookUsage(tx, run, ending));
    return UpdateEnd(tx, run_id, ending, resources);
  }));
  return Compact(run_id);
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
  return database_.Write([&](db::Transaction& tx) -> Result<> {
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

// Many small batches become one, so that a history reads one row.
Result<> TrackingImpl::Compact(std::string_view run_id) {
  constexpr std::size_t kBatchesMin = 8;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> batches;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(batches, ReadBatches(reader, run_id, &numbers));
    return {};
  }));
  if (batches.size() < kBatchesMin) return {};
  std::vector<MetricPoint> points;
  for (const std::string& batch : batches) GYRE_DO(DecodePoints(batch, {}, &points));
  const std::string encoded = EncodePoints(points);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool replaced, ReplaceBatches(tx, run_id, numbers, encoded));
    return {};
  });
}

Result<> TrackingImpl::DeleteRun(std::string_view run_id) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY([[maybe_unused]] const std::string name,
             RemoveRun(tx, run_id, "gyre", clock_.NowMicros()));
    return {};
  });
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
    GYRE_DO(database_.Write([&](db::Transaction& tx) { return UpdateEnd(tx, id, end, ""); }));
  return static_cast<int>(ids.size());
}

Result<std::vector<MetricPoint>> TrackingImpl::MetricHistory(std::string_view run_id,
                                                             std::string_view key, int limit) {
  GYRE_DO(CheckKey("metric", key));
  std::vector<std::string> batches;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(CheckRunExists(reader, run_id));
    GYRE_TRY(batches, ReadBatches(reader, run_id, nullptr));
    return {};
  }));
  std::vector<MetricPoint> points;
  for (const std::string& batch : batches) GYRE_DO(DecodePoints(batch, key, &points));
  std::ranges::stable_sort(points, {},
                           [](const MetricPoint& p) { return std::pair(p.step, p.time_us); });
  const auto wanted = static_cast<std::size_t>(std::max(limit, 0));
  if (wanted == 0 || points.size() <= wanted) return points;
  std::vector<MetricPoint> thinned;
  for (std::size_t i = 0; i < wanted; ++i) {
    thinned.push_back(
        points[wanted == 1 ? points.size() - 1 : i * (points.size() - 1) / (wanted - 1)]);
  }
  return thinned;
}

Result<> TrackingImpl::AddArtifacts(std::string_view run_id,
                                    const std::vector<Artifact>& artifacts) {
  std::vector<Artifact> checked = artifacts;
  for (Artifact& artifact : checked) {
    GYRE_DO(CheckPath(artifact.path));
    if (artifact.media_type.empty()) artifact.media_type = GuessMediaType(artifact.path);
  }
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckRunExists(tx, run_id));
    for (const Artifact& artifact : checked) {
      GYRE_DO(PutArtifact(tx, run_id, artifact));
      GYRE_DO(blob::AddRef(tx, kRefOwner, run_id, artifact.object));
    }
    return {};
  });
}

Result<std::vector<Artifact>> TrackingImpl::ListArtifacts(std::string_view run_id,
                                                          std::string_view prefix) {
  std::vector<Artifact> artifacts;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(CheckRunExists(reader, run_id));
    GYRE_TRY(artifacts, ReadArtifacts(reader, run_id, prefix));
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

std::string_view RunStatusName(RunStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<RunStatus> ParseRunStatus(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
    if (name == kStatusNames[i]) return static_cast<RunStatus>(i);
  }
  return std::nullopt;
}

Json ExperimentToJson(const Experiment& experiment) {
  return Json::Obj({{"id", experiment.id},
                    {"project", experiment.project},
                    {"name", experiment.name},
                    {"created_at", FormatTime(experiment.created_us)},
                    {"runs", experiment.runs}});
}

Json RunToJson(const Run& run) {
  const auto texts = [](const std::map<std::string, std::string>& map) {
    Json json = Json::Obj();
    for (const auto& [key, value] : map) json.Set(key, value);
    return json;
  };
  const auto time = [](std::int64_t time_us) {
    return time_us == 0 ? Json() : Json(FormatTime(time_us));
  };
  Json metrics = Json::Obj();
  for (const auto& [key, metric] : run.metrics) metrics.Set(key, metric.value);
  return Json::Obj({{"id", run.id},
                    {"project", run.project},
                    {"experiment", run.experiment},
                    {"name", run.name},
                    {"kind", run.kind},
                    {"status", RunStatusName(run.status)},
                    {"job", run.job},
                    {"parent", run.parent},
                    {"created_by", run.created_by},
                    {"seed", run.seed ? Json(static_cast<std::int64_t>(*run.seed)) : Json()},
                    {"error", run.error},
                    {"created_at", time(run.created_us)},
                    {"started_at", time(run.started_us)},
                    {"ended_at", time(run.ended_us)},
                    {"params", texts(run.params)},
                    {"tags", texts(run.tags)},
                    {"metrics", std::move(metrics)},
                    {"source", run.source},
                    {"code", run.code},
                    {"inputs", run.inputs},
                    {"environment", run.environment},
                    {"resources", run.resources}});
}

Result<std::unique_ptr<Tracking>> OpenTracking(db::Database& database, const Clock& clock) {
  return std::make_unique<TrackingImpl>(database, clock);
}

}  // namespace gyre::tracking
