// Tasks of requests that wait (a query): a few at once, no row. One with a spec is shown among the
// jobs while it runs, and can be cancelled there. Thread-safe. Private.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "ml/runners/jobs.h"
#include "ml/runners/worker_pool.h"

namespace gyre::runners {

class TasksNow {
 public:
  TasksNow(WorkerPool& workers, const Clock& clock, std::string scratch_directory)
      : workers_(workers), clock_(clock), scratch_(std::move(scratch_directory)) {}

  Result<Json> Run(std::string_view task, const Json& input, const JobRun::TaskOptions& options)
      GYRE_EXCLUDES(mutex_);
  std::optional<Job> Find(std::string_view id_or_prefix) GYRE_EXCLUDES(mutex_);
  std::vector<Job> List(const JobQuery& query) GYRE_EXCLUDES(mutex_);
  bool Cancel(std::string_view id_or_prefix) GYRE_EXCLUDES(mutex_);  // false: there is none
  // Until it ends or the time passes; empty when there is none.
  std::optional<Job> Wait(std::string_view id_or_prefix, std::int64_t timeout_ms)
      GYRE_EXCLUDES(mutex_);

 private:
  struct Listed;
  Result<> TakeSlot() GYRE_REQUIRES(mutex_);
  std::shared_ptr<Listed> Lookup(std::string_view id_or_prefix) GYRE_REQUIRES(mutex_);
  std::shared_ptr<Listed> Show(const JobSpec& spec) GYRE_REQUIRES(mutex_);

  WorkerPool& workers_;
  const Clock& clock_;
  const std::string scratch_;
  Mutex mutex_;
  CondVar changed_;
  int running_ GYRE_GUARDED_BY(mutex_) = 0;
  int waiting_ GYRE_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::shared_ptr<Listed>, std::less<>> listed_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::runners
