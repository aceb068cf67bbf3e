#include "platform/exec/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/text.h"

namespace gyre::exec {
namespace {

constexpr std::size_t kChildStackBytes = 64 * 1024;

// In memory that both see.
struct ChildAnswer {
  const char* failed_step = nullptr;
  int failed_errno = 0;
};

// Everything the child needs, laid out before the clone: the child allocates nothing and takes no
// lock.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* working_directory;  // null = ours
  std::pair<int, int>* descriptors;
  std::size_t descriptor_count;
  int first_free_descriptor;  // above every "theirs"
  bool own_process_group;
  bool dies_with_parent;
  pid_t parent;
  int cpus;
  std::int64_t memory_bytes_max;
  std::int64_t cpu_seconds_max;
  ChildAnswer* answer;
};

// The sanitizer's wrapper of clone() takes a child's steps for the thread's own when they share
// their memory.
#ifdef __SANITIZE_THREAD__
constexpr int kShareMemory = 0;
#else
constexpr int kShareMemory = CLONE_VM;
#endif

[[noreturn]] void Fail(ChildPlan* plan, const char* step) {
  plan->answer->failed_errno = errno;
  plan->answer->failed_step = step;
  _exit(127);
}

void LimitResource(ChildPlan* plan, int resource, std::int64_t limit, const char* step) {
  if (limit <= 0) return;
  const rlimit value{static_cast<rlim_t>(limit), static_cast<rlim_t>(limit)};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &value) != 0) Fail(plan, step);
}

// Some of those that this process may run on. Consecutive process numbers begin at different ones,
// so that programs limited to one CPU each do not share the first.
void LimitCpus(ChildPlan* plan) {
  if (plan->cpus <= 0) return;
  cpu_set_t ours, fewer;
  if (sched_getaffinity(0, sizeof ours, &ours) != 0) Fail(plan, "sched_getaffinity");
  CPU_ZERO(&fewer);
  int skip = static_cast<int>(syscall(SYS_getpid)) % CPU_COUNT(&ours);
  int left = std::min(plan->cpus, CPU_COUNT(&ours));
  for (int at = 0; left > 0; at = (at + 1) % CPU_SETSIZE) {
    if (!CPU_ISSET(at, &ours) || skip-- > 0) continue;
    CPU_SET(at, &fewer);
    --left;
  }
  if (sched_setaffinity(0, sizeof fewer, &fewer) != 0) Fail(plan, "sched_setaffinity");
}

void MoveDescriptors(ChildPlan* plan) {
  // Nothing but 0, 1, 2 and what is named leaks into the program, whoever forgot O_CLOEXEC.
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0 && errno != ENOSYS) Fail(plan, "close_range");
  // Two steps, because one pair's "theirs" may be another pair's "ours".
  for (std::size_t i = 0; i < plan->descriptor_count; ++i) {
    const int copy =
        fcntl(plan->descriptors[i].first, F_DUPFD_CLOEXEC, plan->first_free_descriptor);
    if (copy < 0) Fail(plan, "dup");
    plan->descriptors[i].first = copy;
  }
  for (std::size_t i = 0; i < plan->descriptor_count; ++i) {
    if (dup2(plan->descriptors[i].first, plan->descriptors[i].second) < 0) Fail(plan, "dup2");
  }
}

// Handlers of ours must not run in the child: it shares our memory until exec.
void ResetSignals() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) != 0) continue;
    if (action.sa_handler == SIG_DFL || (action.sa_handler == SIG_IGN && number != SIGPIPE)) {
      continue;
    }
    action = {};
    action.sa_handler = SIG_DFL;
    sigaction(number, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int RunChild(void* argument) {
  auto* plan = static_cast<ChildPlan*>(argument);
  if (plan->own_process_group && setpgid(0, 0) != 0) Fail(plan, "setpgid");
  if (plan->dies_with_parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) Fail(plan, "prctl");
    if (getppid() != plan->parent) _exit(127);  // it died before the prctl
  }
  ResetSignals();
  MoveDescriptors(plan);
  if (plan->working_directory && chdir(plan->working_directory) != 0) Fail(plan, "chdir");
  LimitCpus(plan);
  LimitResource(plan, RLIMIT_AS, plan->memory_bytes_max, "setrlimit");
  LimitResource(plan, RLIMIT_CPU, plan->cpu_seconds_max, "setrlimit");
  execve(plan->program, plan->argv, plan->envp);
  Fail(plan, "exec");
}

std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  for (const std::string_view directory : Split(path ? path : "/usr/bin:/bin", ':')) {
    std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::vector<std::string> BuildEnvironment(const SpawnOptions& options) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (options.environment.contains(name)) continue;
    if (std::ranges::find(options.environment_removed, name) != options.environment_removed.end()) {
      continue;
    }
    environment.emplace_back(text);
  }
  for (const auto& [name, value] : options.environment) {
    environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Error SpawnError(const SpawnOptions& options, const ChildAnswer& answer) {
  const std::string step = answer.failed_step;
  const std::string reason = SystemError(step, answer.failed_errno).message();
  if (step == "exec" && (answer.failed_errno == ENOENT || answer.failed_errno == ENOTDIR)) {
    return NotFound("GY1310", "no program `{}`", options.argv[0])
        .Fix("give its full path, or put its folder into PATH");
  }
  if (step == "exec" && answer.failed_errno == EACCES) {
    return NotFound("GY1310", "`{}` is not a program that may be run", options.argv[0])
        .Fix(fmt::format("chmod +x {}", options.argv[0]));
  }
  if (step == "chdir") {
    return Internal("GY1311", "cannot start `{}` in `{}`: {}", options.argv[0],
                    options.working_directory, reason);
  }
  return Internal("GY1311", "cannot start `{}`: {}", options.argv[0], reason);
}

using AnswerPointer = std::unique_ptr<ChildAnswer, void (*)(ChildAnswer*)>;
AnswerPointer SharedAnswer() {
  void* memory =
      mmap(nullptr, sizeof(ChildAnswer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) memory = nullptr;
  return {memory == nullptr ? nullptr : new (memory) ChildAnswer(),
          [](ChildAnswer* answer) { munmap(answer, sizeof(ChildAnswer)); }};
}

Result<int> SpawnHere(const SpawnOptions& options) {
  if (options.argv.empty()) return Internal("GY1311", "no program was named");
  const std::string program = FindProgram(options.argv[0]);
  if (program.empty()) {
    return NotFound("GY1310", "no program `{}` in PATH", options.argv[0])
        .Fix("give its full path, or put its folder into PATH");
  }
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = BuildEnvironment(options);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  std::vector<std::pair<int, int>> descriptors = options.descriptors;
  int highest = 2;
  for (const auto& pair : descriptors) highest = std::max(highest, pair.second);
  const auto answer = SharedAnswer();
  if (!answer) return Internal("GY1311", "cannot start `{}`: no memory", options.argv[0]);
  ChildPlan plan{.program = program.c_str(),
                 .argv = argv.data(),
                 .envp = envp.data(),
                 .working_directory = options.working_directory.empty()
                                          ? nullptr
                                          : options.working_directory.c_str(),
                 .descriptors = descriptors.data(),
                 .descriptor_count = descriptors.size(),
                 .first_free_descriptor = highest + 1,
                 .own_process_group = options.own_process_group,
                 .dies_with_parent = options.dies_with_parent,
                 .parent = getpid(),
                 .cpus = options.cpus,
                 .memory_bytes_max = options.memory_bytes_max,
                 .cpu_seconds_max = options.cpu_seconds_max,
                 .answer = answer.get()};

  // posix_spawn cannot set the death signal or limits, and fork would copy the page tables of a
  // large server; so: share the memory, stop this thread until exec, run on a stack of its own.
  std::vector<char> stack(kChildStackBytes);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int pid =
      clone(RunChild, stack.data() + stack.size(), kShareMemory | CLONE_VFORK | SIGCHLD, &plan);
  const int clone_errno = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    return Internal("GY1311", "cannot start `{}`: {}", options.argv[0],
                    SystemError("clone", clone_errno).message());
  }
  if (answer->failed_step) {
    waitpid(pid, nullptr, 0);
    return SpawnError(options, *answer);
  }
  return pid;
}

// One thread for the life of the process; never joined, because children may outlast every static
// object but not the thread.
class Spawner {
 public:
  Spawner() {
    std::thread([this] { Run(); }).detach();
  }

  Result<int> Spawn(const SpawnOptions& options) {
    Request request{&options, {}, false};
    MutexLock lock(mutex_);
    requests_.push_back(&request);
    wake_.NotifyAll();
    while (!request.done) wake_.Wait(mutex_);
    return std::move(request.answer);
  }

 private:
  struct Request {
    const SpawnOptions* options;
    Result<int> answer = 0;
    bool done = false;
  };

  void Run() {
    pthread_setname_np(pthread_self(), "spawner");
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);  // signals are for the threads that wait for them
    while (true) {
      Request* request = nullptr;
      {
        MutexLock lock(mutex_);
        while (requests_.empty()) wake_.Wait(mutex_);
        request = requests_.back();
        requests_.pop_back();
      }
      Result<int> answer = SpawnHere(*request->options);
      MutexLock lock(mutex_);
      request->answer = std::move(answer);
      request->done = true;
      wake_.NotifyAll();
    }
  }

  Mutex mutex_;
  CondVar wake_;
  std::vector<Request*> requests_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace

Result<int> SpawnChild(const SpawnOptions& options) {
  if (!options.dies_with_parent) return SpawnHere(options);
  static Spawner* const spawner = new Spawner;
  return spawner->Spawn(options);
}

}  // namespace gyre::exec
