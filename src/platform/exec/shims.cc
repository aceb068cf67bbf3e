#include "platform/exec/shims.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/exec/bounded_log.h"
#include "platform/exec/files.h"
#include "platform/exec/find_program.h"
#include "platform/exec/process_tree.h"
#include "platform/exec/shim_image.h"

namespace gyre::exec {
namespace {

constexpr std::uint64_t kWakeTag = ~std::uint64_t{0};
constexpr std::int64_t kMemoryLookUs = 50'000, kLogLookUs = 500'000;

struct Claim {
  int pid = 0;
  std::string start, nonce;
};

std::optional<Claim> ReadClaim(const std::string& folder) {
  char text[256];
  const ssize_t length = ::readlink((folder + "/.gyre-claim").c_str(), text, sizeof text);
  if (length <= 0) return std::nullopt;
  const auto parts = Split(std::string_view(text, static_cast<std::size_t>(length)), ' ');
  if (parts.size() != 3) return std::nullopt;
  return Claim{static_cast<int>(ParseInt(parts[0]).value_or(0)), std::string(parts[1]),
               std::string(parts[2])};
}

std::optional<ShimEnd> ReadStatus(const std::string& folder) {
  const int file = ::open((folder + "/.gyre-status").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  char text[256];
  const ssize_t length = ::read(file, text, sizeof text);
  ::close(file);
  if (length <= 0) return std::nullopt;
  const auto parts = Split(Trim(std::string_view(text, static_cast<std::size_t>(length))), ' ');
  if (parts.size() != 8) return std::nullopt;
  const auto number = [&](std::size_t at) { return ParseInt(parts[at]).value_or(0); };
  ShimEnd end;
  end.code = static_cast<int>(number(0));
  end.signal = static_cast<int>(number(1));
  end.why = parts[2];
  end.start_errno = static_cast<int>(number(3));
  end.cpu_seconds = static_cast<double>(number(4)) / 1e6;
  end.memory_bytes_peak = number(5) * 1024;
  end.started_us = number(6);
  end.ended_us = number(7);
  return end;
}

// The start time of a live process in ticks; empty when it is gone.
std::string StartOf(int pid) {
  const auto text = ReadSystemFile(fmt::format("/proc/{}/stat", pid));
  if (!text) return {};
  const std::size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return {};
  const auto fields = Split(std::string_view(*text).substr(name_end + 1), ' ');
  return fields.size() > 20 && fields[1] != "Z" ? std::string(fields[20]) : std::string();
}

// Where programs are, as far as they were looked for: a lookup walks through many folders.
class Programs {
 public:
  const std::string& Find(const ShimOptions& options);

 private:
  std::map<std::pair<std::string, std::string>, std::string> found_;  // name, PATH -> file
};

// In the program's own PATH; a name that is nowhere is left to exec, which says so.
const std::string& Programs::Find(const ShimOptions& options) {
  const std::string& name = options.argv.at(0);
  if (name.find('/') != std::string::npos) return name;
  const std::string_view path = PathOf(options.environment);
  std::string& known = found_[{name, std::string(path)}];
  if (!known.empty() && ::access(known.c_str(), X_OK) == 0) return known;
  known = FindProgram(name, path);
  return known;
}

class ShimsOfThisProcess final : public Shims {
 public:
  ShimsOfThisProcess(std::string program, int poll, int wake)
      : program_(std::move(program)), poll_(poll), wake_(wake) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeTag}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &event);
  }
  ~ShimsOfThisProcess() override {
    for (auto& [tag, watched] : watched_) ::close(watched.pidfd);
    ::close(wake_);
    ::close(poll_);
  }

  Result<> Start(std::uint64_t tag, const ShimOptions& options) override {
    GYRE_TRY(const int pid, Spawn(options));
    if (Watch(tag, pid, options, /*ours=*/true)) return {};
    ::waitpid(pid, nullptr, 0);  // a child of ours cannot vanish, but descriptors can run out
    return Internal("GY1340", "cannot watch process {}", pid);
  }

  Result<bool> Adopt(std::uint64_t tag, const ShimOptions& options) override {
    if (auto end = ReadStatus(options.folder)) {
      ended_.push_back({tag, *std::move(end)});
      return true;
    }
    const auto claim = ReadClaim(options.folder);
    if (!claim) return false;
    if (claim->nonce == options.nonce && WatchClaimed(tag, *claim, options)) return true;
    ended_.push_back({tag, EndOf(options.folder)});
    return true;
  }

  void Stop(std::uint64_t tag) override {
    const auto found = watched_.find(tag);
    if (found != watched_.end()) Signal(found->second, SIGTERM);
  }

  std::vector<Ended> Wait(std::int64_t timeout_us) override {
    std::vector<Ended> ended = std::exchange(ended_, {});
    if (!ended.empty()) timeout_us = 0;
    const bool looks = std::ranges::any_of(
        watched_, [](const auto& one) { return one.second.options.memory_bytes_max > 0; });
    if (looks) timeout_us = std::min(timeout_us, kMemoryLookUs);
    const bool prints = std::ranges::any_of(
        watched_, [](const auto& one) { return one.second.options.log_bytes_max > 0; });
    if (prints) timeout_us = std::min(timeout_us, kLogLookUs);
    epoll_event events[64];
    const int count =
        ::epoll_wait(poll_, events, std::size(events), static_cast<int>((timeout_us + 999) / 1000));
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeTag) {
        std::uint64_t times;
        static_cast<void>(::read(wake_, &times, sizeof times) == sizeof times);
      } else {
        Finish(events[i].data.u64, &ended);
      }
    }
    if (looks) EndTheOversized();
    if (prints) BoundLogs();
    return ended;
  }

  void Wake() override {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_, &one, sizeof one) == sizeof one);
  }

 private:
  struct Watched {
    int pid;
    int pidfd;
    bool ours;
    ShimOptions options;
  };

  Result<int> Spawn(const ShimOptions& options) {
    std::vector<std::string> words = {
        program_,
        options.folder,
        options.nonce,
        fmt::format("{}", options.timeout_ms),
        fmt::format("{}", options.stall_ms),
        fmt::format("{}", options.grace_ms),
        fmt::format("{}", options.cpus),
        options.claims_durably ? "1" : "0",
        options.log_file,
        options.masked.empty() ? std::string() : fmt::format(",{},", Join(options.masked, ",")),
        options.working_directory.empty() ? options.folder : options.working_directory,
        programs_.Find(options)};
    words.insert(words.end(), options.argv.begin(), options.argv.end());
    std::vector<std::string> environment = options.environment;
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& variable : environment) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, 0, 1);
    posix_spawn_file_actions_adddup2(&files, 0, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // Those that the shim waits for are blocked from the beginning: none comes too early for it.
    sigset_t awaited, all;
    sigemptyset(&awaited);
    for (const int signal : {SIGCHLD, SIGTERM, SIGUSR1}) sigaddset(&awaited, signal);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &awaited);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = 0;
    const int failed =
        ::posix_spawn(&pid, program_.c_str(), &files, &attributes, argv.data(), envp.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) return SystemError("starting a shim", failed);
    return static_cast<int>(pid);
  }

  bool Watch(std::uint64_t tag, int pid, const ShimOptions& options, bool ours) {
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (pidfd < 0) return false;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, pidfd, &event);
    watched_.insert_or_assign(tag, Watched{pid, pidfd, ours, options});
    return true;
  }

  // Only the very process that made the claim: pids are given again.
  bool WatchClaimed(std::uint64_t tag, const Claim& claim, const ShimOptions& options) {
    if (StartOf(claim.pid) != claim.start) return false;
    if (!Watch(tag, claim.pid, options, /*ours=*/false)) return false;
    if (StartOf(claim.pid) == claim.start) return true;
    Forget(tag);
    return false;
  }

  static ShimEnd EndOf(const std::string& folder) {
    auto end = ReadStatus(folder);
    if (end) return *std::move(end);
    ShimEnd lost;
    lost.why = "lost";
    return lost;
  }

  void Finish(std::uint64_t tag, std::vector<Ended>* ended) {
    const auto found = watched_.find(tag);
    if (found == watched_.end()) return;
    const Watched watched = found->second;
    Forget(tag);
    if (watched.options.log_bytes_max > 0)
      BoundLog(watched.options.log_file, watched.options.log_bytes_max);
    if (watched.ours) ::waitpid(watched.pid, nullptr, 0);
    // A shim that came second has done nothing: the one before it is the one to watch.
    const auto claim = ReadClaim(watched.options.folder);
    if (claim && claim->pid != watched.pid && WatchClaimed(tag, *claim, watched.options)) return;
    ended->push_back({tag, EndOf(watched.options.folder)});
  }

  void Forget(std::uint64_t tag) {
    const auto found = watched_.find(tag);
    ::epoll_ctl(poll_, EPOLL_CTL_DEL, found->second.pidfd, nullptr);
    ::close(found->second.pidfd);
    watched_.erase(found);
  }

  static void Signal(const Watched& watched, int signal) {
    ::syscall(SYS_pidfd_send_signal, watched.pidfd, signal, nullptr, 0);
  }

  void EndTheOversized() const {
    for (const auto& [tag, watched] : watched_) {
      const std::int64_t most = watched.options.memory_bytes_max;
      if (most <= 0) continue;
      const std::vector<int> tree = ProcessTree(watched.pid);
      if (MemoryBytes(tree, MemoryCount::kQuick) > most &&
          MemoryBytes(tree, MemoryCount::kExact) > most)
        Signal(watched, SIGUSR1);
    }
  }

  void BoundLogs() {
    const std::int64_t now_us = SystemClock().MonotonicMicros();
    if (now_us < logs_looked_us_ + kLogLookUs) return;
    logs_looked_us_ = now_us;
    for (const auto& [tag, watched] : watched_) {
      if (watched.options.log_bytes_max > 0)
        BoundLog(watched.options.log_file, watched.options.log_bytes_max);
    }
  }

  const std::string program_;
  Programs programs_;
  std::int64_t logs_looked_us_ = 0;
  const int poll_, wake_;
  std::map<std::uint64_t, Watched> watched_;
  std::vector<Ended> ended_;  // known before anybody waits
};

}  // namespace

Result<std::unique_ptr<Shims>> Shims::Open(const std::string& directory) {
  GYRE_DO(MakeDirectories(directory));
  const std::string_view image = ShimImage();
  // Named by its content: an older one may still be running under its own name.
  const std::string program = fmt::format("{}/shim-{}", directory, Sha256Hex(image).substr(0, 12));
  const auto there = ReadFile(program);
  if (!there || *there != image) {
    const std::string fresh = program + ".new";
    GYRE_DO(WriteFile(fresh, image));
    if (::chmod(fresh.c_str(), 0700) != 0) return SystemError("chmod " + fresh, errno);
    if (::rename(fresh.c_str(), program.c_str()) != 0)
      return SystemError("renaming " + fresh, errno);
  }
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (poll < 0 || wake < 0) return SystemError("opening an event queue", errno);
  return std::unique_ptr<Shims>(std::make_unique<ShimsOfThisProcess>(program, poll, wake));
}

}  // namespace gyre::exec
