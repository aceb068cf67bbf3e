#include "platform/exec/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/mutex.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/exec/spawn.h"

namespace gyre::exec {
namespace {

constexpr std::int64_t kFirstSampleMs = 5;
constexpr std::int64_t kSampleMsMax = 200;

// "name:   123 kB" or "name: 123" of a small /proc file; -1 when it is not there.
std::int64_t ProcNumber(const std::string& path, std::string_view name) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  char buffer[4096];
  const ssize_t length = read(fd, buffer, sizeof buffer);
  close(fd);
  if (length <= 0) return -1;
  for (const std::string_view line : Split({buffer, static_cast<std::size_t>(length)}, '\n')) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    std::string_view rest = Trim(line.substr(name.size() + 1));
    const bool kilobytes = rest.ends_with(" kB");
    if (kilobytes) rest.remove_suffix(3);
    const auto value = ParseInt(Trim(rest));
    return value ? *value * (kilobytes ? 1024 : 1) : -1;
  }
  return -1;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

struct Process::Impl {
  int pid = 0;
  int pidfd = -1;
  bool group = false;
  bool kill_group_at_end = false;
  bool detached = false;
  std::int64_t started_us = 0;
  std::int64_t own_peak_bytes = 0;       // ours at the start: the kernel counts it as the child's
  std::int64_t sampled_peak_bytes = -1;  // the child's, looked up while it ran
  Mutex mutex;
  std::optional<ExitStatus> ended GYRE_GUARDED_BY(mutex);

  ~Impl() {
    if (pidfd >= 0) close(pidfd);
  }

  void Signal(int number) {
    MutexLock lock(mutex);
    if (ended || detached) return;  // the pid may belong to somebody else by now
    kill(group ? -pid : pid, number);
  }

  void Sample() {
    sampled_peak_bytes =
        std::max(sampled_peak_bytes, ProcNumber(fmt::format("/proc/{}/status", pid), "VmHWM"));
  }

  // True when the child has ended (it is a zombie then, and its pid still its own).
  bool PollEnd(int timeout_ms) {
    pollfd event{pidfd, POLLIN, 0};
    return poll(&event, 1, timeout_ms) > 0;
  }

  ExitStatus Reap() {
    ExitStatus status;
    const std::string io = fmt::format("/proc/{}/io", pid);
    status.read_bytes = ProcNumber(io, "read_bytes");
    status.written_bytes = ProcNumber(io, "write_bytes");
    MutexLock lock(mutex);
    if (kill_group_at_end) kill(-pid, SIGKILL);  // what it left behind
    int raw = 0;
    rusage usage{};
    while (wait4(pid, &raw, 0, &usage) < 0 && errno == EINTR) {
    }
    status.wall_seconds =
        static_cast<double>(SystemClock().MonotonicMicros() - started_us) / kMicrosPerSecond;
    status.signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
    status.code = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    status.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
    // Above our own peak the kernel's figure is the child's; below it, it is ours, kept across
    // exec.
    const std::int64_t kernel_peak = usage.ru_maxrss * 1024;
    status.memory_bytes_peak =
        kernel_peak <= own_peak_bytes && sampled_peak_bytes > 0 ? sampled_peak_bytes : kernel_peak;
    if (status.read_bytes < 0) status.read_bytes = usage.ru_inblock * 512;
    if (status.written_bytes < 0) status.written_bytes = usage.ru_oublock * 512;
    ended = status;
    return status;
  }
};

Result<Process> Process::Spawn(SpawnOptions options) {
  Process process;
  process.impl_ = std::make_unique<Impl>();
  Impl& impl = *process.impl_;
  impl.group = options.own_process_group;
  impl.kill_group_at_end = options.own_process_group && options.dies_with_parent;
  impl.own_peak_bytes = ProcNumber("/proc/self/status", "VmHWM");
  impl.started_us = SystemClock().MonotonicMicros();
  auto pid = SpawnChild(options);
  if (!pid) {
    process.impl_.reset();
    return std::move(pid).error();
  }
  impl.pid = *pid;
  impl.pidfd = static_cast<int>(syscall(SYS_pidfd_open, *pid, 0));
  if (impl.pidfd < 0) {
    const int error = errno;
    kill(*pid, SIGKILL);
    waitpid(*pid, nullptr, 0);
    process.impl_.reset();
    return Internal("GY1311", "cannot watch `{}`: {}", options.argv[0],
                    SystemError("pidfd_open", error).message());
  }
  return process;
}

Process::Process() = default;
Process::Process(Process&&) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  std::swap(impl_, other.impl_);  // ours is killed and reaped when `other` goes
  return *this;
}

Process::~Process() {
  if (!impl_ || impl_->detached) return;
  impl_->Signal(SIGKILL);
  static_cast<void>(Wait(-1));
}

int Process::pid() const { return impl_->pid; }
void Process::Signal(int signal) const { impl_->Signal(signal); }
void Process::Detach() {
  MutexLock lock(impl_->mutex);
  impl_->detached = true;
}

Result<std::optional<ExitStatus>> Process::Wait(std::int64_t timeout_us) {
  {
    MutexLock lock(impl_->mutex);
    if (impl_->ended) return impl_->ended;
  }
  const std::int64_t deadline_us = SystemClock().MonotonicMicros() + timeout_us;
  std::int64_t pause_ms = kFirstSampleMs;
  while (true) {
    impl_->Sample();
    std::int64_t wait_ms = pause_ms;
    if (timeout_us >= 0) {
      const std::int64_t left_us = deadline_us - SystemClock().MonotonicMicros();
      wait_ms = std::clamp<std::int64_t>((left_us + 999) / 1000, 0, pause_ms);
    }
    if (impl_->PollEnd(static_cast<int>(wait_ms))) return std::optional(impl_->Reap());
    if (timeout_us >= 0 && SystemClock().MonotonicMicros() >= deadline_us) {
      return std::optional<ExitStatus>();
    }
    pause_ms = std::min(pause_ms * 2, kSampleMsMax);
  }
}

double OwnCpuSeconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

std::int64_t OwnMemoryPeak() {
  return std::max<std::int64_t>(ProcNumber("/proc/self/status", "VmHWM"), 0);
}

std::string SelfPath() {
  char buffer[4096];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  return length > 0 ? std::string(buffer, static_cast<std::size_t>(length)) : std::string();
}

}  // namespace gyre::exec
