// Drives all runs on one thread: starts what may start, takes what has ended, and writes each turn
// in one go, before anything of it has an effect. What was running when it began is taken up again.
// Private.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "ml/pipelines/cache.h"
#include "ml/pipelines/machine.h"
#include "ml/pipelines/pipeline_store.h"
#include "ml/pipelines/programs.h"
#include "platform/exec/thread_pool.h"

namespace gyre::pipelines {

using Kinds = std::map<std::string, std::unique_ptr<StepKind>, std::less<>>;

class Engine {
 public:
  Engine(PipelineStore& store, ProgramRooms programs, const Kinds& kinds, const Clock& clock,
         int parallel_max);
  ~Engine();  // programs go on
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Result<> Start();
  void Begin(const std::string& run_id);  // its row is durable
  Result<> Cancel(const std::string& run_id, const std::string& reason);
  Result<> Retry(const std::string& run_id, const std::string& from);
  // Those of them with which nobody goes on are removed, rows first. Returns their number; not for
  // two threads at once.
  Result<std::int64_t> Forget(std::vector<std::string> run_ids);
  bool busy();
  // True when it has ended, as far as this engine knows.
  bool WaitForEnd(const std::string& run_id, std::int64_t timeout_us);

 private:
  struct Live {
    std::unique_ptr<Machine> machine;
    std::map<std::size_t, TaskGroup> extras;  // task -> what goes with its next change
    bool dirty = true;
  };
  struct Flight {
    std::string run_id;
    Intent intent;
    bool is_program = false, begun = false, polling = false;
    bool stopped = false;  // it ends once its kind knows
    CacheKey cache;
    StepContext context;
    std::string reference, why_not_cached;
    std::int64_t begun_us = 0;   // of the clock that never goes back
    std::int64_t waited_us = 0;  // before this process took it up
    std::int64_t poll_us = 0;    // when its kind is asked next; of the same clock
    std::vector<std::string> gpus;
  };
  using Message = std::move_only_function<void()>;

  void Loop(const exec::StopFlag& stop);
  Result<> Load(const std::string& run_id, bool adopts);
  void Adopt(std::uint64_t tag);
  std::int64_t TurnAll();
  void Gather();
  std::uint64_t AddFlight(const std::string& run_id, Intent intent);
  void Commit();
  bool WriteTurn(WrittenTurn* turn);
  void Committed(const std::vector<std::uint64_t>& tags, const std::vector<std::string>& ended);
  void Abandon(const std::string& run_id);
  void StartDue();
  const Step& StepOf(const Flight& flight) const;
  std::size_t GpusAsked() const;  // by all programs that run or may begin
  // False: others have them.
  bool TakeGpus(Flight* flight) const;
  void StartProgram(std::uint64_t tag);
  void LookInCache(std::uint64_t tag);
  void BeginKind(std::uint64_t tag);
  void PollKinds();
  std::int64_t UntilPollUs() const;
  void OnShimEnd(std::uint64_t tag, const exec::ShimEnd& end);
  void OnKindEnd(std::uint64_t tag, StepEnd end);
  void End(std::uint64_t tag, Outcome outcome, TaskGroup extra);
  void Stop(std::uint64_t tag);
  void CancelKind(std::uint64_t tag);
  void Post(Message message) GYRE_EXCLUDES(mutex_);
  void TakeMessages() GYRE_EXCLUDES(mutex_);
  void InPool(Message work);
  Result<> Ask(std::move_only_function<Result<>()> question);
  Live* LiveOf(const std::string& run_id);
  RunChange ChangeOf(Live& live);
  std::function<bool(std::string_view)> VerbatimOf(const Step& step) const;

  PipelineStore& store_;
  const ProgramRooms programs_;
  const Kinds& kinds_;
  const Clock& clock_;
  const int parallel_max_;
  std::unique_ptr<exec::Shims> shims_;

  // Of the loop's thread alone.
  std::map<std::string, Live> runs_;
  std::unordered_map<std::uint64_t, Flight> flights_;
  std::deque<std::uint64_t> due_;         // durable intents of programs that wait for a slot
  std::vector<std::string> scratch_;      // folders of attempts whose end the next commit writes
  std::vector<std::uint64_t> undurable_;  // intents of the next commit
  std::set<std::uint64_t> kind_flights_;
  std::set<std::string, std::less<>> going_;  // runs that are being forgotten
  std::uint64_t next_tag_ = 1;
  int programs_running_ = 0, programs_ahead_ = 0;
  bool committing_ = false;

  Mutex mutex_;
  CondVar changed_;
  std::vector<Message> messages_ GYRE_GUARDED_BY(mutex_);
  std::set<std::string> open_ GYRE_GUARDED_BY(mutex_);   // runs that have not ended
  std::set<std::string> begun_ GYRE_GUARDED_BY(mutex_);  // of them, those that began here
  bool ending_ GYRE_GUARDED_BY(mutex_) = false;

  // Last, so that they end first: the loop, then those that answer it.
  std::unique_ptr<exec::ThreadPool> pool_, committer_;
  std::unique_ptr<exec::Worker> loop_;
};

}  // namespace gyre::pipelines
