#include "ml/pipelines/engine.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "ml/pipelines/plain_text.h"
#include "ml/pipelines/traces.h"
#include "platform/exec/fault_point.h"
#include "platform/exec/files.h"
#include "platform/telemetry/log.h"

namespace gyre::pipelines {
namespace {

constexpr telemetry::Logger kLog{"pipelines"};
constexpr std::int64_t kIdleUs = 10'000'000;
constexpr std::int64_t kWriteAgainUs = 1'000'000;
constexpr int kAhead = 24;  // durable intents that wait for a slot: no start waits for a commit
constexpr std::size_t kKindsAtOnce = 256;

// Of programs whose end is durable: until then the next server may have to read it again. The log
// stays.
void RemoveScratch(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) exec::RemoveContents(folder, ".gyre-");
}

std::string EventPayload(const RunRecord& run) {
  return Json::Obj({{"pipeline", run.pipeline},
                    {"version", run.version},
                    {"state", std::string(StateName(run.state))},
                    {"reason", run.reason},
                    {"triggered_by", run.triggered_by}})
      .Dump();
}

}  // namespace

Engine::Engine(PipelineStore& store, ProgramRooms programs, const Kinds& kinds, const Clock& clock,
               int parallel_max)
    : store_(store),
      programs_(std::move(programs)),
      kinds_(kinds),
      clock_(clock),
      parallel_max_(std::max(1, parallel_max)) {}

Engine::~Engine() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  if (shims_) shims_->Wake();
  loop_.reset();
  pool_.reset();
  committer_.reset();
}

Result<> Engine::Start() {
  GYRE_TRY(shims_, exec::Shims::Open(programs_.directory));
  pool_ = std::make_unique<exec::ThreadPool>(
      exec::PoolOptions{.name = "pl-steps", .threads = 4, .queue_length_max = 100'000});
  committer_ = std::make_unique<exec::ThreadPool>(
      exec::PoolOptions{.name = "pl-commit", .threads = 1, .queue_length_max = 16});
  GYRE_TRY(const std::vector<std::string> unfinished, store_.Unfinished());
  for (const std::string& run_id : unfinished) {
    if (auto loaded = Load(run_id, /*adopts=*/true); !loaded)
      kLog.Error("a run could not be taken up",
                 {{"run", run_id}, {"error", loaded.error().ToString()}});
  }
  loop_ = std::make_unique<exec::Worker>("pipelines",
                                         [this](const exec::StopFlag& stop) { Loop(stop); });
  return {};
}

// --- what others ask -----------------------------------------------------------------------------

void Engine::Post(Message message) {
  {
    const MutexLock lock(mutex_);
    messages_.push_back(std::move(message));
  }
  shims_->Wake();
}

void Engine::TakeMessages() {
  std::vector<Message> messages;
  {
    const MutexLock lock(mutex_);
    messages.swap(messages_);
  }
  for (Message& message : messages) message();
}

void Engine::InPool(Message work) {
  if (auto posted = pool_->Post(std::move(work)); !posted)
    kLog.Error("too much waits for a thread", {{"error", posted.error().ToString()}});
}

Result<> Engine::Ask(std::move_only_function<Result<>()> question) {
  const auto answer = std::make_shared<std::optional<Result<>>>();  // guarded by mutex_
  Post([this, answer, question = std::move(question)]() mutable {
    Result<> result = question();
    const MutexLock lock(mutex_);
    *answer = std::move(result);
    changed_.NotifyAll();
  });
  const MutexLock lock(mutex_);
  while (!*answer && !ending_) changed_.Wait(mutex_);
  // The loop ends without answering whatever is left; those that it waits for may be asking.
  if (!*answer) return MakeError(Code::kCancelled, "GY4726", "the server is ending");
  return std::move(**answer);
}

void Engine::Begin(const std::string& run_id) {
  {
    const MutexLock lock(mutex_);
    open_.insert(run_id);
    begun_.insert(run_id);
  }
  Post([this, run_id] {
    if (runs_.contains(run_id)) return;
    if (auto loaded = Load(run_id, /*adopts=*/false); !loaded)
      kLog.Error("a run could not be begun",
                 {{"run", run_id}, {"error", loaded.error().ToString()}});
  });
}

Result<> Engine::Cancel(const std::string& run_id, const std::string& reason) {
  return Ask([=, this]() -> Result<> {
    Live* const live = LiveOf(run_id);
    if (live == nullptr) return {};  // it has ended
    for (const Intent& intent : live->machine->Cancel(reason, clock_.NowMicros())) {
      for (const auto& [tag, flight] : flights_) {
        if (flight.run_id == run_id && flight.intent.nonce == intent.nonce) {
          const std::uint64_t stopped = tag;
          Stop(stopped);
          break;
        }
      }
    }
    live->dirty = true;
    return {};
  });
}

Result<> Engine::Retry(const std::string& run_id, const std::string& from) {
  return Ask([=, this]() -> Result<> {
    if (LiveOf(run_id) == nullptr) GYRE_DO(Load(run_id, /*adopts=*/false));
    Live& live = *LiveOf(run_id);
    auto retried = live.machine->Retry(from, clock_.NowMicros());
    live.dirty = true;
    if (!retried && live.machine->ended()) runs_.erase(run_id);
    if (!retried) return retried;
    const MutexLock lock(mutex_);
    open_.insert(run_id);
    begun_.insert(run_id);
    return {};
  });
}

Result<std::int64_t> Engine::Forget(std::vector<std::string> run_ids) {
  GYRE_DO(Ask([&, this]() -> Result<> {
    std::erase_if(run_ids, [this](const std::string& id) { return LiveOf(id) != nullptr; });
    going_.insert(run_ids.begin(), run_ids.end());
    return {};
  }));
  const Result<> forgotten = store_.Forget(run_ids);
  GYRE_DO(Ask([this]() -> Result<> {
    going_.clear();
    return {};
  }));
  GYRE_DO(forgotten);
  for (const std::string& id : run_ids)
    GYRE_DO(exec::RemoveTree(fmt::format("{}/{}", programs_.directory, id)));
  return std::ssize(run_ids);
}

bool Engine::busy() {
  const MutexLock lock(mutex_);
  return !begun_.empty();
}

bool Engine::WaitForEnd(const std::string& run_id, std::int64_t timeout_us) {
  const std::int64_t until_us = clock_.MonotonicMicros() + timeout_us;
  const MutexLock lock(mutex_);
  while (open_.contains(run_id) && !ending_) {
    const std::int64_t left_us = until_us - clock_.MonotonicMicros();
    if (left_us <= 0) return false;
    changed_.WaitMicros(mutex_, left_us);
  }
  return !open_.contains(run_id);
}

// --- the loop ------------------------------------------------------------------------------------

void Engine::Loop(const exec::StopFlag& stop) {
  const auto ending = [this] {
    const MutexLock lock(mutex_);
    return ending_;
  };
  while (!stop.stopped() && !ending()) {
    const std::int64_t wake_us = TurnAll();
    Gather();
    Commit();
    StartDue();
    const std::int64_t now_us = clock_.NowMicros();
    std::int64_t wait_us =
        wake_us == 0 ? kIdleUs : std::clamp<std::int64_t>(wake_us - now_us, 0, kIdleUs);
    if (!kind_flights_.empty()) wait_us = std::min(wait_us, UntilPollUs());
    for (const auto& [tag, end] : shims_->Wait(wait_us)) OnShimEnd(tag, end);
    TakeMessages();
    PollKinds();
  }
  // What somebody was told (that a run is cancelled) is written before this ends. A program's end
  // that is seen here stays in its folder.
  constexpr int kLooksMax = 200;
  for (int look = 0; committing_ && look < kLooksMax; ++look) {
    static_cast<void>(shims_->Wait(10'000));
    TakeMessages();
  }
  Commit();
}

Engine::Live* Engine::LiveOf(const std::string& run_id) {
  const auto found = runs_.find(run_id);
  return found == runs_.end() ? nullptr : &found->second;
}

Result<> Engine::Load(const std::string& run_id, bool adopts) {
  GYRE_TRY(StoredRun stored, store_.Load(run_id, PipelineStore::Which::kRunning));
  if (stored.run.id.empty() || going_.contains(run_id))
    return NotFound("GY4712", "there is no pipeline run `{}`", run_id).Fix("gyre pipelines runs");
  GYRE_TRY(const Json plan, Json::Parse(stored.plan, 128));
  GYRE_DO(exec::MakeDirectory(fmt::format("{}/{}", programs_.directory, run_id)));
  Live live;
  live.machine =
      std::make_unique<Machine>(SpecFromJson(plan), std::move(stored.run), std::move(stored.tasks),
                                std::move(stored.running), NewId);
  const std::vector<Intent> running = live.machine->running();
  const bool ended = live.machine->ended();
  runs_.insert_or_assign(run_id, std::move(live));
  {
    const MutexLock lock(mutex_);
    if (!ended) open_.insert(run_id);
  }
  for (const Intent& intent : running) {
    const std::uint64_t tag = AddFlight(run_id, intent);
    flights_.at(tag).waited_us =
        std::max<std::int64_t>(0, clock_.NowMicros() - runs_.at(run_id).machine->StartedUs(intent));
    if (adopts) Adopt(tag);
  }
  return {};
}

std::uint64_t Engine::AddFlight(const std::string& run_id, Intent intent) {
  const Machine& machine = *runs_.at(run_id).machine;
  const TaskRecord& task = machine.tasks()[intent.task];
  Flight flight;
  flight.run_id = run_id;
  flight.is_program = IsProgram(machine.step_of(task).kind);
  flight.intent = std::move(intent);
  if (flight.is_program) ++programs_ahead_;
  if (!flight.is_program) kind_flights_.insert(next_tag_);
  flights_.emplace(next_tag_, std::move(flight));
  return next_tag_++;
}

// An attempt whose record is there: it runs, has ended, or was never begun.
void Engine::Adopt(std::uint64_t tag) {
  Flight& flight = flights_.at(tag);
  const Machine& machine = *runs_.at(flight.run_id).machine;
  // What was to be stopped may not know it yet.
  const bool unwanted =
      machine.run().cancel_asked && !machine.step_of(machine.tasks()[flight.intent.task]).always;
  if (!flight.is_program) {
    BeginKind(tag);
    if (unwanted && flights_.contains(tag)) Stop(tag);
    return;
  }
  const exec::ShimOptions found = FoundProgram(programs_, machine, flight.intent);
  const auto adopted = shims_->Adopt(tag, found);
  if (adopted && *adopted) {
    --programs_ahead_;
    ++programs_running_;
    flight.begun = true;
    flight.gpus = GpusOf(found.folder);
  } else {
    due_.push_back(tag);
  }
  if (unwanted) Stop(tag);
}

// Returns when some machine wants to be looked at again; 0 = none.
std::int64_t Engine::TurnAll() {
  const std::int64_t now_us = clock_.NowMicros();
  std::int64_t next_us = 0;
  for (auto& [id, live] : runs_) {
    Machine& machine = *live.machine;
    const std::int64_t wake_us = machine.wake_us();
    if (wake_us != 0 && wake_us <= now_us) live.dirty = true;
    if (live.dirty) machine.Turn(now_us);
    if (const std::int64_t wake = machine.wake_us(); wake != 0 && (next_us == 0 || wake < next_us))
      next_us = wake;
  }
  return next_us;
}

// Intents for what may begin, a few programs more than there are slots.
void Engine::Gather() {
  const std::int64_t now_us = clock_.NowMicros();
  const int programs_max = parallel_max_ + kAhead;
  const Machine::MayBegin may_begin = [&](const Step& step) {
    if (IsProgram(step.kind)) {
      // What waits for a GPU takes no slot from what needs none.
      const auto gpus = static_cast<std::size_t>(step.resources.gpus);
      return programs_running_ + programs_ahead_ < programs_max &&
             (gpus == 0 || gpus > programs_.gpus.size() ||
              GpusAsked() + gpus <= programs_.gpus.size());
    }
    return kind_flights_.size() < kKindsAtOnce;
  };
  bool any = true;
  while (any) {  // one of each run in turn
    any = false;
    for (auto& [id, live] : runs_) {
      auto intent = live.machine->Next(now_us, may_begin);
      if (!intent) continue;
      live.dirty = true;
      undurable_.push_back(AddFlight(id, *std::move(intent)));
      any = true;
    }
  }
}

RunChange Engine::ChangeOf(Live& live) {
  Machine& machine = *live.machine;
  Changes changes = machine.TakeChanges();
  const RunRecord& run = machine.run();
  RunChange change;
  change.run_id = run.id;
  change.project = run.project;
  change.pipeline = run.pipeline;
  change.label = fmt::format("{} {}", run.pipeline, run.id.substr(0, 8));
  change.user = run.created_by.substr(0, run.created_by.find('>'));
  if (telemetry::SpansAreWanted() && SpanOf(run).sampled) change.traced = run;
  std::map<std::pair<int, std::int64_t>, std::size_t> place;
  for (const std::size_t index : changes.tasks) {
    const TaskRecord& task = machine.tasks()[index];
    TaskGroup group;
    if (auto found = live.extras.extract(index)) group = std::move(found.mapped());
    group.task = TaskRow{task, task.value.Dump(), task.outputs.Dump()};
    group.books_usage = IsProgram(machine.step_of(task).kind);
    group.step = machine.step_of(task).name;
    place[{task.step, task.item}] = change.groups.size();
    change.groups.push_back(std::move(group));
  }
  for (AttemptRecord& attempt : changes.attempts)
    change.groups[place.at({attempt.step, attempt.item})].attempts.push_back(std::move(attempt));
  if (changes.run) {
    change.run = run;
    change.outputs = run.outputs.Dump();
    if (machine.ended()) {
      change.event = fmt::format("pipeline.run.{}", StateName(run.state));
      change.event_payload = EventPayload(run);
    }
  }
  return change;
}

void Engine::Commit() {
  if (committing_) return;
  const auto turn = std::make_shared<WrittenTurn>();
  std::vector<std::string> ended;
  for (auto& [id, live] : runs_) {
    if (!live.dirty) continue;
    live.dirty = false;
    RunChange change = ChangeOf(live);
    if (change.run && HasEnded(change.run->state)) ended.push_back(id);
    if (!change.groups.empty() || change.run) turn->changes.push_back(std::move(change));
  }
  if (turn->changes.empty()) return;
  committing_ = true;
  auto posted =
      committer_->Post([this, turn, tags = std::exchange(undurable_, {}),
                        scratch = std::exchange(scratch_, {}), ended = std::move(ended)]() mutable {
        if (!WriteTurn(turn.get())) return;
        Post([this, turn, tags = std::move(tags), ended = std::move(ended)]() mutable {
          for (const auto& [run_id, error] : turn->broken) {
            Abandon(run_id);
            std::erase(ended, run_id);
          }
          Committed(tags, ended);
        });
        RemoveScratch(scratch);
      });
  if (!posted) kLog.Error("a turn could not be written", {{"error", posted.error().ToString()}});
}

// False: the engine ends, and nothing of the turn may have an effect.
bool Engine::WriteTurn(WrittenTurn* turn) {
  // Nothing goes on before this is durable: a full disk may be freed.
  const auto until_written = [this](const auto& write) {
    while (true) {
      const Result<> written = write();
      if (written) return true;
      kLog.Error("a turn could not be written", {{"error", written.error().ToString()}});
      const MutexLock lock(mutex_);
      if (ending_) return false;
      changed_.WaitMicros(mutex_, kWriteAgainUs);
    }
  };
  if (!until_written([&] { return store_.Write(turn, clock_.NowMicros()); })) return false;
  for (const RunChange& change : turn->changes) {
    const auto broken = turn->broken.find(change.run_id);
    if (broken == turn->broken.end()) {
      TellSpans(change);
      continue;
    }
    const std::string reason =
        PlainText(fmt::format("what it did cannot be written: {}", broken->second.message()));
    if (!until_written([&] { return store_.Fail(change, reason, clock_.NowMicros()); }))
      return false;
  }
  return true;
}

// A run that has ended in the records, whatever its machine believes.
void Engine::Abandon(const std::string& run_id) {
  for (auto at = flights_.begin(); at != flights_.end();) {
    const auto& [tag, flight] = *at;
    if (flight.run_id != run_id) {
      ++at;
      continue;
    }
    if (flight.is_program && flight.begun) shims_->Stop(tag);
    if (!flight.is_program) CancelKind(tag);
    if (flight.is_program) --(flight.begun ? programs_running_ : programs_ahead_);
    kind_flights_.erase(tag);
    at = flights_.erase(at);
  }
  runs_.erase(run_id);
  const MutexLock lock(mutex_);
  open_.erase(run_id);
  begun_.erase(run_id);
  changed_.NotifyAll();
}

void Engine::Committed(const std::vector<std::uint64_t>& tags,
                       const std::vector<std::string>& ended) {
  committing_ = false;
  if (!ended.empty()) exec::Fault("run.ended");
  for (const std::uint64_t tag : tags) {
    const auto found = flights_.find(tag);
    if (found == flights_.end()) continue;  // cancelled meanwhile
    const Flight& flight = found->second;
    const Machine& machine = *runs_.at(flight.run_id).machine;
    const Step& step = machine.step_of(machine.tasks()[flight.intent.task]);
    if (step.cache_us && flight.intent.number == 1)
      LookInCache(tag);
    else if (flight.is_program)
      due_.push_back(tag);
    else
      BeginKind(tag);
  }
  const MutexLock lock(mutex_);
  for (const std::string& id : ended) {
    const auto found = runs_.find(id);
    if (found == runs_.end() || !found->second.machine->ended()) continue;
    runs_.erase(found);
    open_.erase(id);
    begun_.erase(id);
  }
  changed_.NotifyAll();
}

}  // namespace gyre::pipelines
