#include "platform/exec/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <iterator>
#include <string>

extern char** environ;

namespace gyre::exec {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
// A signal handler can reach nothing but a global; this is the only one.
std::atomic<int> g_interrupts{0};
struct sigaction g_before_interrupts{};

void OnInterrupt(int /*signal*/) { g_interrupts.fetch_add(1); }

timespec ToTimespec(std::int64_t time_us) {
  return {static_cast<time_t>(time_us / kMicros), static_cast<long>(time_us % kMicros) * 1000};
}

}  // namespace

SignalWaiter::SignalWaiter(std::initializer_list<int> signals) : signals_(signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals_) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::optional<int> SignalWaiter::Wait(std::int64_t timeout_us) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals_) sigaddset(&set, signal);
  while (true) {
    const timespec timeout = ToTimespec(timeout_us < 0 ? 0 : timeout_us);
    const int signal =
        timeout_us < 0 ? sigwaitinfo(&set, nullptr) : sigtimedwait(&set, nullptr, &timeout);
    if (signal > 0) return signal;
    if (errno != EINTR) return std::nullopt;
  }
}

std::optional<int> SignalWaiter::WaitOrHangUp(int descriptor) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals_) sigaddset(&set, signal);
  const int signals = ::signalfd(-1, &set, SFD_CLOEXEC);
  std::optional<int> found;
  pollfd waiting[] = {{signals, POLLIN, 0}, {descriptor, POLLIN, 0}};
  while (::poll(waiting, std::size(waiting), -1) < 0 && errno == EINTR) {
  }
  signalfd_siginfo info{};
  if (waiting[0].revents != 0 && ::read(signals, &info, sizeof info) == sizeof info)
    found = static_cast<int>(info.ssi_signo);
  ::close(signals);
  return found;
}

InterruptCounter::InterruptCounter() {
  g_interrupts.store(0);
  struct sigaction action{};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, &g_before_interrupts);
}

InterruptCounter::~InterruptCounter() { sigaction(SIGINT, &g_before_interrupts, nullptr); }

int InterruptCounter::count() { return g_interrupts.load(); }

bool InterruptCounter::SleepMicros(std::int64_t time_us) {
  const int before = count();
  const timespec time = ToTimespec(time_us);
  ::nanosleep(&time, nullptr);
  return count() != before;
}

void IgnoreBrokenPipes() { ::signal(SIGPIPE, SIG_IGN); }

Result<> SendSignal(int pid, int signal) {
  if (::kill(pid, signal) != 0) {
    if (errno == ESRCH) return NotFound("GY1335", "there is no process {}", pid);
    return SystemError("signalling process " + std::to_string(pid), errno);
  }
  return {};
}

bool ProcessLives(int pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

bool ReapIfEnded(int pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; }

Result<int> SpawnDetached(const std::vector<std::string>& argv, const std::string& log_file,
                          DetachedPipes pipes) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 2, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  if (pipes.input >= 0) {
    posix_spawn_file_actions_adddup2(&files, pipes.input, 0);
  } else {
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&files, pipes.output >= 0 ? pipes.output : 2, 1);
  // Whoever reads a pipe that our caller left open would wait for its end.
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error_number =
      ::posix_spawn(&pid, argv[0].c_str(), &files, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error_number != 0) return SystemError("starting " + argv[0], error_number);
  return static_cast<int>(pid);
}

}  // namespace gyre::exec
