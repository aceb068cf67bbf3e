// The warm pool of `gyre worker` children: started when first needed, one task at a time each,
// ended when idle, grown fat or misbehaving.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/mutex.h"
#include "base/time.h"

namespace gyre::runners {

struct TaskCall {
  std::string_view task;
  const Json* input = nullptr;
  std::string scratch_directory;
  std::int64_t memory_bytes_max = 0;
  std::int64_t timeout_ms = 0;
  std::function<bool()> cancelled;  // asked about ten times a second
  std::function<void(double, std::string_view)> on_progress;
  std::function<void(std::string_view)> on_log;
  std::function<Result<>(std::string_view, const Json&)> on_event;
};

struct TaskUsage {
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
  std::int64_t io_bytes = 0;  // read and written; not known of a worker that died
};

struct PoolSettings {
  std::string program;  // gyre; called as `program worker`
  int idle_max = 2;
  std::int64_t idle_us = 60 * kMicrosPerSecond;
  std::int64_t resident_bytes_max = std::int64_t{300} << 20;  // fatter ones end after their task
  std::int64_t kill_grace_us = 5 * kMicrosPerSecond;          // between SIGTERM and SIGKILL
};

// Thread-safe. Run() blocks its caller.
class WorkerPool {
 public:
  WorkerPool(PoolSettings settings, const Clock& clock);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Errors: those of the task; kCancelled GY3312, kDeadlineExceeded GY3306, kUnavailable GY3305
  // when the worker died.
  Result<Json> Run(const TaskCall& call, TaskUsage* usage);
  void EndIdle();  // those idle for longer than the settings say

  struct Child;

 private:
  Result<std::unique_ptr<Child>> Take() GYRE_EXCLUDES(mutex_);
  Result<std::unique_ptr<Child>> Start() const;
  void GiveBack(std::unique_ptr<Child> child) GYRE_EXCLUDES(mutex_);

  const PoolSettings settings_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Child>> idle_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::runners
