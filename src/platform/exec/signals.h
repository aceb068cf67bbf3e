// Signals as values. A server blocks those that end it and waits for them; a command counts Ctrl-C
// while it waits for something.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "base/error.h"

namespace gyre::exec {

// Blocks the signals in this thread and in all that it starts later; make it before any other
// thread. Children get them unblocked.
class SignalWaiter {
 public:
  SignalWaiter(std::initializer_list<int> signals);
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;
  // The next of them; empty when the time passed. Negative = for ever.
  std::optional<int> Wait(std::int64_t timeout_us);
  // The next of them; empty when the other side of the descriptor is gone.
  std::optional<int> WaitOrHangUp(int descriptor);

 private:
  std::vector<int> signals_;
};

// While it lives, Ctrl-C (SIGINT) is counted instead of ending the process. One at a time.
class InterruptCounter {
 public:
  InterruptCounter();
  ~InterruptCounter();
  InterruptCounter(const InterruptCounter&) = delete;
  InterruptCounter& operator=(const InterruptCounter&) = delete;
  static int count();
  // Sleeps; true when a Ctrl-C came meanwhile.
  static bool SleepMicros(std::int64_t time_us);
};

void IgnoreBrokenPipes();  // a write to a closed pipe then fails instead of ending the process
Result<> SendSignal(int pid, int signal);  // kNotFound when there is no such process
bool ProcessLives(int pid);
bool ReapIfEnded(int pid);  // of a child of ours: true when it has ended (again and again)

struct DetachedPipes {
  int input = -1;   // -1 = /dev/null
  int output = -1;  // -1 = the log file
};
// Starts the program in a session of its own with nothing else of ours open; stderr is appended to
// `log_file`. Nobody waits for it.
Result<int> SpawnDetached(const std::vector<std::string>& argv, const std::string& log_file,
                          DetachedPipes pipes = {});

}  // namespace gyre::exec
