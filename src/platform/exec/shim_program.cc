// The shim: a tiny program, one for each program that must outlive the process that started it. It
// claims its folder (so that a program runs at most once there), starts the program with its output
// in a log file, ends it when its time is over, and leaves what became of it in a file.
//
//   shim FOLDER NONCE TIMEOUT_MS STALL_MS GRACE_MS CPUS DURABLE LOG MASKED WORKDIR PROGRAM WORD...
//
//   MASKED               names of variables, ",A,B,": where their values are printed, asterisks are
//                        written, and no byte of them ever lies on the disk; "" = none
//   FOLDER/.gyre-claim   a symbolic link "PID START NONCE": made at once and only once
//   FOLDER/.gyre-status  "CODE SIGNAL WHY ERRNO CPU_US PEAK_KIB STARTED_US ENDED_US", renamed into
//   place
//
// SIGTERM ends the program as cancelled, SIGUSR1 at once as over its memory. It stands on the
// system calls alone (x86-64): what the C library does before main() costs several times as much as
// everything here, and a shim is paid for with every program.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

namespace {

constexpr int kClaimedByAnother = 17;
constexpr long long kMicros = 1000000;

// The kernel's answer: negative = -errno. Always inlined: between vfork and exec the child runs on
// this frame's stack, and nothing may return above it.
[[gnu::always_inline]] inline long Call(long number, long a = 0, long b = 0, long c = 0,
                                        long d = 0) {
  long result;
  register long r10 asm("r10") = d;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
               : "rcx", "r11", "memory");
  return result;
}
template <class T>
long Bits(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

long Open(const char* path, int flags) {
  return Call(SYS_open, Bits(path), flags | O_CLOEXEC, 0600);
}
[[noreturn]] void Exit(int code) {
  while (true) Call(SYS_exit_group, code);
}
long long NowMicros(clockid_t clock) {
  timespec now;
  Call(SYS_clock_gettime, clock, Bits(&now));
  return now.tv_sec * kMicros + now.tv_nsec / 1000;
}

// --- text ----------------------------------------------------------------------------------------

struct Line {
  char text[320];
  size_t length = 0;

  Line& Add(const char* word) {
    while (*word != 0 && length + 1 < sizeof text) text[length++] = *word++;
    return End();
  }
  Line& Add(long long number) {
    char digits[24];
    int count = 0;
    if (number < 0) Add("-");
    for (unsigned long long rest = number < 0 ? -static_cast<unsigned long long>(number)
                                              : static_cast<unsigned long long>(number);
         count == 0 || rest > 0; rest /= 10)
      digits[count++] = static_cast<char>('0' + rest % 10);
    while (count > 0 && length + 1 < sizeof text) text[length++] = digits[--count];
    return End();
  }
  Line& End() {
    text[length] = 0;
    return *this;
  }
};

long long Number(const char* text) {
  long long number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
  return number;
}

// A small file of /proc; its length.
size_t ReadAll(const char* path, char* out, size_t size) {
  const long file = Open(path, O_RDONLY);
  const long length = file < 0 ? 0 : Call(SYS_read, file, Bits(out), static_cast<long>(size - 1));
  if (file >= 0) Call(SYS_close, file);
  const size_t read = length > 0 ? static_cast<size_t>(length) : 0;
  out[read] = 0;
  return read;
}

// --- the claim -----------------------------------------------------------------------------------

// Ticks since boot at which this process began: with its pid, its identity.
void AddOwnStart(Line* line) {
  char text[1024];
  const size_t length = ReadAll("/proc/self/stat", text, sizeof text);
  size_t at = length;
  while (at > 0 && text[at] != ')') --at;  // the name before it may hold anything
  for (int field = 2; at < length && field < 22; ++at) field += text[at] == ' ' ? 1 : 0;
  size_t end = at;
  while (end < length && text[end] != ' ') ++end;
  text[end] = 0;
  line->Add(end > at ? text + at : "0");
}

// 0, or -errno.
long Claim(const char* nonce) {
  Line claim;
  claim.Add(Call(SYS_getpid)).Add(" ");
  AddOwnStart(&claim);
  claim.Add(" ").Add(nonce);
  return Call(SYS_symlink, Bits(claim.text), Bits(".gyre-claim"));
}

// So that no loss of power makes the claim undone: neither it, nor the folder or the one above it.
bool SyncClaim() {
  const char* const folders[] = {".", "..", "../.."};
  for (const char* folder : folders) {
    const long opened = Open(folder, O_RDONLY | O_DIRECTORY);
    if (opened < 0) return false;
    const long synced = Call(SYS_fsync, opened);
    Call(SYS_close, opened);
    if (synced != 0) return false;
  }
  return true;
}

// --- the program ---------------------------------------------------------------------------------

// So many of the CPUs that we may run on; consecutive processes begin at different ones.
void LimitCpus(long long cpus) {
  constexpr int kBytes = 1024;
  unsigned char ours[kBytes] = {}, fewer[kBytes] = {};
  const long bytes = cpus <= 0 ? -1 : Call(SYS_sched_getaffinity, 0, kBytes, Bits(ours));
  if (bytes <= 0) return;
  const auto has = [&](long cpu) { return (ours[cpu / 8] >> (cpu % 8) & 1) != 0; };
  long count = 0;
  for (long cpu = 0; cpu < bytes * 8; ++cpu) count += has(cpu) ? 1 : 0;
  long skip = Call(SYS_getpid) % (count > 0 ? count : 1);
  long long left = cpus < count ? cpus : count;
  for (long cpu = 0; left > 0; cpu = (cpu + 1) % (bytes * 8)) {
    if (!has(cpu) || skip-- > 0) continue;
    fewer[cpu / 8] = static_cast<unsigned char>(fewer[cpu / 8] | 1 << (cpu % 8));
    --left;
  }
  Call(SYS_sched_setaffinity, 0, bytes, Bits(fewer));
}

// Between vfork and exec, in our memory.
[[noreturn]] void BecomeProgram(char** argv, char** envp, long log, volatile int* failed) {
  Call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  Call(SYS_setpgid, 0, 0);
  const unsigned long none = 0;
  Call(SYS_rt_sigprocmask, SIG_SETMASK, Bits(&none), 0, sizeof none);
  Call(SYS_dup2, log, 1);
  Call(SYS_dup2, log, 2);
  long result = Call(SYS_chdir, Bits(argv[10]));
  if (result == 0) result = Call(SYS_execve, Bits(argv[11]), Bits(argv + 12), Bits(envp));
  *failed = static_cast<int>(-result);
  Exit(127);
}

// Whoever is our child: the program, and what was orphaned below it.
bool KillChildren(int signal) {
  Line path;
  const long self = Call(SYS_getpid);
  path.Add("/proc/").Add(self).Add("/task/").Add(self).Add("/children");
  char text[8192];
  const size_t length = ReadAll(path.text, text, sizeof text);
  bool any = false;
  for (size_t at = 0; at < length;) {
    const long long pid = Number(text + at);
    if (pid <= 0) break;
    Call(SYS_kill, static_cast<long>(pid), signal);
    any = true;
    while (at < length && text[at] != ' ') ++at;
    while (at < length && text[at] == ' ') ++at;
  }
  return any;
}

long Reap(int* status) { return Call(SYS_wait4, -1, Bits(status), WNOHANG, 0); }

// Nothing of a program is left behind: who is orphaned by a death becomes our child and is next.
void EndDescendants() {
  int status;
  for (int round = 0; round < 1000 && KillChildren(SIGKILL); ++round) {
    while (Reap(&status) > 0) {
    }
    const timespec pause = {0, 1000000};
    Call(SYS_nanosleep, Bits(&pause));
  }
}

// What the program prints on its way to the log, where something of it must not be seen. Lengths
// stay as they are.
struct Mask {
  static constexpr int kSecretsMax = 64;
  static constexpr size_t kBytes = 256 * 1024;  // more than twice the longest variable there can be
  const char* secrets[kSecretsMax] = {};
  size_t lengths[kSecretsMax] = {};
  int count = 0;
  long pipe = 0, log = 0, signals = 0;  // to read; to write; of signals
  size_t held = 0;                      // bytes that are not written yet
  char text[kBytes] = {};
  bool covered[kBytes] = {};

  // The values of the variables in ",A,B,".
  void Find(const char* names, char** envp) {
    for (; *envp != nullptr && count < kSecretsMax; ++envp) {
      size_t name = 0;
      while ((*envp)[name] != 0 && (*envp)[name] != '=') ++name;
      if ((*envp)[name] == 0 || (*envp)[name + 1] == 0 || !Names(names, *envp, name)) continue;
      secrets[count] = *envp + name + 1;
      while (secrets[count][lengths[count]] != 0) ++lengths[count];
      ++count;
    }
  }
  static bool Names(const char* names, const char* name, size_t length) {
    for (const char* at = names; *at != 0; ++at) {
      if (*at != ',') continue;
      size_t same = 0;
      while (same < length && at[1 + same] == name[same]) ++same;
      if (same == length && at[1 + length] == ',') return true;
    }
    return false;
  }
  // How much of a secret stands there, up to the end of what is held.
  size_t Match(size_t at, int secret) const {
    size_t same = 0;
    while (same < lengths[secret] && at + same < held && text[at + same] == secrets[secret][same])
      ++same;
    return same;
  }
  // Reads once; writes all that cannot be the beginning of a secret. False: nothing came.
  bool Move() {
    const long length = Call(SYS_read, pipe, Bits(text + held), static_cast<long>(kBytes - held));
    if (length <= 0) return false;
    held += static_cast<size_t>(length);
    size_t sure = held;
    for (size_t at = 0; at < held; ++at) {
      for (int secret = 0; secret < count; ++secret) {
        const size_t same = Match(at, secret);
        if (same == lengths[secret]) {
          for (size_t i = 0; i < same; ++i) covered[at + i] = true;
        } else if (at + same == held && at < sure) {
          sure = at;
        }
      }
    }
    Write(sure);
    return true;
  }
  void Write(size_t bytes) {
    for (size_t at = 0; at < bytes; ++at) {
      if (covered[at]) text[at] = '*';
    }
    for (size_t done = 0; done < bytes;) {
      const long written = Call(SYS_write, log, Bits(text + done), static_cast<long>(bytes - done));
      if (written <= 0) break;  // a full disk takes no log
      done += static_cast<size_t>(written);
    }
    for (size_t at = bytes; at < held; ++at) {
      text[at - bytes] = text[at];
      covered[at - bytes] = covered[at];
    }
    for (size_t at = held - bytes; at < held; ++at) covered[at] = false;
    held -= bytes;
  }
  // Whatever waits, and what was held: nothing comes after it.
  void End() {
    while (Move()) {
    }
    Write(held);
  }
};
Mask mask;  // of zeros, which cost nothing until they are touched

struct Watch {
  long long timeout_us, stall_us, grace_us;
  long log, program;
  unsigned long signals;
};

// The next signal, or 0 after that time or when the program has printed something.
long Await(const Watch& watch, const timespec& time) {
  if (mask.count == 0)
    return Call(SYS_rt_sigtimedwait, Bits(&watch.signals), 0, Bits(&time), sizeof watch.signals);
  pollfd ready[2] = {{static_cast<int>(mask.signals), POLLIN, 0},
                     {static_cast<int>(mask.pipe), POLLIN, 0}};
  if (Call(SYS_ppoll, Bits(ready), 2, Bits(&time), 0) <= 0) return 0;
  if ((ready[1].revents & POLLIN) != 0) mask.Move();
  signalfd_siginfo info;
  if ((ready[0].revents & POLLIN) == 0 ||
      Call(SYS_read, mask.signals, Bits(&info), sizeof info) != sizeof info)
    return 0;
  return static_cast<long>(info.ssi_signo);
}

// Where the program prints: the log, or a pipe to us. Negative: -errno.
long OpenOutput(Watch* watch, const char* names, char** envp) {
  mask.Find(names, envp);
  if (mask.count == 0) return watch->log;
  int ends[2];
  if (const long made = Call(SYS_pipe2, Bits(ends), O_CLOEXEC); made != 0) return made;
  // Ours does not wait; the program's does, for as long as we write.
  Call(SYS_fcntl, ends[0], F_SETFL, O_NONBLOCK);
  mask.signals = Call(SYS_signalfd4, -1, Bits(&watch->signals), sizeof watch->signals,
                      SFD_CLOEXEC | SFD_NONBLOCK);
  mask.pipe = ends[0];
  mask.log = watch->log;
  return mask.signals < 0 ? mask.signals : ends[1];
}

// Until the program has ended; why it was made to, or "exit".
const char* WatchOver(const Watch& watch, int* status) {
  const long long started = NowMicros(CLOCK_MONOTONIC);
  long long kill_at = 0, grown_at = started;
  off_t size = 0;
  const char* why = "exit";
  const auto end = [&](const char* reason, int signal) {
    if (kill_at != 0) return;
    why = reason;
    Call(SYS_kill, -watch.program, signal);
    kill_at = NowMicros(CLOCK_MONOTONIC) + (signal == SIGKILL ? 0 : watch.grace_us);
  };
  while (true) {
    int how;
    for (long ended = Reap(&how); ended > 0; ended = Reap(&how)) {
      if (ended != watch.program) continue;
      *status = how;
      return why;
    }
    const long long now = NowMicros(CLOCK_MONOTONIC);
    long long wake = now + 3600 * kMicros;
    if (kill_at != 0) {
      if (now >= kill_at) KillChildren(SIGKILL);
      wake = now >= kill_at ? now + 50000 : kill_at;
    } else {
      if (watch.stall_us > 0) {
        struct stat facts;
        if (Call(SYS_fstat, watch.log, Bits(&facts)) == 0 && facts.st_size != size) {
          size = facts.st_size;
          grown_at = now;
        }
        if (now - grown_at >= watch.stall_us) end("stall", SIGTERM);
        wake = now + (watch.stall_us < kMicros ? watch.stall_us : kMicros);
      }
      if (watch.timeout_us > 0 && now - started >= watch.timeout_us) end("timeout", SIGTERM);
      if (watch.timeout_us > 0 && started + watch.timeout_us < wake)
        wake = started + watch.timeout_us;
      if (kill_at != 0) continue;
    }
    const long long left = wake > now ? wake - now : 0;
    const timespec time = {static_cast<time_t>(left / kMicros),
                           static_cast<long>(left % kMicros) * 1000};
    const long signal = Await(watch, time);
    if (signal == SIGTERM) end("cancelled", SIGTERM);
    if (signal == SIGUSR1) end("memory", SIGKILL);
  }
}

void WriteStatus(int status, const char* why, int failed, long long started) {
  rusage used;
  Call(SYS_getrusage, RUSAGE_CHILDREN, Bits(&used));
  const long long cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * kMicros +
                        used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  Line line;
  line.Add(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)).Add(" ");
  line.Add(WIFSIGNALED(status) ? WTERMSIG(status) : 0).Add(" ");
  line.Add(failed != 0 ? "start" : why).Add(" ").Add(failed).Add(" ").Add(cpu).Add(" ");
  line.Add(used.ru_maxrss).Add(" ").Add(started).Add(" ").Add(NowMicros(CLOCK_REALTIME)).Add("\n");
  const long file = Open(".gyre-status.new", O_WRONLY | O_CREAT | O_TRUNC);
  if (file < 0) return;
  const long written = Call(SYS_write, file, Bits(line.text), static_cast<long>(line.length));
  Call(SYS_close, file);
  if (written == static_cast<long>(line.length))
    Call(SYS_rename, Bits(".gyre-status.new"), Bits(".gyre-status"));
}

int Run(int argc, char** argv, char** envp) {
  if (argc < 13 || Call(SYS_chdir, Bits(argv[1])) != 0) return 2;
  if (const long claimed = Claim(argv[2]); claimed != 0)
    return claimed == -EEXIST ? kClaimedByAnother : 3;
  if (Number(argv[7]) != 0 && !SyncClaim()) return 5;
  Watch watch;
  watch.timeout_us = Number(argv[3]) * 1000;
  watch.stall_us = Number(argv[4]) * 1000;
  watch.grace_us = Number(argv[5]) * 1000;
  Call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
  watch.signals = 1UL << (SIGCHLD - 1) | 1UL << (SIGTERM - 1) | 1UL << (SIGUSR1 - 1);
  Call(SYS_rt_sigprocmask, SIG_BLOCK, Bits(&watch.signals), 0, sizeof watch.signals);
  watch.log = Open(argv[8], O_WRONLY | O_CREAT | O_APPEND);
  if (watch.log < 0) return 4;
  LimitCpus(Number(argv[6]));
  const long long started = NowMicros(CLOCK_REALTIME);
  volatile int failed = 0;
  const long output = OpenOutput(&watch, argv[9], envp);
  if (output < 0) return 6;
  watch.program = Call(SYS_vfork);
  if (watch.program == 0) BecomeProgram(argv, envp, output, &failed);
  int status = 127 << 8;
  const char* why = "start";
  if (watch.program < 0) {
    failed = static_cast<int>(-watch.program);
  } else {
    why = WatchOver(watch, &status);
  }
  EndDescendants();
  if (mask.count > 0) mask.End();
  WriteStatus(status, why, failed, started);
  return 0;
}

}  // namespace

extern "C" {

// The compiler may ask for these.
void* memset(void* to, int byte, size_t count) {
  auto* bytes = static_cast<volatile unsigned char*>(to);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<unsigned char>(byte);
  return to;
}
void* memcpy(void* to, const void* from, size_t count) {
  auto* bytes = static_cast<volatile unsigned char*>(to);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<const unsigned char*>(from)[i];
  return to;
}

// Where the kernel enters: the stack holds argc, argv, null, environment, null.
[[noreturn, gnu::used]] void ShimBegin(long* stack) {
  const int argc = static_cast<int>(stack[0]);
  char** const argv = reinterpret_cast<char**>(stack + 1);
  Exit(Run(argc, argv, argv + argc + 1));
}
asm(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call "
    "ShimBegin\n");
}
