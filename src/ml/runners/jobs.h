// Durable jobs: long work with an id, progress, log and cancel. A job's row is committed before
// anything runs; it survives the client's disconnect; after a restart, jobs that were running are
// ended honestly as `interrupted` (or queued again when the kind says it may be). A queue with
// slots for CPU and memory starts them in order; short ones pass long ones that wait. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::runners {

db::ModuleSchema RunnersSchema();

struct Job {
  std::string id{}, kind{}, project{}, title{};
  std::string state{};     // queued, running, succeeded, failed, cancelled, interrupted
  Json input{}, result{};  // result: what Commit returned
  double progress = 0;     // 0..1; negative = unknown
  std::string progress_text{};
  // When failed or interrupted.
  std::string error_kind{}, error_code{}, error_message{}, error_why{}, error_where{};
  std::vector<std::string> error_fixes{};
  std::string created_by{};
  std::string cancelled_by{};  // who asked it to stop, if anybody has
  std::int64_t created_us = 0, started_us = 0, ended_us = 0;
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
};
Json JobToJson(const Job& job);
Json JobItem(const Job& job);  // in a list: an input that is large is null
// Why a job that has ended did not succeed.
Error ErrorOf(const Job& job);

struct JobSpec {
  std::string kind{};  // must be registered
  std::string project{}, title{}, created_by{};
  Json input{};  // durable, may be shown; no secrets
  double cpu_slots = 1;
  std::int64_t memory_bytes = 0;
};

struct JobQuery {
  std::optional<std::vector<std::string>> projects{};  // only these; nothing = all
  std::string state{};                                 // only these; "" = all
  int limit = 100;
  std::string after{};  // id of a job: those before it in time, where a page goes on
};

// What the owner process sees of a running job, besides its rows.
class JobRun {
 public:
  virtual ~JobRun() = default;
  virtual const Job& job() const = 0;
  virtual const std::string& scratch_directory() const = 0;
  // Runs a task in a worker child and waits. Events of the task are handed to `on_event` on this
  // thread. Progress is scaled into [from, to].
  struct TaskOptions {
    double progress_from = 0, progress_to = 1;
    std::function<Result<>(std::string_view kind, const Json& data)> on_event{};
    std::int64_t memory_bytes_max = 0;
    std::int64_t timeout_ms = 0;
    std::string scratch_directory;    // where the task writes; empty = the job's (of RunTaskNow: a
                                      // fresh one, removed after)
    std::function<bool()> cancelled;  // for RunTaskNow: the client has gone
  };
  virtual Result<Json> RunTask(std::string_view task, const Json& input,
                               const TaskOptions& options) = 0;
  virtual void Progress(double fraction, std::string_view text) = 0;
  virtual void Log(std::string_view line) = 0;
  virtual bool cancelled() const = 0;
};

// How a kind of job works, in the owner process on a pool thread: run tasks, then commit. The
// returned JSON is the job's result.
struct JobKind {
  std::string name;  // "dataset.import"
  std::function<Result<Json>(JobRun&)> execute;
  bool requeue_after_restart = false;  // only when executing twice is harmless
  bool is_long = false;                // others need not wait for it: see JobSettings::cpu_slots
};

struct JobSettings {
  // For both classes. Long jobs leave one slot beside them, however few there are.
  double cpu_slots = 2;
  std::int64_t memory_bytes = 0;  // 0 = 3/4 of the machine
  int queue_length_max = 1000;
  std::string worker_program;                 // path of gyre; empty = ourselves
  std::string log_directory;                  // job logs, one file each
  std::int64_t request_timeout_ms = 600'000;  // of RunTaskNow, when the task names no time
};

class Jobs {
 public:
  virtual ~Jobs() = default;                // cancels what runs, waits, marks it interrupted
  virtual void Register(JobKind kind) = 0;  // before Start
  virtual Result<> Start() = 0;  // ends or requeues what a dead server left, then schedules
  virtual Result<Job> Submit(
      JobSpec spec) = 0;  // durable when it returns; kResourceExhausted GY3301 queue full
  virtual Result<Job> Get(std::string_view id) = 0;  // id or unique prefix; kNotFound GY3302
  virtual Result<std::vector<Job>> List(const JobQuery& query) = 0;  // newest first
  virtual bool busy() = 0;                                           // something waits or runs
  // No-op when it has ended. A waiting job has ended when this returns; an error says that this
  // could not be written. `by`: whose will it is ("ann", "budget night"); the first who asks is
  // kept.
  virtual Result<> Cancel(std::string_view id, std::string_view by) = 0;
  // Until it ends, the time passes, or `on_change` (called on each change seen) returns false.
  virtual Result<Job> Wait(std::string_view id, std::int64_t timeout_ms,
                           const std::function<bool(const Job&)>& on_change) = 0;
  virtual Result<std::string> ReadLog(std::string_view id, std::int64_t offset) = 0;
  // Removes the jobs of a kind that ended before then, with their logs; how many.
  virtual Result<std::int64_t> Forget(std::string_view kind, std::int64_t before_us) = 0;
  // Runs a task now, outside the queue, for a request that waits (rows, export, plan).
  // Bounded by a small slot count; beyond that a few wait, more are refused: kUnavailable GY3304.
  virtual Result<Json> RunTaskNow(std::string_view task, const Json& input,
                                  const JobRun::TaskOptions& options) = 0;
};

Result<std::unique_ptr<Jobs>> OpenJobs(db::Database& database, blob::Store& blobs,
                                       const Clock& clock, JobSettings settings);

}  // namespace gyre::runners
