// The shim: a tiny static program, one for each program that must outlive the process that started
// it. It claims its folder (so that a program runs at most once there), starts the program with its
// output in a log file, ends it when its time is over, and leaves what became of it in a file.
//
//   shim FOLDER NONCE TIMEOUT_MS STALL_MS GRACE_MS CPUS LOG WORKDIR PROGRAM WORD...
//
//   FOLDER/claim    a symbolic link "PID START NONCE": made at once and only once
//   FOLDER/status   "CODE SIGNAL WHY ERRNO CPU_US PEAK_KIB STARTED_US ENDED_US", renamed into place
//
// SIGTERM ends the program as cancelled, SIGUSR1 at once as over its memory. No C++ library, no
// allocation: it starts in well under a millisecond.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

namespace {

constexpr int kClaimedByAnother = 17;

long long NowMicros(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

// Ticks since boot at which this process began: with its pid, its identity.
void OwnStart(char* out, size_t size) {
  char text[1024];
  const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  const ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  text[length > 0 ? length : 0] = 0;
  const char* at = strrchr(text, ')');  // the name before it may hold anything
  for (int field = 2; at != nullptr && field < 22; ++field) at = strchr(at + 1, ' ');
  const char* const end = at == nullptr ? nullptr : strchr(at + 1, ' ');
  if (end == nullptr || static_cast<size_t>(end - at) > size) {
    strcpy(out, "0");
    return;
  }
  memcpy(out, at + 1, static_cast<size_t>(end - at - 1));
  out[end - at - 1] = 0;
}

bool Claim(const char* nonce) {
  char start[32], claim[256];
  OwnStart(start, sizeof start);
  snprintf(claim, sizeof claim, "%d %s %s", static_cast<int>(getpid()), start, nonce);
  return symlink(claim, "claim") == 0;
}

void LimitCpus(int cpus) {
  if (cpus <= 0) return;
  cpu_set_t ours, fewer;
  if (sched_getaffinity(0, sizeof ours, &ours) != 0) return;
  CPU_ZERO(&fewer);
  int skip = static_cast<int>(getpid()) % CPU_COUNT(&ours);
  int left = cpus < CPU_COUNT(&ours) ? cpus : CPU_COUNT(&ours);
  for (int at = 0; left > 0; at = (at + 1) % CPU_SETSIZE) {
    if (!CPU_ISSET(at, &ours) || skip-- > 0) continue;
    CPU_SET(at, &fewer);
    --left;
  }
  sched_setaffinity(0, sizeof fewer, &fewer);
}

void BecomeProgram(char** argv, const char* work, int log, volatile int* failed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, 1);
  dup2(log, 2);
  if (*work != 0 && chdir(work) != 0) {
    *failed = errno;
    _exit(126);
  }
  execvp(argv[0], argv);
  *failed = errno;
  _exit(127);
}

// Whoever is our child: the program, and what was orphaned below it.
bool KillChildren(int signal) {
  char path[64], text[8192];
  const int self = static_cast<int>(getpid());
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", self, self);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  text[length > 0 ? length : 0] = 0;
  bool any = false;
  for (char* at = text; *at != 0;) {
    const int pid = static_cast<int>(strtol(at, &at, 10));
    if (pid <= 0) break;
    kill(pid, signal);
    any = true;
    while (*at == ' ') ++at;
  }
  return any;
}

// Nothing of a program is left behind: who is orphaned by a death becomes our child and is next.
void EndDescendants() {
  for (int round = 0; round < 1000 && KillChildren(SIGKILL); ++round) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const timespec pause = {0, 1000000};
    nanosleep(&pause, nullptr);
  }
}

struct Watch {
  long long timeout_us, stall_us, grace_us;
  int log;
  pid_t program;
  sigset_t signals;
};

// Until the program has ended; why it was made to, or "exit".
const char* WatchOver(const Watch& watch, int* status) {
  const long long started = NowMicros(CLOCK_MONOTONIC);
  long long kill_at = 0, grown_at = started;
  off_t size = 0;
  const char* why = "exit";
  const auto end = [&](const char* reason, int signal) {
    if (kill_at != 0) return;
    why = reason;
    kill(-watch.program, signal);
    kill_at = NowMicros(CLOCK_MONOTONIC) + (signal == SIGKILL ? 0 : watch.grace_us);
  };
  while (true) {
    pid_t ended;
    int how;
    while ((ended = waitpid(-1, &how, WNOHANG)) > 0) {
      if (ended != watch.program) continue;
      *status = how;
      return why;
    }
    const long long now = NowMicros(CLOCK_MONOTONIC);
    long long wake = now + 3600 * 1000000LL;
    if (kill_at != 0) {
      if (now >= kill_at) KillChildren(SIGKILL);
      wake = now >= kill_at ? now + 50000 : kill_at;
    } else {
      if (watch.stall_us > 0) {
        struct stat facts;
        if (fstat(watch.log, &facts) == 0 && facts.st_size != size) {
          size = facts.st_size;
          grown_at = now;
        }
        if (now - grown_at >= watch.stall_us) end("stall", SIGTERM);
        wake = now + (watch.stall_us < 1000000 ? watch.stall_us : 1000000);
      }
      if (watch.timeout_us > 0 && now - started >= watch.timeout_us) end("timeout", SIGTERM);
      if (watch.timeout_us > 0 && started + watch.timeout_us < wake)
        wake = started + watch.timeout_us;
      if (kill_at != 0) continue;
    }
    const long long left = wake > now ? wake - now : 0;
    const timespec time = {static_cast<time_t>(left / 1000000),
                           static_cast<long>(left % 1000000) * 1000};
    const int signal = sigtimedwait(&watch.signals, nullptr, &time);
    if (signal == SIGTERM) end("cancelled", SIGTERM);
    if (signal == SIGUSR1) end("memory", SIGKILL);
  }
}

void WriteStatus(int status, const char* why, int failed, long long started) {
  rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  const long long cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL +
                        used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  char line[256];
  const int length =
      snprintf(line, sizeof line, "%d %d %s %d %lld %ld %lld %lld\n",
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
               WIFSIGNALED(status) ? WTERMSIG(status) : 0, failed != 0 ? "start" : why, failed, cpu,
               used.ru_maxrss, started, NowMicros(CLOCK_REALTIME));
  const int file = open("status.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return;
  const bool whole = write(file, line, static_cast<size_t>(length)) == length;
  close(file);
  if (whole) rename("status.new", "status");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 10 || chdir(argv[1]) != 0) return 2;
  if (!Claim(argv[2])) return errno == EEXIST ? kClaimedByAnother : 3;
  Watch watch;
  watch.timeout_us = strtoll(argv[3], nullptr, 10) * 1000;
  watch.stall_us = strtoll(argv[4], nullptr, 10) * 1000;
  watch.grace_us = strtoll(argv[5], nullptr, 10) * 1000;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigemptyset(&watch.signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGUSR1}) sigaddset(&watch.signals, signal);
  sigprocmask(SIG_BLOCK, &watch.signals, nullptr);
  watch.log = open(argv[7], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (watch.log < 0) return 4;
  LimitCpus(static_cast<int>(strtol(argv[6], nullptr, 10)));
  const long long started = NowMicros(CLOCK_REALTIME);
  volatile int failed = 0;
  watch.program = vfork();
  if (watch.program == 0) BecomeProgram(argv + 9, argv[8], watch.log, &failed);
  int status = 127 << 8;
  const char* why = "start";
  if (watch.program < 0) {
    failed = errno;
  } else {
    why = WatchOver(watch, &status);
  }
  EndDescendants();
  WriteStatus(status, why, failed, started);
  return 0;
}
