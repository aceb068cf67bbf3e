#include "ml/runners/worker_pool.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "ml/runners/channel.h"
#include "ml/runners/wire.h"
#include "platform/exec/process.h"

namespace gyre::runners {

namespace {

// What a worker may know of our environment. A list of what stays, because nobody can list every
// name under which a secret may stand.
constexpr std::array kKept = {"PATH",
                              "HOME",
                              "LANG",
                              "LC_ALL",
                              "TZ",
                              "TMPDIR",
                              "LD_LIBRARY_PATH",
                              "GYRE_LIB_DIR",
                              "GYRE_TEST_TIER",
                              "ASAN_OPTIONS",
                              "TSAN_OPTIONS",
                              "UBSAN_OPTIONS",
                              "LSAN_OPTIONS",
                              "OMP_NUM_THREADS"};

std::vector<std::string> NamesToRemove() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::find(kKept, name) == kKept.end()) names.emplace_back(name);
  }
  return names;
}

}  // namespace

struct WorkerPool::Child {
  explicit Child(exec::Process p) : process(std::move(p)) {}
  exec::Process process;
  exec::Descriptor requests, answers, output;
  LineReader answer_lines{kMessageBytesMax};
  LineReader output_lines{std::size_t{1} << 20};
  bool output_open = true;
  std::int64_t idle_since_us = 0;
  std::int64_t resident_bytes = 0;
};

WorkerPool::WorkerPool(PoolSettings settings, const Clock& clock)
    : settings_(std::move(settings)), clock_(clock) {
  signal(SIGPIPE, SIG_IGN);  // a dead worker is an error to return, not a reason to die
}
WorkerPool::~WorkerPool() = default;

Result<std::unique_ptr<WorkerPool::Child>> WorkerPool::Start() const {
  GYRE_TRY(Pipe requests, MakePipe());
  GYRE_TRY(Pipe answers, MakePipe());
  GYRE_TRY(Pipe output, MakePipe());
  exec::SpawnOptions options;
  options.argv = {settings_.program, "worker"};
  options.environment = {{"OMP_WAIT_POLICY", "passive"}, {"ORT_DISABLE_TELEMETRY", "1"}};
  options.environment_removed = NamesToRemove();
  options.descriptors = {{requests.read_end.get(), 0},
                         {output.write_end.get(), 1},
                         {output.write_end.get(), 2},
                         {answers.write_end.get(), 3}};
  GYRE_TRY(exec::Process process, exec::Process::Spawn(std::move(options)));
  auto child = std::make_unique<Child>(std::move(process));
  child->requests = std::move(requests.write_end);
  child->answers = std::move(answers.read_end);
  child->output = std::move(output.read_end);
  return child;
}

Result<std::unique_ptr<WorkerPool::Child>> WorkerPool::Take() {
  {
    const MutexLock lock(mutex_);
    while (!idle_.empty()) {
      std::unique_ptr<Child> child = std::move(idle_.back());
      idle_.pop_back();
      const auto ended = child->process.Wait(0);
      if (ended && !ended->has_value()) return child;
    }
  }
  return Start();
}

void WorkerPool::GiveBack(std::unique_ptr<Child> child) {
  if (child->resident_bytes > settings_.resident_bytes_max) return;
  child->idle_since_us = clock_.MonotonicMicros();
  std::unique_ptr<Child> oldest;  // ended outside the lock
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(child));
  if (static_cast<int>(idle_.size()) > settings_.idle_max) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

void WorkerPool::EndIdle() {
  std::vector<std::unique_ptr<Child>> ended;
  const std::int64_t now = clock_.MonotonicMicros();
  const MutexLock lock(mutex_);
  std::erase_if(idle_, [&](std::unique_ptr<Child>& child) {
    if (now - child->idle_since_us < settings_.idle_us) return false;
    ended.push_back(std::move(child));
    return true;
  });
}

namespace {

Error DeathOf(std::string_view task, const exec::ExitStatus& status) {
  Error error =
      status.signal != 0
          ? MakeError(Code::kUnavailable, "GY3305",
                      "the worker that ran `{}` was killed by signal {}", task, status.signal)
          : MakeError(Code::kUnavailable, "GY3305",
                      "the worker that ran `{}` ended by itself with status {}", task, status.code);
  if (status.signal == SIGKILL)
    return std::move(error).Why(
        "the kernel does this when memory runs out; somebody may have done it by hand");
  return error;
}

// One task's talk with its worker.
class Conversation {
 public:
  Conversation(WorkerPool::Child& child, const TaskCall& call, const PoolSettings& settings,
               const Clock& clock, TaskUsage* usage)
      : child_(child),
        call_(call),
        settings_(settings),
        clock_(clock),
        usage_(usage),
        start_us_(clock.MonotonicMicros()) {}

  // The last message of the task.
  Result<Json> Run() {
    constexpr int kPollMs = 100;
    for (;;) {
      const int ready = WaitReadable(child_.answers.get(),
                                     child_.output_open ? child_.output.get() : -1, kPollMs);
      if ((ready & 2) != 0) ReadOutput();
      if ((ready & 1) != 0) {
        GYRE_TRY(const bool open, child_.answer_lines.Fill(child_.answers.get()));
        while (const auto line = child_.answer_lines.Next()) {
          GYRE_TRY(Json message, Json::Parse(*line, kMessageDepthMax));
          if (message.Has("result") || message.Has("error")) return Ended(std::move(message));
          GYRE_DO(PassOn(message));
        }
        if (!open) return Died();
      }
      Supervise();
    }
  }

 private:
  void ReadOutput() {
    const auto more = child_.output_lines.Fill(child_.output.get());
    if (!more || !*more) child_.output_open = false;
    while (const auto line = child_.output_lines.Next()) {
      if (call_.on_log) call_.on_log(*line);
    }
  }

  Result<> PassOn(const Json& message) {
    if (const Json* log = message.Find("log")) {
      if (call_.on_log) call_.on_log(log->AsString());
    } else if (const Json* event = message.Find("event")) {
      if (call_.on_event) return call_.on_event(event->AsString(), message["data"]);
    } else if (call_.on_progress) {
      call_.on_progress(message["progress"].AsDouble(-1), message["text"].AsString());
    }
    return {};
  }

  Result<Json> Ended(Json message) {
    while (child_.output_open && WaitReadable(child_.output.get(), -1, 0) != 0) ReadOutput();
    usage_->cpu_seconds += message["cpu_seconds"].AsDouble();
    usage_->io_bytes += message["io_bytes"].AsInt();
    usage_->memory_bytes_peak =
        std::max(usage_->memory_bytes_peak, message["memory_bytes_peak"].AsInt());
    if (told_us_ != 0) return StopError();
    return message;
  }

  Result<Json> Died() {
    constexpr std::int64_t kReapMicros = 5 * kMicrosPerSecond;
    while (child_.output_open && WaitReadable(child_.output.get(), -1, 0) != 0) ReadOutput();
    if (const std::string rest = child_.output_lines.TakeRest(); !rest.empty() && call_.on_log)
      call_.on_log(rest);
    GYRE_TRY(const auto status, child_.process.Wait(kReapMicros));
    if (status) {
      usage_->cpu_seconds += status->cpu_seconds;
      usage_->memory_bytes_peak = std::max(usage_->memory_bytes_peak, status->memory_bytes_peak);
    }
    if (told_us_ != 0) return StopError();
    return DeathOf(call_.task, status.value_or(exec::ExitStatus{}));
  }

  // Tells the worker to stop when it is time, and ends it when it does not listen.
  void Supervise() {
    const std::int64_t now = clock_.MonotonicMicros();
    if (told_us_ != 0) {
      if (now - told_us_ > settings_.kill_grace_us) child_.process.Signal(SIGKILL);
      return;
    }
    late_ = call_.timeout_ms > 0 && now - start_us_ > call_.timeout_ms * 1000;
    if (!late_ && !(call_.cancelled && call_.cancelled())) return;
    told_us_ = now;
    child_.process.Signal(SIGTERM);
  }

  Error StopError() const {
    if (late_) {
      return MakeError(Code::kDeadlineExceeded, "GY3306", "`{}` did not end within {} ms",
                       call_.task, call_.timeout_ms);
    }
    return MakeError(Code::kCancelled, "GY3312", "`{}` was cancelled", call_.task);
  }

  WorkerPool::Child& child_;
  const TaskCall& call_;
  const PoolSettings& settings_;
  const Clock& clock_;
  TaskUsage* usage_;
  const std::int64_t start_us_;
  std::int64_t told_us_ = 0;  // when SIGTERM was sent
  bool late_ = false;
};

}  // namespace

Result<Json> WorkerPool::Run(const TaskCall& call, TaskUsage* usage) {
  const Json request = Json::Obj({{"task", call.task},
                                  {"input", *call.input},
                                  {"scratch", call.scratch_directory},
                                  {"memory_bytes_max", call.memory_bytes_max}});
  const std::string line = request.Dump() + "\n";
  GYRE_TRY(std::unique_ptr<Child> child, Take());
  if (!WriteAll(child->requests.get(), line)) {
    // One that died while it was idle: a fresh one gets the task, which has not begun.
    GYRE_TRY(child, Start());
    GYRE_DO(WriteAll(child->requests.get(), line));
  }
  // After an error the child is of no more use; its destructor ends the group.
  GYRE_TRY(const Json answer, Conversation(*child, call, settings_, clock_, usage).Run());
  child->resident_bytes = answer["resident_bytes"].AsInt();
  GiveBack(std::move(child));
  if (const Json* error = answer.Find("error")) return ErrorFromJson(*error);
  return answer["result"];
}

}  // namespace gyre::runners
