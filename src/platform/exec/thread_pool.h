// Bounded pools of named threads. Domain code is synchronous; pools are where it runs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"

namespace gyre::exec {

struct PoolOptions {
  std::string name = "pool";  // thread title, at most 12 characters are shown by the system
  int threads = 2;
  int queue_length_max = 1024;
};

// Thread-safe. The destructor runs what is queued, then joins.
class ThreadPool {
 public:
  explicit ThreadPool(PoolOptions options);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Error: kResourceExhausted GY1301 when the queue is full; the task was not taken.
  Result<> Post(std::move_only_function<void()> task);
  int queue_length() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A named thread that joins on destruction; the only other way to start one. `body` gets a flag
// that turns true when it should end.
class StopFlag {
 public:
  bool stopped() const;
  // Sleeps until stopped or the time passed; true when stopped.
  bool WaitMicros(std::int64_t timeout_us) const;

 private:
  friend class Worker;
  struct State;
  std::shared_ptr<State> state_;
};
class Worker {
 public:
  Worker();
  Worker(std::string name, std::move_only_function<void(const StopFlag&)> body);
  Worker(Worker&&) noexcept;
  Worker& operator=(Worker&&) noexcept;
  ~Worker();  // asks to stop, wakes WaitMicros, joins
  void RequestStop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::exec
