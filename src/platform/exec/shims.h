// Programs that outlive this process: each in a session of its own below a shim, which leaves in a
// folder who it is and what became of the program. Whoever comes later takes them up again.
// Linux.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace gyre::exec {

struct ShimOptions {
  std::string folder;                    // exists; holds claim and status of this one program
  std::string nonce;                     // 1 to 64 letters and digits
  std::vector<std::string> argv;         // argv[0] is looked up in PATH when it has no slash
  std::vector<std::string> environment;  // all of it: "NAME=value"
  std::string working_directory;         // empty = the folder
  std::string log_file;                  // output and errors are appended
  std::int64_t timeout_ms = 0;           // 0 = none
  std::int64_t stall_ms = 0;             // nothing printed for so long; 0 = none
  std::int64_t grace_ms = 5'000;         // between SIGTERM and SIGKILL
  std::int64_t memory_bytes_max = 0;     // of the program and its descendants; 0 = none
  std::int64_t log_bytes_max = 0;        // of log_file: beyond it, its middle goes; 0 = all of it
  std::vector<std::string> masked;       // names of variables: their values are not in the log
  int cpus = 0;                          // > 0: may run on so many CPUs only
  bool claims_durably = false;           // at most one program, even through a loss of power
};

struct ShimEnd {
  // exit: by itself; start: it could not be started; timeout, stall, cancelled, memory: it was made
  // to end; lost: the shim is gone and left nothing.
  std::string why = {};
  int code = 0;  // exit status, or 128 + signal
  int signal = 0;
  int start_errno = 0;
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
  std::int64_t started_us = 0, ended_us = 0;
};

// Not thread-safe, except Wake. What was started goes on when this ends.
class Shims {
 public:
  // The shim program is written into `directory` (made when missing). Errors: those of the files.
  static Result<std::unique_ptr<Shims>> Open(const std::string& directory);
  virtual ~Shims() = default;

  // At most one program ever runs for a folder: when another shim has claimed it, that one is
  // watched instead. `tag` comes back with its end.
  virtual Result<> Start(std::uint64_t tag, const ShimOptions& options) = 0;
  // Takes up what was started before: false when nobody has claimed the folder. What has ended
  // comes with the next Wait.
  virtual Result<bool> Adopt(std::uint64_t tag, const ShimOptions& options) = 0;
  virtual void Stop(std::uint64_t tag) = 0;  // its end comes as `cancelled`

  struct Ended {
    std::uint64_t tag;
    ShimEnd end;
  };
  // Those that have ended; waits for the first of them, a Wake, or the time.
  virtual std::vector<Ended> Wait(std::int64_t timeout_us) = 0;
  virtual void Wake() = 0;  // from any thread
};

}  // namespace gyre::exec
