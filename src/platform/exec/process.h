// Child processes, started without copying the server (it has threads and locks, and may be large).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace gyre::exec {

struct SpawnOptions {
  std::vector<std::string> argv =
      {};  // argv[0] is looked up in PATH when it has no slash; never a shell
  std::string working_directory = {};                   // empty = ours
  std::map<std::string, std::string> environment = {};  // added to or replacing ours
  std::vector<std::string> environment_removed = {};    // names taken out
  std::vector<std::pair<int, int>> descriptors =
      {};  // {ours, theirs}: e.g. {pipe_write, 3}; 0, 1, 2 not named here are inherited
  bool own_process_group = true;      // so that a signal reaches grandchildren
  bool dies_with_parent = true;       // killed when this process ends, however it ends
  int cpus = 0;                       // > 0: may run on so many CPUs only
  std::int64_t memory_bytes_max = 0;  // RLIMIT_AS; 0 = none
  std::int64_t cpu_seconds_max = 0;   // RLIMIT_CPU; 0 = none
};

struct ExitStatus {
  int code = 0;            // exit status, or 128 + signal
  int signal = 0;          // 0 = exited by itself
  double cpu_seconds = 0;  // user + system of the child and its waited-for children
  double wall_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
  bool over_memory = false;                        // killed for it, by RunCapturing
  std::int64_t read_bytes = 0, written_bytes = 0;  // block I/O
};

// One child. Not thread-safe, except Signal. The destructor kills the group and reaps.
class Process {
 public:
  // Errors: kNotFound GY1310 when the program is not there, kInternal GY1311 when the system
  // refuses.
  static Result<Process> Spawn(SpawnOptions options);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  int pid() const;
  void Signal(int signal) const;  // to the whole group; no-op after the end
  Result<std::optional<ExitStatus>> Wait(
      std::int64_t timeout_us);  // empty = still running; negative timeout = for ever
  void Detach();  // lets it live: the destructor then neither kills nor reaps (spawn it with
                  // dies_with_parent = false)

 private:
  Process();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The path of the running program, from /proc/self/exe.
std::string SelfPath();
// Processor seconds of this process until now.
double OwnCpuSeconds();
// The most memory that this process ever held; 0 when the kernel does not say.
std::int64_t OwnMemoryPeak();

}  // namespace gyre::exec
