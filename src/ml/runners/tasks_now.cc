#include "ml/runners/tasks_now.h"

#include <utility>

#include "base/id.h"
#include "platform/exec/files.h"

namespace gyre::runners {
namespace {

constexpr int kRunningMax = 4;
constexpr int kWaitingMax = 4;  // each holds a thread that answers requests

}  // namespace

Result<> TasksNow::TakeSlot() {
  constexpr std::int64_t kPatienceMicros = 10 * kMicrosPerSecond;
  const std::int64_t deadline_us = clock_.MonotonicMicros() + kPatienceMicros;
  const bool too_many = waiting_ >= kWaitingMax;
  ++waiting_;
  while (!too_many && running_ >= kRunningMax && clock_.MonotonicMicros() < deadline_us)
    changed_.WaitMicros(mutex_, kMicrosPerSecond);
  --waiting_;
  if (running_ >= kRunningMax) {
    return MakeError(Code::kUnavailable, "GY3304", "{} requests of this kind run already",
                     kRunningMax)
        .Fix("try again in a moment");
  }
  ++running_;
  return {};
}

Result<Json> TasksNow::Run(std::string_view task, const Json& input,
                           const JobRun::TaskOptions& options) {
  {
    const MutexLock lock(mutex_);
    GYRE_DO(TakeSlot());
  }
  const std::string own = fmt::format("{}/job-{}", scratch_, NewId());
  TaskCall call;
  call.task = task;
  call.input = &input;
  call.scratch_directory = options.scratch_directory.empty() ? own : options.scratch_directory;
  call.memory_bytes_max = options.memory_bytes_max;
  call.timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : timeout_ms_;
  call.cancelled = options.cancelled;
  call.on_event = options.on_event;
  TaskUsage usage;
  const auto made = exec::MakeDirectories(call.scratch_directory);
  Result<Json> result = made ? workers_.Run(call, &usage) : Result<Json>(made.error());
  (void)exec::RemoveTree(own);
  const MutexLock lock(mutex_);
  --running_;
  changed_.NotifyAll();
  return result;
}

}  // namespace gyre::runners
