// All SQL of runs. Private.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/pipelines/pipelines.h"
#include "ml/pipelines/records.h"

namespace gyre::events {
class Events;
}

namespace gyre::pipelines {

// Rows with their documents as text: closures do no JSON work.
struct TaskRow {
  TaskRecord task;
  std::string value, outputs;
};
struct LinkRow {  // of lineage
  std::string id, kind, label;
  bool made = true;  // else it was read
};
struct CacheRow {
  std::string key, step, outputs, parts;
  std::int64_t keep_us = 0;  // 0 = for ever
};
// One task with all that happened to its attempts: written together or not at all.
struct TaskGroup {
  std::optional<TaskRow> task;
  std::vector<AttemptRecord> attempts;
  std::vector<LinkRow> links;
  std::vector<blob::Object> blobs;
  std::optional<CacheRow> cache;
  bool books_usage = false;
  std::string step;  // its name
};
struct RunChange {
  std::string run_id, project, pipeline, label, user;
  std::vector<TaskGroup> groups;
  std::optional<RunRecord> run;  // when it changed
  std::string outputs;           // of the run
  std::string event, event_payload;
  std::optional<RunRecord> traced;  // where somebody wants to know its spans
};

// All that one turn of the engine changes, and how far it is written.
struct WrittenTurn {
  std::vector<RunChange> changes;       // one of a run
  std::size_t written = 0;              // parts, in order
  std::map<std::string, Error> broken;  // runs of which something cannot be written, ever
};

struct StoredRun {
  RunRecord run;
  std::string plan;
  std::vector<TaskRecord> tasks;
  std::vector<AttemptRecord> running;
};

struct CacheHit {
  std::string run_id;
  Json outputs, parts;
  std::int64_t created_us = 0;
  std::vector<blob::Object> files = {};  // among the outputs
};

// Who refers to blobs: a run to what it made or took, and a kept result to its files.
constexpr std::string_view kRunOwner = "pipeline_run", kCacheOwner = "pipeline_cache";
std::string CacheOwnerId(std::string_view project, std::string_view key);

class PipelineStore {
 public:
  PipelineStore(db::Database& database, events::Events& events)
      : database_(database), events_(events) {}

  // Error: kAlreadyExists when the key has a run.
  Result<> InsertRun(const RunRecord& run, std::string_view plan, std::string_view key,
                     const runners::Estimate& expected);
  // Whether a run that has ended may go on: GY4134 when a budget that stops is spent.
  Result<> AdmitAgain(const RunView& run, std::int64_t now_us);
  Result<runners::Estimate> Expected(std::string_view project, std::string_view pipeline);
  Result<std::optional<std::string>> RunOfKey(std::string_view key);
  Result<RunView> GetRun(std::string_view id_or_prefix);
  Result<std::vector<RunView>> ListRuns(const RunQuery& query);
  Result<std::vector<std::string>> Unfinished();
  enum class Which { kRunning, kAll };
  Result<StoredRun> Load(std::string_view id, Which attempts);
  // The run, its plan, and of its tasks only what they come to by step and state.
  struct StepSum {
    int step = 0;
    State state = State::kWaiting;
    std::int64_t count = 0, started_us = 0, ended_us = 0;
    double cpu_seconds = 0;
    std::string reason;  // of one of them
  };
  struct RunSums {
    std::string plan;
    std::vector<StepSum> steps;
  };
  Result<RunSums> Sums(std::string_view id);
  Result<> SetReference(std::string_view run_id, const AttemptRecord& attempt);

  // Everything of a turn, in order; a crash in between leaves whole groups. Errors are those that
  // pass by themselves (a full disk): called again, it goes on where it stood. Any other breaks its
  // run alone.
  Result<> Write(WrittenTurn* turn, std::int64_t now_us);
  // A run whose records cannot be written ends, with all that it has begun.
  Result<> Fail(const RunChange& change, std::string_view reason, std::int64_t now_us);

  // Whether a run of the project refers to it.
  Result<bool> HasFile(std::string_view project, std::string_view digest);
  Result<std::optional<CacheHit>> FindCached(std::string_view project, std::string_view key,
                                             std::int64_t after_us);
  Result<std::optional<CacheHit>> NewestOfStep(std::string_view project, std::string_view pipeline,
                                               std::string_view step);

  // Runs that have ended and that no running run began.
  Result<std::vector<std::string>> EndedBefore(std::int64_t before_us);
  // Their rows and references, all or, after a crash, some. Lineage stays.
  Result<> Forget(const std::vector<std::string>& run_ids);
  // Kept results whose time is over and whose run is gone. Returns their number.
  Result<std::int64_t> ForgetCached(std::int64_t now_us);
  Result<bool> HasRun(std::string_view id);

 private:
  db::Database& database_;
  events::Events& events_;
};

}  // namespace gyre::pipelines
