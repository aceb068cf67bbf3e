// One run as a state machine: from what is durable and what has ended it decides what comes next.
// No clock, no files, no database, no threads; the engine around it makes its changes durable
// before it acts on them. Private.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ml/pipelines/expression.h"
#include "ml/pipelines/records.h"
#include "ml/pipelines/spec.h"

namespace gyre::pipelines {

struct Outcome {
  enum class Kind { kSucceeded, kFailed, kRefused, kCancelled, kLost };  // refused: not tried again
  Kind kind = Kind::kSucceeded;
  std::string reason{};
  std::string error{};  // code of the error, where one is the reason: "GY4617"
  Json outputs{};
  int exit_code = 0;
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
  std::string cache_key{}, cached_from{};
};

// What is to be written in one transaction. Indexes are of the machine's tasks and attempts.
struct Changes {
  bool run = false;
  std::vector<std::size_t> tasks;
  std::vector<AttemptRecord> attempts;
  bool empty() const { return !run && tasks.empty() && attempts.empty(); }
};

// An attempt that may begin once its record is durable.
struct Intent {
  std::size_t task = 0;
  int number = 1;
  std::string nonce;
};

class Machine {
 public:
  using MakeNonce = std::function<std::string()>;
  // From what is durable; attempts are those that were running.
  Machine(Spec plan, RunRecord run, std::vector<TaskRecord> tasks,
          std::vector<AttemptRecord> running, MakeNonce make_nonce);

  // Decides whatever can be decided without a new attempt. Call after each change.
  void Turn(std::int64_t now_us);
  // The next attempt of a step that may begin one, within the caps of step and run; nothing when
  // none is due.
  using MayBegin = std::function<bool(const Step&)>;
  std::optional<Intent> Next(std::int64_t now_us, const MayBegin& may_begin);
  // False: not an attempt that runs (it was fenced off), nothing was taken.
  bool End(std::size_t task, std::string_view nonce, Outcome outcome, std::int64_t now_us);
  // Attempts that must be stopped now.
  std::vector<Intent> Cancel(std::string_view reason, std::int64_t now_us);
  // An ended run goes on: from a step (and all after it), or from what did not succeed. Error:
  // GY4721 nothing to do.
  Result<> Retry(std::string_view from, std::int64_t now_us);

  Changes TakeChanges();
  // When Next may have something again though nothing ends; 0 = never.
  std::int64_t wake_us() const { return pauses_.empty() ? 0 : pauses_.begin()->first; }

  const Spec& plan() const { return plan_; }
  const RunRecord& run() const { return run_; }
  const std::vector<TaskRecord>& tasks() const { return tasks_; }
  const Step& step_of(const TaskRecord& task) const {
    return plan_.steps[static_cast<std::size_t>(task.step)];
  }
  std::vector<Intent> running() const;
  std::int64_t StartedUs(const Intent& intent) const { return running_.at(intent.task).started_us; }
  bool ended() const { return HasEnded(run_.state); }
  // `with` and `inputs` of a task, references filled; `verbatim` keys stay as they are.
  struct Filled {
    Json with, inputs;
  };
  Result<Filled> Fill(std::size_t task, const std::function<bool(std::string_view)>& verbatim,
                      const std::function<std::string(std::string_view)>& output_path) const;

 private:
  struct StepFacts {
    std::vector<std::size_t> tasks, users;  // users: steps that need this one
    std::size_t needs_left = 0;
    std::size_t ended = 0, failed = 0, succeeded = 0, cancelled = 0;
    int running = 0;
    bool expanded = false, over = false;
    State state = State::kWaiting;
    std::deque<std::size_t> ready;
  };

  void Rebuild(const std::vector<AttemptRecord>& running);
  void Expand(std::size_t step, std::int64_t now_us);
  bool ExpandLoop(std::size_t step, std::int64_t now_us);
  std::size_t TaskOf(std::size_t step, std::int64_t item);
  std::string BrokenNeed(const Step& step) const;
  void Decide(std::size_t task, std::int64_t now_us);
  void Close(std::size_t task, State state, std::string reason, std::int64_t now_us);
  void StepOver(std::size_t step);
  void CheckStep(std::size_t step);
  void EndRun(std::int64_t now_us);
  void WakePaused(std::int64_t now_us);
  void Pause(std::size_t task, std::int64_t ready_us, std::int64_t now_us);
  std::set<std::size_t> UsersOf(const std::set<std::size_t>& steps) const;
  void ResetTask(std::size_t task);
  std::optional<Json> LookUp(std::string_view path, const TaskRecord* task) const;
  std::optional<Json> OutputsOf(std::string_view step, std::string_view output) const;
  // Of a step that was skipped: what its outputs would have been is not known, and no fault.
  bool IsOfSkipped(std::string_view path) const;
  State WorstState() const;
  const TaskRecord* FirstIn(State state) const;
  void Touch(std::size_t task);

  const Spec plan_;
  RunRecord run_;
  std::vector<TaskRecord> tasks_;
  MakeNonce make_nonce_;
  std::vector<StepFacts> steps_;
  std::map<std::string_view, std::size_t> step_index_;
  std::map<std::size_t, AttemptRecord> running_;           // task -> its attempt
  std::set<std::pair<std::int64_t, std::size_t>> pauses_;  // ready_us, task
  std::deque<std::size_t> to_expand_;
  std::int64_t woke_us_ = 0;
  std::size_t over_ = 0;
  std::set<std::size_t> ready_steps_;
  Changes changes_;
  std::set<std::size_t> touched_;
};

}  // namespace gyre::pipelines
