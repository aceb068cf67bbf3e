// The child's side: requests on descriptor 0, answers on descriptor 3. What a library prints on 1
// or 2 goes into the job's log.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <exception>

#include "base/text.h"
#include "base/time.h"
#include "ml/runners/channel.h"
#include "ml/runners/tasks.h"
#include "ml/runners/wire.h"
#include "platform/exec/files.h"

namespace gyre::runners {

void TaskRegistry::Add(std::string name, TaskFunction function) {
  functions_.insert_or_assign(std::move(name), std::move(function));
}

const TaskFunction* TaskRegistry::Find(std::string_view name) const {
  const auto it = functions_.find(name);
  return it == functions_.end() ? nullptr : &it->second;
}

namespace {

constexpr int kAnswers = 3;

// Set by SIGTERM: a signal handler can reach nothing else.
std::atomic<bool> g_cancelled{false};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<bool>::is_always_lock_free);
void OnTerminate(int) { g_cancelled.store(true); }

void Send(const Json& message) {
  // When the owner is gone nobody is left to hear it; the kernel ends us.
  if (!WriteAll(kAnswers, message.Dump() + "\n")) _exit(1);
}

class WorkerContext final : public TaskContext {
 public:
  WorkerContext(Json input, std::string scratch)
      : input_(std::move(input)), scratch_(std::move(scratch)) {}
  const Json& input() const override { return input_; }
  const std::string& scratch_directory() const override { return scratch_; }
  void Progress(double fraction, std::string_view text) override {
    constexpr std::int64_t kPauseMicros = 100'000;
    const std::int64_t now = SystemClock().MonotonicMicros();
    if (now - progress_us_ < kPauseMicros && fraction < 1) return;
    progress_us_ = now;
    Send(Json::Obj({{"progress", fraction}, {"text", text}}));
  }
  void Log(std::string_view line) override { Send(Json::Obj({{"log", line}})); }
  void Event(std::string_view kind, const Json& data) override {
    Send(Json::Obj({{"event", kind}, {"data", data}}));
  }
  bool cancelled() const override { return g_cancelled.load(); }

 private:
  Json input_;
  std::string scratch_;
  std::int64_t progress_us_ = -kMicrosPerSecond;
};

struct Usage {
  double cpu_seconds = 0;
  std::int64_t resident_bytes = 0, peak_bytes = 0;
  std::int64_t io_bytes = 0;  // read and written, cached or not
};

std::int64_t NumberAfter(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = Trim(text.substr(at + key.size()));
  return ParseInt(rest.substr(0, rest.find_first_of(" \n"))).value_or(0);
}

std::int64_t StatusBytes(std::string_view status, std::string_view key) {
  return NumberAfter(status, key) * 1024;
}

Usage ReadUsage() {
  Usage usage;
  rusage self{};
  getrusage(RUSAGE_SELF, &self);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  usage.cpu_seconds = seconds(self.ru_utime) + seconds(self.ru_stime);
  if (const auto status = exec::ReadSystemFile("/proc/self/status")) {
    usage.resident_bytes = StatusBytes(*status, "VmRSS:");
    usage.peak_bytes = StatusBytes(*status, "VmHWM:");
  }
  if (const auto io = exec::ReadSystemFile("/proc/self/io"))
    usage.io_bytes = NumberAfter(*io, "rchar:") + NumberAfter(*io, "wchar:");
  return usage;
}

// A soft limit on top of what is mapped already, lifted after the task; the hard limit stays.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::int64_t bytes_max) {
    if (bytes_max <= 0) return;
    const auto status = exec::ReadSystemFile("/proc/self/status");
    const std::int64_t mapped = status ? StatusBytes(*status, "VmSize:") : 0;
    getrlimit(RLIMIT_AS, &before_);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(mapped + bytes_max);
    set_ = setrlimit(RLIMIT_AS, &now) == 0;
  }
  ~MemoryLimit() {
    if (set_) setrlimit(RLIMIT_AS, &before_);
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
  bool set_ = false;
};

// A job boundary: what a third party throws ends here.
Result<Json> CallTask(const TaskFunction& function, WorkerContext& context,
                      std::int64_t memory_bytes_max) {
  try {
    return function(context);
  } catch (const std::bad_alloc&) {
    return MakeError(Code::kResourceExhausted, "GY3309", "the task needs more memory than {}",
                     memory_bytes_max > 0
                         ? fmt::format("the {} that it may use", HumanBytes(memory_bytes_max))
                         : std::string("there is"))
        .Fix("training, and reading a model file: the setting training.memory gives more")
        .Fix("a table: fewer rows or columns at once");
  } catch (const std::exception& e) {
    return Internal("GY3310", "the task failed: {}", e.what());
  }
}

Json RunOne(const TaskRegistry& registry, const Json& request) {
  const std::string& name = request["task"].AsString();
  const TaskFunction* function = registry.Find(name);
  if (function == nullptr)
    return Json::Obj(
        {{"error", ErrorToJson(NotFound("GY3311", "this worker knows no task `{}`", name))}});
  const Usage before = ReadUsage();
  // Resets the peak, so that each task answers for its own.
  (void)exec::WriteFile("/proc/self/clear_refs", "5");
  WorkerContext context(request["input"], request["scratch"].AsString());
  Json answer;
  {
    const MemoryLimit limit(request["memory_bytes_max"].AsInt());
    Result<Json> result = CallTask(*function, context, request["memory_bytes_max"].AsInt());
    if (result) {
      answer.Set("result", *std::move(result));
    } else {
      answer.Set("error", ErrorToJson(result.error()));
    }
  }
  const Usage after = ReadUsage();
  answer.Set("cpu_seconds", after.cpu_seconds - before.cpu_seconds);
  answer.Set("memory_bytes_peak", after.peak_bytes);
  answer.Set("io_bytes", after.io_bytes - before.io_bytes);
  answer.Set("resident_bytes", after.resident_bytes);
  return answer;
}

}  // namespace

int WorkerMain(const TaskRegistry& registry) {
  struct sigaction action{};
  action.sa_handler = OnTerminate;
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  LineReader lines(kMessageBytesMax);
  for (;;) {
    while (const auto line = lines.Next()) {
      const auto request = Json::Parse(*line, kMessageDepthMax);
      if (!request) return 1;
      Send(RunOne(registry, *request));
      if (g_cancelled.load()) return 0;
    }
    // Interrupted by SIGTERM, so that an idle worker ends at once too.
    constexpr int kPauseMs = 60'000;
    while (WaitReadable(STDIN_FILENO, -1, kPauseMs) == 0) {
      if (g_cancelled.load()) return 0;
    }
    const auto more = lines.Fill(STDIN_FILENO);
    if (!more || !*more || g_cancelled.load()) return 0;
  }
}

}  // namespace gyre::runners
