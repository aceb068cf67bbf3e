// Tasks of requests that wait (a plan, an export): a few at once, each ends with its client or when
// its time is over. Thread-safe. Private.
#pragma once

#include <string>
#include <string_view>

#include "base/mutex.h"
#include "ml/runners/jobs.h"
#include "ml/runners/worker_pool.h"

namespace gyre::runners {

class TasksNow {
 public:
  // timeout_ms: of tasks that name none.
  TasksNow(WorkerPool& workers, const Clock& clock, std::string scratch_directory,
           std::int64_t timeout_ms)
      : workers_(workers),
        clock_(clock),
        scratch_(std::move(scratch_directory)),
        timeout_ms_(timeout_ms) {}

  Result<Json> Run(std::string_view task, const Json& input, const JobRun::TaskOptions& options)
      GYRE_EXCLUDES(mutex_);

 private:
  Result<> TakeSlot() GYRE_REQUIRES(mutex_);

  WorkerPool& workers_;
  const Clock& clock_;
  const std::string scratch_;
  const std::int64_t timeout_ms_;
  Mutex mutex_;
  CondVar changed_;
  int running_ GYRE_GUARDED_BY(mutex_) = 0;
  int waiting_ GYRE_GUARDED_BY(mutex_) = 0;
};

}  // namespace gyre::runners
