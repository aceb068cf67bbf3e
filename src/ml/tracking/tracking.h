// Experiments and runs: what was tried, with which parameters, from which code and data, what came
// out.
//
// Metric points never become rows of their own: a batch is one columnar blob in the transaction of
// its run, with the latest value of each key beside it. A write that returns is durable. Everything
// is addressed by ids; a unique prefix of a run's id will do. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/logged_models.h"
#include "ml/tracking/series.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::tracking {

db::ModuleSchema TrackingSchema();

enum class RunStatus : unsigned char { kScheduled, kRunning, kFinished, kFailed, kKilled };
std::string_view RunStatusName(
    RunStatus status);  // "scheduled", "running", "finished", "failed", "killed"
std::optional<RunStatus> ParseRunStatus(std::string_view name);

// The last point of a key: the highest step, then the latest time, then the largest value.
struct LatestMetric {
  double value = 0;  // may be NaN or infinite
  std::int64_t step = 0, time_us = 0;
  std::int64_t points = 0;
  double least = 0, most = 0;  // of all its points that are numbers; NaN = none is
};

// A time that the server says: when it takes the point.
inline constexpr std::int64_t kNow = INT64_MIN;

struct MetricPoint {
  std::string key;
  double value = 0;
  std::int64_t step = 0, time_us = kNow;
};

// Of a run that a client elsewhere works on: it goes on while the server is away.
inline constexpr std::string_view kClientKind = "client";
// Made elsewhere: it is in the state that it had there, also while it runs on there.
inline constexpr std::string_view kImportedKind = "imported";

struct NewRun {
  // The experiment is made when there is none of that name; `experiment_number` names one that is
  // there: GY3422, and GY3423 when it is deleted.
  std::string project = {}, experiment{kDefaultExperiment};
  std::optional<std::int64_t> experiment_number = {};
  std::string name = {};     // empty = made up from the kind and the id
  std::string kind = "run";  // "candidate", "program", kImportedKind, kClientKind, "run"
  std::string job = {};      // id of the job that does the work
  std::string parent = {};   // id of the run that this one belongs to
  std::string created_by = {};
  std::string user_name = {};  // who the client says it is
  std::optional<std::uint64_t> seed = {};
  Json source = {};       // {"command": [...], "working_directory": ...} or {"learner": ...}
  Json code = {};         // {"commit", "branch", "dirty", "remote"}
  Json inputs = {};       // [{"kind": "dataset_version", "id", "name", "digest", "latest"}]
  Json environment = {};  // versions, variables without secrets
  std::map<std::string, std::string> params = {}, tags = {};
  RunStatus status = RunStatus::kRunning;
  std::int64_t started_us = 0;  // 0 = now
  // Of a run that was made elsewhere: there is one of each key in a project, and asking for it
  // again answers that one. Kept as the tag kImportKey.
  std::string import_key = {};
  std::int64_t created_us = 0;     // 0 = now
  std::string id = {};             // of an import: kept; GY3425 when it is taken. Empty = a new one
  std::string artifact_root = {};  // empty = ours
};

struct Run {
  std::int64_t number = 0, experiment_number = 0;
  std::string id, project, experiment, name, kind, job, parent, created_by, user_name;
  RunStatus status = RunStatus::kRunning;
  std::optional<std::uint64_t> seed;
  std::string error;  // one line, when it failed
  std::int64_t created_us = 0, started_us = 0, ended_us = 0;
  Json source, code, inputs, environment,
      resources;  // resources: {"cpu_seconds", "memory_bytes_peak", "wall_seconds", "exit_code"}
  std::map<std::string, std::string> params, tags;
  std::map<std::string, LatestMetric> metrics;
  std::int64_t deleted_us = 0;  // 0 = active
  std::string artifact_root;    // "mlflow-artifacts:/5/<id>/artifacts", or as it was given
};
Json RunToJson(const Run& run);

// What changes; nothing that is empty. Of a deleted run: kFailedPrecondition GY3426.
struct RunChange {
  std::string project = {};  // when it is said, a run of another project is not found: GY3401
  // Asked for by the run's own program, which is told that its run has ended while it goes on: how
  // a program of `gyre run` ended is known by who waits for it, so its state stays.
  bool by_program = false;
  std::optional<RunStatus> status = {};
  std::optional<std::int64_t> ended_us = {};
  std::optional<std::string> name = {};
  std::map<std::string, std::string> tags = {};
  std::vector<std::string> removed_tags = {};  // one that is not there is passed over
};

struct RunEnd {
  RunStatus status = RunStatus::kFinished;
  std::string error;
  Json resources;
  std::int64_t ended_us = 0;  // 0 = now
};

inline constexpr std::string_view kImportKey = "import.key";
// How many points of its source a run holds; written with them.
inline constexpr std::string_view kImportPosition = "import.position";

// Points of a source, by their places in it.
struct ImportSlice {
  std::int64_t from = 0, to = 0;
};

struct Batch {
  // A param cannot change: kFailedPrecondition GY3404.
  std::map<std::string, std::string> params = {};
  std::map<std::string, std::string> tags = {};
  std::vector<MetricPoint> metrics = {};
  std::string project = {};  // when it is said, a run of another project is not found: GY3401
  std::optional<std::string> name = {};  // a new one of the run
  ModelPoints of_models = {};            // points that are of logged models, too
  // The run must hold the points before it and no others: kAborted GY3418 when it does not, so
  // that a slice is taken once, whoever sends it how often.
  std::optional<ImportSlice> slice = {};
};

// A param that has another value already.
struct ParamConflict {
  std::string key, before, value;
};

struct Artifact {
  std::string path;  // "model/package.json": relative, '/', no "..": kInvalidArgument GY3405
  blob::Object object;
  std::string media_type;  // guessed from the path when empty
};

// What a run read: a dataset version.
struct RunInput {
  std::string kind, id, name, digest;
  bool latest = false;  // it was asked for without a version: a rerun gets this one again
};

// A data set as a client describes it; one of each name and digest in an experiment.
struct DatasetInput {
  std::string name, digest, source_type, source, schema, profile, context;
  std::map<std::string, std::string> tags = {};
};

// What a run made for others: "model_version", "dataset_version", "logged_model".
struct Output {
  std::string kind, id, name;
};

struct RunDetails {
  Run run;
  std::vector<DatasetInput> datasets;
  std::vector<Output> outputs;
};

struct RunQuery {
  std::string project = {};
  std::string experiment = {};                   // name; empty = all
  std::string kind = {}, job = {}, parent = {};  // empty = all
  std::optional<RunStatus> status = {};
  std::map<std::string, std::string> tags = {};  // all must match
  std::string order_by_metric = {};              // empty = newest first
  bool ascending = false;  // for order_by_metric; runs without the metric come last
  int limit = 100;
  std::string page_token = {};
};
struct RunPage {
  std::vector<Run> runs;
  std::string next_page_token;  // empty at the end
};

class Tracking {
 public:
  virtual ~Tracking() = default;

  // What ends in "Later" does not wait: `then` is told once, by the thread that writes when it is
  // durable or failed, else by this one. It must be quick and may ask nothing here.
  using ThenRun = std::move_only_function<void(Result<Run>)>;
  virtual Result<Run> CreateRun(NewRun run) = 0;
  virtual void CreateRunLater(NewRun run, ThenRun then) = 0;
  // `reference`: id, unique prefix of an id, name, or "-" for the newest. kNotFound GY3401,
  // kInvalidArgument GY3402 (ambiguous).
  virtual Result<Run> GetRun(std::string_view project, std::string_view reference) = 0;
  // By its whole id, in whatever project: the caller compares `project`. kNotFound GY3401.
  virtual Result<Run> GetRunById(std::string_view run_id) = 0;
  // Of one moment, in that order; those that are gone by now are left out.
  virtual Result<std::vector<RunDetails>> GetRuns(std::span<const std::string> run_ids) = 0;
  virtual Result<std::string> ProjectOf(std::string_view run_id) = 0;  // GY3401
  virtual Result<RunPage> ListRuns(const RunQuery& query) = 0;
  virtual Result<> ChangeRun(std::string_view run_id, const RunChange& change) = 0;
  // The run is told without its params, tags and metrics.
  virtual void ChangeRunLater(std::string_view run_id, RunChange change, ThenRun then) = 0;
  // Both may be asked again.
  virtual Result<> HideRun(std::string_view run_id) = 0;
  virtual Result<> UnhideRun(std::string_view run_id) = 0;
  virtual Result<> DeleteTag(std::string_view run_id, std::string_view key) = 0;  // GY3427
  // A tag made of what it was (empty = it was not there), in one transaction: of two who extend it
  // at once both are in it.
  using TagChange = std::function<Result<std::string>(std::string_view before)>;
  virtual Result<> RewriteTag(std::string_view run_id, const std::string& key,
                              const TagChange& change) = 0;
  virtual Result<> LogBatch(std::string_view run_id, Batch batch) = 0;
  // With GY3404 all params that have other values.
  using ThenLogged = std::move_only_function<void(Result<>, const std::vector<ParamConflict>&)>;
  virtual void LogBatchLater(std::string_view run_id, Batch batch, ThenLogged then) = 0;
  // Ending twice overwrites. What a program used is booked to it at its first end.
  virtual Result<> LogInputs(std::string_view run_id,
                             const std::vector<DatasetInput>& datasets) = 0;
  virtual Result<std::vector<DatasetInput>> ListInputs(std::string_view run_id) = 0;
  virtual Result<> EndRun(std::string_view run_id, const RunEnd& end) = 0;
  // Into the trash, with its metrics, artifacts and references to blobs; its name there.
  virtual Result<std::string> DeleteRun(std::string_view run_id, std::string_view by) = 0;
  // Runs that were running when their server died, but for those in `alive`: a program goes on
  // without a server. Answers how many were ended.
  virtual Result<int> EndOrphans(std::string_view why, std::span<const std::string> alive) = 0;

  // All points of a key in the order of (step, time); at most `limit`, thinned evenly when there
  // are more (0 = all).
  virtual Result<std::vector<MetricPoint>> MetricHistory(std::string_view run_id,
                                                         std::string_view key, int limit) = 0;
  // All points of a key, each once; empty when there are none.
  virtual Result<Series> ReadSeries(std::string_view run_id, std::string_view key,
                                    SeriesOrder order) = 0;
  // Puts the latest values of what those experiments of the project logged (of all when none is
  // named) where searches find them; RunSearcher asks for it. What is logged meanwhile is left.
  virtual Result<> SettleMetrics(std::string_view project,
                                 std::span<const std::int64_t> experiments) = 0;

  virtual Result<> AddArtifacts(
      std::string_view run_id,
      const std::vector<Artifact>& artifacts) = 0;  // replaces those of the same path
  virtual Result<std::vector<Artifact>> ListArtifacts(std::string_view run_id,
                                                      std::string_view prefix) = 0;
  virtual Result<Artifact> GetArtifact(std::string_view run_id,
                                       std::string_view path) = 0;  // kNotFound GY3403
  // Once per id, with an edge of lineage.
  virtual Result<> AddInput(std::string_view run_id, const RunInput& input) = 0;
  virtual Result<> AddOutput(std::string_view run_id, const Output& output) = 0;
  virtual Result<std::vector<Output>> ListOutputs(std::string_view run_id) = 0;
};

Result<std::unique_ptr<Tracking>> OpenTracking(db::Database& database, const Clock& clock,
                                               RunStamps& stamps);

}  // namespace gyre::tracking
