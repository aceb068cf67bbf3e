#include "ml/runners/jobs.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <map>
#include <utility>

#include "base/id.h"
#include "base/mutex.h"
#include "ml/runners/job_span.h"
#include "ml/runners/job_store.h"
#include "ml/runners/submission.h"
#include "ml/runners/tasks_now.h"
#include "ml/runners/wire.h"
#include "ml/runners/worker_pool.h"
#include "platform/exec/fault_point.h"
#include "platform/exec/files.h"
#include "platform/exec/process.h"
#include "platform/exec/thread_pool.h"
#include "platform/telemetry/log.h"
#include "platform/telemetry/trace.h"

namespace gyre::runners {

namespace {
constexpr telemetry::Logger kLog{"runners"};
constexpr int kJobThreads = 8;
constexpr double kSlotsMin = 0.25;
constexpr double kShortSlots = 1;  // that long jobs never take
// How long a job's end waits for a database that refuses it (a full disk) before each new try.
constexpr std::int64_t kEndPausesMicros[] = {200'000, kMicrosPerSecond, 5 * kMicrosPerSecond,
                                             15 * kMicrosPerSecond};

bool HasEnded(const Job& job) { return job.state != "queued" && job.state != "running"; }

// A job of this process that has not ended. `job` and `changes` are guarded by JobsImpl::mutex_.
struct Active {
  explicit Active(QueuedJob q) : queued(std::move(q)), job(queued.job) {}
  const QueuedJob queued;
  std::atomic<bool> cancel{false};          // it shall stop, whoever says so
  std::atomic<bool> user_cancelled{false};  // somebody asked for it, so it must not run again
  Job job;
  bool end_lost = false;      // it has ended, and the database does not know
  std::int64_t io_bytes = 0;  // of its tasks
  std::int64_t changes = 1;
};

class JobsImpl final : public Jobs {
 public:
  JobsImpl(db::Database& database, blob::Store& blobs, const Clock& clock, JobSettings settings,
           PoolSettings pool)
      : store_(database),
        blobs_(blobs),
        clock_(clock),
        settings_(std::move(settings)),
        workers_(std::move(pool), clock),
        now_(workers_, clock, blobs.scratch_directory(), settings_.request_timeout_ms) {}
  ~JobsImpl() override;

  void Register(JobKind kind) override { kinds_.insert_or_assign(kind.name, std::move(kind)); }
  Result<> Start() override;
  Result<Job> Submit(JobSpec spec) override;
  Result<Job> Get(std::string_view id) override;
  Result<std::vector<Job>> List(const JobQuery& query) override;
  bool busy() override {
    const MutexLock lock(mutex_);
    return std::ranges::any_of(active_, [](const auto& one) { return !one.second->end_lost; });
  }
  Result<> Cancel(std::string_view id, std::string_view by) override;
  Result<Job> Wait(std::string_view id, std::int64_t timeout_ms,
                   const std::function<bool(const Job&)>& on_change) override;
  Result<std::string> ReadLog(std::string_view id, std::int64_t offset) override;
  Result<std::int64_t> Forget(std::string_view kind, std::int64_t before_us) override;
  Result<Json> RunTaskNow(std::string_view task, const Json& input,
                          const JobRun::TaskOptions& options) override {
    return now_.Run(task, input, options);
  }

 private:
  friend class RunOfJob;
  std::shared_ptr<Active> FindActive(std::string_view id) GYRE_EXCLUDES(mutex_);
  void Pump() GYRE_REQUIRES(mutex_);
  bool Start(const std::shared_ptr<Active>& next, bool is_long) GYRE_REQUIRES(mutex_);
  bool MayStart(const QueuedJob& want, bool is_long, bool long_waits) const GYRE_REQUIRES(mutex_);
  bool IsLong(const Active& active) const;
  void Execute(Active& active);
  Result<Json> CallKind(const JobKind& kind, Active& active);
  Result<> EndLeft(QueuedJob* queued, const Ending& ending);
  void End(Active& active, const Result<Json>& result);
  void ShowEnd(Active& active, const Ending& ending) GYRE_EXCLUDES(mutex_);
  void EndQueued(Active& active);
  Result<> CancelWaiting(Active& active);
  void WriteEnd(Active& active, Ending& ending) GYRE_EXCLUDES(mutex_);
  std::vector<Job> WithNews(std::vector<Job> jobs) GYRE_EXCLUDES(mutex_);
  std::string ScratchOf(std::string_view id) const {
    return fmt::format("{}/job-{}", blobs_.scratch_directory(), id);
  }
  std::string LogOf(std::string_view id) const {
    return fmt::format("{}/{}.log", settings_.log_directory, id);
  }
  template <class Change>
  void Alter(Active& active, Change change) GYRE_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    change(active.job);
    ++active.changes;
    changed_.NotifyAll();
  }

  JobStore store_;
  blob::Store& blobs_;
  const Clock& clock_;
  const JobSettings settings_;
  std::map<std::string, JobKind, std::less<>> kinds_;  // constant after Start
  WorkerPool workers_;
  TasksNow now_;

  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, std::shared_ptr<Active>, std::less<>> active_ GYRE_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<Active>> queue_ GYRE_GUARDED_BY(mutex_);
  double cpu_used_[2] GYRE_GUARDED_BY(mutex_) = {0, 0};  // of short jobs, of long ones
  int running_ GYRE_GUARDED_BY(mutex_) = 0;
  std::int64_t memory_used_ GYRE_GUARDED_BY(mutex_) = 0;
  bool stopping_ GYRE_GUARDED_BY(mutex_) = false;

  exec::Worker reaper_;
  std::unique_ptr<exec::ThreadPool> threads_;
};

// What execute() sees.
class RunOfJob final : public JobRun {
 public:
  RunOfJob(JobsImpl& jobs, Active& active)
      : jobs_(jobs),
        active_(active),
        spec_(active.queued.job),
        scratch_(jobs.ScratchOf(spec_.id)),
        saved_us_(jobs.clock_.MonotonicMicros()) {}
  const Job& job() const override { return spec_; }
  const std::string& scratch_directory() const override { return scratch_; }
  bool cancelled() const override { return active_.cancel.load(); }

  Result<Json> RunTask(std::string_view task, const Json& input,
                       const TaskOptions& options) override {
    TaskCall call;
    call.task = task;
    call.input = &input;
    call.scratch_directory =
        options.scratch_directory.empty() ? scratch_ : options.scratch_directory;
    call.memory_bytes_max =
        options.memory_bytes_max > 0 ? options.memory_bytes_max : active_.queued.memory_bytes;
    call.timeout_ms = options.timeout_ms;
    call.cancelled = [this] { return cancelled(); };
    call.on_progress = [&](double fraction, std::string_view text) {
      const double span = options.progress_to - options.progress_from;
      Progress(fraction < 0 ? fraction : options.progress_from + span * std::min(fraction, 1.0),
               text);
    };
    call.on_log = [this](std::string_view line) { Log(line); };
    call.on_event = options.on_event;
    TaskUsage usage;
    auto result = jobs_.workers_.Run(call, &usage);
    jobs_.Alter(active_, [&](Job& job) {
      job.cpu_seconds += usage.cpu_seconds;
      active_.io_bytes += usage.io_bytes;
      job.memory_bytes_peak = std::max(job.memory_bytes_peak, usage.memory_bytes_peak);
    });
    return result;
  }

  void Progress(double fraction, std::string_view text) override {
    constexpr std::int64_t kPauseMicros = 2 * kMicrosPerSecond;
    jobs_.Alter(active_, [&](Job& job) {
      job.progress = fraction;
      job.progress_text = text;
    });
    const std::int64_t now = jobs_.clock_.MonotonicMicros();
    if (now - saved_us_ < kPauseMicros) return;
    saved_us_ = now;
    (void)jobs_.store_.SaveProgress(spec_.id, fraction,
                                    text);  // a hint for other readers; the end is written for sure
  }

  void Log(std::string_view line) override {
    // A log that cannot be written must not fail the work.
    (void)exec::AppendFile(jobs_.LogOf(spec_.id),
                           fmt::format("{} {}\n", FormatTime(jobs_.clock_.NowMicros()), line));
  }

 private:
  JobsImpl& jobs_;
  Active& active_;
  const Job spec_;
  const std::string scratch_;
  std::int64_t saved_us_;  // a short job never writes its progress
};

JobsImpl::~JobsImpl() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    queue_.clear();  // their rows stay queued and run after the next start
    for (auto& [id, active] : active_) active->cancel.store(true);
    changed_.NotifyAll();
  }
  reaper_.RequestStop();
  threads_.reset();  // waits for what runs
}

Result<> JobsImpl::Start() {
  if (!settings_.log_directory.empty()) GYRE_DO(exec::MakeDirectories(settings_.log_directory));
  threads_ = std::make_unique<exec::ThreadPool>(
      exec::PoolOptions{.name = "jobs",
                        .threads = kJobThreads,
                        .queue_length_max = settings_.queue_length_max + kJobThreads});
  GYRE_TRY(auto left, store_.Unfinished());
  for (QueuedJob& queued : left) {
    Job& job = queued.job;
    const auto kind = kinds_.find(job.kind);
    const bool ran = job.state == "running";
    if (queued.cancel_asked) {
      GYRE_DO(EndLeft(
          &queued,
          Ending{.state = "cancelled", .ended_us = clock_.NowMicros(), .progress = job.progress}));
      continue;
    }
    if (kind != kinds_.end() && (!ran || kind->second.requeue_after_restart)) {
      if (ran) GYRE_DO(store_.MarkQueued(job.id));
      job.state = "queued";
      auto active = std::make_shared<Active>(std::move(queued));
      const MutexLock lock(mutex_);
      active_.emplace(active->job.id, active);
      queue_.push_back(std::move(active));
      continue;
    }
    const Error error =
        MakeError(Code::kUnavailable, "GY3303", "the server stopped while this job ran")
            .Why("what it had not committed is gone; what it had committed is still there")
            .Fix("start it again with the same command");
    Ending ending{.state = "interrupted",
                  .error = ErrorToJson(error),
                  .ended_us = clock_.NowMicros(),
                  .progress = job.progress};
    GYRE_DO(EndLeft(&queued, ending));
  }
  reaper_ = exec::Worker("job-reaper", [this](const exec::StopFlag& stop) {
    constexpr std::int64_t kPauseMicros = 10 * kMicrosPerSecond;
    while (!stop.WaitMicros(kPauseMicros)) workers_.EndIdle();
  });
  const MutexLock lock(mutex_);
  Pump();
  return {};
}

Result<> JobsImpl::EndLeft(QueuedJob* queued, const Ending& ending) {
  GYRE_DO(store_.MarkEnded(queued->job.id, ending));
  TakeEnding(ending, &queued->job);
  TellSpan(*queued, queued->job);
  return {};
}

Result<Job> JobsImpl::Submit(JobSpec spec) {
  const std::string key = SubmitOnce::TakeKey();
  PartOf part = SubmitOnce::TakePart();
  if (!key.empty()) {
    GYRE_TRY(auto same, store_.OfKey(key));
    if (same) return *std::move(same);
  }
  if (!kinds_.contains(spec.kind))
    return InvalidArgument("GY3314", "there is no kind of job called `{}`", spec.kind);
  QueuedJob queued;
  queued.part = std::move(part);
  queued.trace = telemetry::TraceParentOf(telemetry::ParentOfWork());
  queued.job = Job{.id = NewId(),
                   .kind = std::move(spec.kind),
                   .project = std::move(spec.project),
                   .title = std::move(spec.title),
                   .state = "queued",
                   .input = std::move(spec.input),
                   .created_by = std::move(spec.created_by),
                   .created_us = clock_.NowMicros()};
  // What asks for more than there is gets all there is, alone.
  queued.cpu_slots =
      std::clamp(spec.cpu_slots, kSlotsMin, std::max(kSlotsMin, settings_.cpu_slots));
  queued.memory_bytes = std::clamp<std::int64_t>(spec.memory_bytes, 0, settings_.memory_bytes);
  {
    const MutexLock lock(mutex_);
    if (static_cast<int>(queue_.size()) >= settings_.queue_length_max) {
      return MakeError(Code::kResourceExhausted, "GY3301", "{} jobs are waiting already",
                       queue_.size())
          .Fix("wait until some have ended (gyre jobs), or cancel some (gyre jobs cancel ID)");
    }
  }
  GYRE_DO(store_.Insert(queued, key));
  auto active = std::make_shared<Active>(std::move(queued));
  const MutexLock lock(mutex_);
  if (stopping_) return active->job;
  active_.emplace(active->job.id, active);
  queue_.push_back(active);
  Pump();
  return active->job;
}

void JobsImpl::Pump() {
  if (stopping_ || threads_ == nullptr) return;  // in this order: the end takes the threads away
  bool waits[2] = {false, false};                // a short, a long one: those after it wait too
  for (auto it = queue_.begin(); it != queue_.end();) {
    const std::shared_ptr<Active> next = *it;
    const bool is_long = IsLong(*next);
    waits[is_long] = waits[is_long] || !MayStart(next->queued, is_long, waits[true]);
    if (waits[is_long]) {
      ++it;
      continue;
    }
    if (!Start(next, is_long)) return;  // the next end calls again
    it = queue_.erase(it);
  }
}

bool JobsImpl::Start(const std::shared_ptr<Active>& next, bool is_long) {
  const double cpu = next->queued.cpu_slots;
  const std::int64_t memory = next->queued.memory_bytes;
  const auto posted = threads_->Post([this, next, cpu, memory, is_long] {
    Execute(*next);
    const MutexLock lock(mutex_);
    if (!next->end_lost) active_.erase(next->queued.job.id);
    running_ -= 1;
    cpu_used_[is_long] = running_ == 0 ? 0 : cpu_used_[is_long] - cpu;
    memory_used_ -= memory;
    Pump();
  });
  if (!posted) return false;
  running_ += 1;
  cpu_used_[is_long] += cpu;
  memory_used_ += memory;
  return true;
}

// A long job takes what long ones may have, when no more than one slot of short ones is in use; a
// short one always finds the one slot that no long one takes, and more when there is more.
bool JobsImpl::MayStart(const QueuedJob& want, bool is_long, bool long_waits) const {
  if (running_ == 0) return true;
  if (memory_used_ + want.memory_bytes > settings_.memory_bytes) return false;
  if (is_long) {
    return cpu_used_[true] + want.cpu_slots <= settings_.cpu_slots &&
           cpu_used_[false] <= kShortSlots;
  }
  if (cpu_used_[false] < kSlotsMin / 2 && want.cpu_slots <= kShortSlots) return true;
  const double left = long_waits ? kShortSlots : settings_.cpu_slots - cpu_used_[true];
  return cpu_used_[false] + want.cpu_slots <= std::max(left, kShortSlots);
}

bool JobsImpl::IsLong(const Active& active) const {
  const auto kind = kinds_.find(active.queued.job.kind);
  return kind != kinds_.end() && kind->second.is_long;
}

void JobsImpl::Execute(Active& active) {
  const std::string& id = active.queued.job.id;
  if (active.cancel.load()) return EndQueued(active);
  const telemetry::SpanContext span = SpanOf(active.queued);
  const telemetry::TraceScope scope(span);
  const std::int64_t started_us = clock_.NowMicros();
  if (const auto marked = store_.MarkRunning(id, started_us); !marked)
    return End(active, marked.error());
  Alter(active, [&](Job& job) {
    job.state = "running";
    job.started_us = started_us;
  });
  exec::Fault("job.running", active.queued.job.kind);
  const std::string scratch = ScratchOf(id);
  if (const auto made = exec::MakeDirectories(scratch); !made) return End(active, made.error());
  const Result<Json> result = CallKind(kinds_.find(active.queued.job.kind)->second, active);
  (void)exec::RemoveTree(scratch);  // what stays is removed at the next start
  End(active, result);
}

Result<Json> JobsImpl::CallKind(const JobKind& kind, Active& active) {
  RunOfJob run(*this, active);
  try {
    return kind.execute(run);
  } catch (const std::exception& e) {
    return Internal("GY3315", "the job failed: {}", e.what());
  }
}

void JobsImpl::EndQueued(Active& active) {
  if (!active.user_cancelled.load()) return;  // the server stops: it runs after the next start
  Ending ending{.state = "cancelled", .ended_us = clock_.NowMicros()};
  WriteEnd(active, ending);
  ShowEnd(active, ending);
}

// One try: who asked hears of a failure.
Result<> JobsImpl::CancelWaiting(Active& active) {
  const Ending ending{.state = "cancelled", .ended_us = clock_.NowMicros()};
  GYRE_DO(store_.MarkEnded(active.queued.job.id, ending));
  ShowEnd(active, ending);
  return {};
}

// When even the last try fails, the end is known until the next start, which ends it again.
void JobsImpl::WriteEnd(Active& active, Ending& ending) {
  const std::string& id = active.queued.job.id;
  auto written = store_.MarkEnded(id, ending);
  for (const std::int64_t pause_us : kEndPausesMicros) {
    if (written) return;
    if (written.error().code() == Code::kDataLoss) break;  // waiting does not mend a database
    kLog.Warn("the end of a job could not be written",
              {{"job", id}, {"state", ending.state}, {"error", written.error().ToString()}});
    const std::int64_t deadline_us = clock_.MonotonicMicros() + pause_us;
    {
      const MutexLock lock(mutex_);
      for (;;) {
        const std::int64_t left_us = deadline_us - clock_.MonotonicMicros();
        if (left_us <= 0 || stopping_) break;
        changed_.WaitMicros(mutex_, left_us);
      }
    }
    written = store_.MarkEnded(id, ending);
  }
  if (written) return;
  kLog.Error("the end of a job is lost",
             {{"job", id}, {"state", ending.state}, {"error", written.error().ToString()}});
  ending.state = "failed";
  ending.error = ErrorToJson(written.error());
  const MutexLock lock(mutex_);
  active.end_lost = true;
}

void JobsImpl::End(Active& active, const Result<Json>& result) {
  Ending ending;
  bool stopping = false;
  {
    const MutexLock lock(mutex_);
    stopping = stopping_;
    ending.cpu_seconds = active.job.cpu_seconds;
    ending.memory_bytes_peak = active.job.memory_bytes_peak;
    ending.io_bytes = active.io_bytes;
    ending.progress = result ? 1 : active.job.progress;
  }
  ending.ended_us = clock_.NowMicros();
  if (result) {
    ending.state = "succeeded";
    ending.result = *result;
  } else if (active.user_cancelled.load()) {
    ending.state = "cancelled";
  } else if (stopping) {
    if (kinds_.find(active.queued.job.kind)->second.requeue_after_restart) {
      (void)store_.MarkQueued(active.queued.job.id);
      return;
    }
    ending.state = "interrupted";
    ending.error = ErrorToJson(
        MakeError(Code::kUnavailable, "GY3303", "the server was stopped while this job ran")
            .Fix("start it again with the same command"));
  } else if (result.error().code() == Code::kCancelled) {
    ending.state = "cancelled";
  } else {
    ending.state = "failed";
    ending.error = ErrorToJson(result.error());
  }
  exec::Fault("job.ending", active.queued.job.kind);
  WriteEnd(active, ending);
  ShowEnd(active, ending);
}

void JobsImpl::ShowEnd(Active& active, const Ending& ending) {
  Job ended;
  Alter(active, [&](Job& job) {
    TakeEnding(ending, &job);
    ended = job;
  });
  TellSpan(active.queued, ended);
}

std::shared_ptr<Active> JobsImpl::FindActive(std::string_view id) {
  const MutexLock lock(mutex_);
  const auto it = active_.find(id);
  return it == active_.end() ? nullptr : it->second;
}

Result<Job> JobsImpl::Get(std::string_view id) {
  GYRE_TRY(Job stored, store_.Get(id));
  const auto active = FindActive(stored.id);
  if (active == nullptr) {
    if (HasEnded(stored)) return stored;
    return store_.Get(stored.id);  // it ended between the two looks
  }
  const MutexLock lock(mutex_);
  return active->job;
}

Result<std::vector<Job>> JobsImpl::List(const JobQuery& query) {
  GYRE_TRY(auto stored, store_.List(query));
  return WithNews(std::move(stored));
}

// Rows know little of what runs now.
std::vector<Job> JobsImpl::WithNews(std::vector<Job> jobs) {
  const MutexLock lock(mutex_);
  for (Job& job : jobs) {
    const auto it = active_.find(job.id);
    if (it != active_.end() && !HasEnded(job)) job = it->second->job;
  }
  return jobs;
}

Result<> JobsImpl::Cancel(std::string_view id, std::string_view by) {
  GYRE_TRY(const Job job, Get(id));
  const auto active = FindActive(job.id);
  if (active == nullptr) return {};
  // What the database refuses must not keep a job running: it is stopped all the same.
  const auto asked = store_.AskToCancel(job.id, by);
  if (!active->user_cancelled.exchange(true))
    Alter(*active, [&](Job& stopped) { stopped.cancelled_by = by; });
  active->cancel.store(true);
  bool waited = false;
  {
    const MutexLock lock(mutex_);
    waited = std::erase(queue_, active) > 0;
  }
  if (!waited) return asked ? Result<>() : StopNotWritten(asked.error());
  const auto ended = CancelWaiting(*active);
  const MutexLock lock(mutex_);
  if (ended) {
    active_.erase(job.id);
    return {};
  }
  queue_.push_front(active);  // it still ends, without running, when its turn comes
  Pump();
  return ended;
}

Result<Job> JobsImpl::Wait(std::string_view id, std::int64_t timeout_ms,
                           const std::function<bool(const Job&)>& on_change) {
  GYRE_TRY(Job job, Get(id));
  const auto active = FindActive(job.id);
  if (active == nullptr) {
    GYRE_TRY(job, store_.Get(job.id));
    if (on_change) on_change(job);
    return job;
  }
  const std::int64_t deadline_us =
      timeout_ms < 0 ? INT64_MAX : clock_.MonotonicMicros() + timeout_ms * 1000;
  for (std::int64_t seen = 0;;) {
    {
      const MutexLock lock(mutex_);
      for (;;) {
        const std::int64_t left_us = deadline_us - clock_.MonotonicMicros();
        if (active->changes != seen || left_us <= 0 || stopping_) break;
        changed_.WaitMicros(mutex_, std::min<std::int64_t>(left_us, kMicrosPerSecond));
      }
      if (active->changes == seen) return active->job;  // the time has passed
      seen = active->changes;
      job = active->job;
    }
    if (on_change && !on_change(job)) return job;
    if (HasEnded(job)) return job;
  }
}

Result<std::string> JobsImpl::ReadLog(std::string_view id, std::int64_t offset) {
  constexpr std::int64_t kPartBytesMax = std::int64_t{1} << 20;
  GYRE_TRY(const Job job, Get(id));
  const std::string path = LogOf(job.id);
  if (!exec::FileExists(path)) return std::string();
  return exec::ReadFilePart(path, std::max<std::int64_t>(offset, 0), kPartBytesMax);
}

Result<std::int64_t> JobsImpl::Forget(std::string_view kind, std::int64_t before_us) {
  GYRE_TRY(const std::vector<std::string> ids, store_.Forget(kind, before_us));
  for (const std::string& id : ids) {
    // A job that never ran has no log; one that stays behind does no harm.
    static_cast<void>(exec::RemoveTree(LogOf(id)));
  }
  return std::ssize(ids);
}

}  // namespace

Result<std::unique_ptr<Jobs>> OpenJobs(db::Database& database, blob::Store& blobs,
                                       const Clock& clock, JobSettings settings) {
  if (settings.memory_bytes <= 0) {
    settings.memory_bytes =
        static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE) / 4 * 3;
  }
  if (settings.worker_program.empty()) settings.worker_program = exec::SelfPath();
  if (settings.log_directory.empty()) settings.log_directory = blobs.scratch_directory() + "/logs";
  PoolSettings pool;
  pool.program = settings.worker_program;
  return std::make_unique<JobsImpl>(database, blobs, clock, std::move(settings), std::move(pool));
}

}  // namespace gyre::runners
