// Pipelines: typed graphs of steps, kept as versions, and their runs. A run is durable from the
// moment that Run returns: its steps outlive this process, are taken up again by the next, and what
// has ended is not repeated. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/pipelines/step_kind.h"
#include "ml/runners/estimate.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::events {
class Events;
}

namespace gyre::pipelines {

db::ModuleSchema PipelinesSchema();

struct PipelineVersion {
  std::string project{}, name{};
  std::int64_t version = 0;  // from 1
  std::string noun{};        // pipeline or component
  std::string digest{};      // of the source and of what that refers to
  std::string source{};      // YAML, as it was added
  std::string description{}, created_by{};
  std::int64_t steps = 0, created_us = 0;
  std::string reference() const;  // "nightly:v3"
};
Json VersionToJson(const PipelineVersion& version);

// How automation, the API and schedules start a run.
struct RunRequest {
  std::string project{};
  std::string pipeline{};  // "nightly" (the newest) or "nightly:v3"; or empty, and:
  std::string source{};    // YAML that is run without being added
  std::string source_name{};
  Json params{};                           // an object, by name
  std::vector<std::string> param_texts{};  // "name=value", read by the parameter's type
  std::string triggered_by = "hand";       // "schedule nightly", "trigger churn-drift: alert 3f2a"
  // Two requests with one key are one run; empty = each is its own.
  std::string key{};
  std::string created_by{};
  bool no_cache = false;  // nothing is taken from the cache; what is made goes there
  // Asked with the permissions of exactly what will run, before it does; empty = whoever asks may.
  std::function<Result<>(const std::vector<std::string>& permissions)> admit{};
};

struct RunView {
  std::string id{}, project{}, pipeline{}, state{}, reason{}, triggered_by{}, created_by{};
  std::string error{};  // code of the error that its first failed step ended with, if any
  std::int64_t version = 0, created_us = 0, ended_us = 0;
  double cpu_seconds = 0;
  int retries = 0;
  bool cancel_asked = false;
  Json params{}, outputs{};
  std::string name() const;  // "nightly:v3 3f2a1b0c"
};
Json RunToJson(const RunView& run);

struct RunQuery {
  std::optional<std::vector<std::string>> projects{};  // only these; nothing = all
  std::string pipeline{}, state{};
  int limit = 100;
  std::string after{};  // id of a run: those before it in time
};

// The items of a loop side by side.
struct Comparison {
  std::string step{};
  std::string by{};  // an output, "seconds" or "cpu_seconds"; empty = as the list has them
  bool ascending = false;
  int limit = 1000;
};

struct LogPart {
  std::string text;
  std::int64_t next_offset = 0;
  bool ended = false;  // nothing more will come
};

// The value of "secret:NAME" of a project.
using FindSecret =
    std::function<Result<std::string>(std::string_view project, std::string_view reference)>;
FindSecret NoSecrets();

struct PipelinesSettings {
  std::string directory;                           // of attempts: logs, status, scratch
  int parallel_max = 4;                            // programs at once
  std::int64_t log_bytes_max = 64 << 20;           // of what a program prints; its middle goes
  std::map<std::string, std::string> environment;  // what programs are given besides their own
  FindSecret find_secret = NoSecrets();            // for the environment of steps
  std::int64_t gpus = -1;                          // that steps may ask for; -1 = all there are
};

struct PipelinesRooms {
  db::Database& database;
  blob::Store& blobs;
  events::Events& events;
  const Clock& clock;
};

class Pipelines {
 public:
  virtual ~Pipelines() = default;  // programs go on; the next owner of the data takes them up
  virtual void AddKind(std::unique_ptr<StepKind> kind) = 0;  // before Start
  virtual Result<> Start() = 0;

  // What it uses and runs is fixed to versions now: it means one graph for ever. The same bytes
  // with the same parts are the same version; a number is never given again. Errors: those of
  // ParseSpec.
  virtual Result<PipelineVersion> Add(std::string_view project, std::string_view source,
                                      std::string_view source_name, std::string_view by) = 0;
  // "nightly", "nightly:v3". kNotFound GY4711.
  virtual Result<PipelineVersion> Resolve(std::string_view project, std::string_view reference) = 0;
  virtual Result<std::vector<PipelineVersion>> List(std::string_view project,
                                                    std::string_view after_name, int limit) = 0;
  virtual Result<std::vector<PipelineVersion>> Versions(std::string_view project,
                                                        std::string_view name) = 0;
  // All versions, or one. Its runs stay. Error: GY4715 when it is part of another.
  virtual Result<> Remove(std::string_view project, std::string_view reference) = 0;
  // The checked graph of a version or a file, as a document.
  virtual Result<Json> Graph(std::string_view project, std::string_view reference) = 0;
  virtual Result<Json> Check(std::string_view project, std::string_view source,
                             std::string_view source_name) = 0;
  // What a run of it needs to be allowed, besides running pipelines.
  virtual Result<std::vector<std::string>> PermissionsOf(const RunRequest& request) = 0;
  virtual Result<std::vector<std::string>> PermissionsOfRun(std::string_view id) = 0;
  // Whether a run would take these parameters. Errors: GY4711, GY4705 names the one.
  virtual Result<> CheckParams(const RunRequest& request) = 0;

  // What a run of a pipeline of that name will use, with all of its parts: the median of its newest
  // runs that succeeded.
  virtual Result<runners::Estimate> Expected(std::string_view project, std::string_view name) = 0;

  virtual Result<RunView> Run(RunRequest request) = 0;
  virtual Result<RunView> Get(std::string_view id) = 0;  // or unique prefix; kNotFound GY4712
  virtual Result<std::vector<RunView>> ListRuns(const RunQuery& query) = 0;
  // Every step, and up to `limit` tasks: state, reason, attempts, times, CPU.
  virtual Result<Json> Describe(std::string_view id, int limit) = 0;
  // Of each item its value, state, times and outputs; which outputs are worth a column, and which
  // are the same for all. kNotFound GY4713, GY4727 no such output.
  virtual Result<Json> Compare(std::string_view id, const Comparison& wanted) = 0;
  virtual Result<> Cancel(std::string_view id, std::string_view reason) = 0;
  // The same run goes on: from a step, or (empty) from what did not succeed. GY4721.
  virtual Result<RunView> Retry(std::string_view id, std::string_view from) = 0;
  // What a task's attempt has printed, from an offset. `step`: "train" or "train[3]"; attempt 0 =
  // the last. kNotFound GY4713.
  virtual Result<LogPart> ReadLog(std::string_view id, std::string_view step, int attempt,
                                  std::int64_t offset, std::int64_t bytes_max) = 0;
  // Whether a step of a run of the project made the file, or a run of it was given that by a step.
  virtual Result<bool> HasFile(std::string_view project, std::string_view digest) = 0;
  // Until it ends or the time passes.
  virtual Result<RunView> Wait(std::string_view id, std::int64_t timeout_ms) = 0;
  struct Forgotten {
    std::int64_t runs = 0, results = 0, folders = 0;
  };
  // Runs that ended before that time, their tasks, files and logs; lineage stays. Also what a cache
  // no longer serves and no run holds, and folders that a crash left behind a day ago.
  virtual Result<Forgotten> Forget(std::int64_t ended_before_us) = 0;
  // Some run that was begun here goes on; those taken up at the start can be left again.
  virtual bool busy() = 0;
};

Result<std::unique_ptr<Pipelines>> OpenPipelines(const PipelinesRooms& rooms,
                                                 PipelinesSettings settings);

}  // namespace gyre::pipelines
