#include "ml/runners/tasks_now.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/id.h"
#include "platform/exec/files.h"

namespace gyre::runners {
namespace {

constexpr int kRunningMax = 4;
constexpr int kWaitingMax = 4;  // each holds a thread that answers requests

}  // namespace

struct TasksNow::Listed {
  std::atomic<bool> cancel{false};
  Job job;  // guarded by TasksNow::mutex_
};

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
        .Fix("try again in a moment")
        .Fix("gyre jobs    (what runs; gyre jobs cancel ID stops it)");
  }
  ++running_;
  return {};
}

std::shared_ptr<TasksNow::Listed> TasksNow::Show(const JobSpec& spec) {
  auto listed = std::make_shared<Listed>();
  const std::int64_t now_us = clock_.NowMicros();
  listed->job = Job{.id = NewId(),
                    .kind = spec.kind,
                    .project = spec.project,
                    .title = spec.title,
                    .state = "running",
                    .input = spec.input,
                    .progress = -1,
                    .created_by = spec.created_by,
                    .created_us = now_us,
                    .started_us = now_us};
  listed_.emplace(listed->job.id, listed);
  return listed;
}

Result<Json> TasksNow::Run(std::string_view task, const Json& input,
                           const JobRun::TaskOptions& options) {
  std::shared_ptr<Listed> listed;
  {
    const MutexLock lock(mutex_);
    GYRE_DO(TakeSlot());
    if (options.listed) listed = Show(*options.listed);
  }
  const std::string own = fmt::format("{}/job-{}", scratch_, NewId());
  TaskCall call;
  call.task = task;
  call.input = &input;
  call.scratch_directory = options.scratch_directory.empty() ? own : options.scratch_directory;
  call.memory_bytes_max = options.memory_bytes_max;
  call.timeout_ms = options.timeout_ms;
  call.cancelled = [&] {
    return (listed && listed->cancel.load()) || (options.cancelled && options.cancelled());
  };
  call.on_event = options.on_event;
  TaskUsage usage;
  const auto made = exec::MakeDirectories(call.scratch_directory);
  Result<Json> result = made ? workers_.Run(call, &usage) : Result<Json>(made.error());
  (void)exec::RemoveTree(own);
  const MutexLock lock(mutex_);
  if (listed) {
    Job& job = listed->job;
    if (!result && listed->cancel.load()) {
      result = MakeError(Code::kCancelled, "GY3317", "the job was cancelled: {}", job.title)
                   .Where("job " + job.id);
    }
    const bool stopped = !result && result.error().code() == Code::kCancelled;
    job.state = result ? "succeeded" : stopped ? "cancelled" : "failed";
    job.ended_us = clock_.NowMicros();
    listed_.erase(job.id);
  }
  --running_;
  changed_.NotifyAll();
  return result;
}

std::shared_ptr<TasksNow::Listed> TasksNow::Lookup(std::string_view id_or_prefix) {
  constexpr std::size_t kPrefixMin = 4;
  const auto it = listed_.lower_bound(id_or_prefix);
  if (id_or_prefix.size() < kPrefixMin || it == listed_.end() ||
      !it->first.starts_with(id_or_prefix))
    return nullptr;
  return it->second;
}

std::optional<Job> TasksNow::Find(std::string_view id_or_prefix) {
  const MutexLock lock(mutex_);
  const auto found = Lookup(id_or_prefix);
  return found ? std::optional(found->job) : std::nullopt;
}

std::vector<Job> TasksNow::List(const JobQuery& query) {
  std::vector<Job> jobs;
  if (!query.after.empty()) return jobs;                              // on the first page
  if (!query.state.empty() && query.state != "running") return jobs;  // none other is listed
  const MutexLock lock(mutex_);
  for (const auto& [id, listed] : listed_) {
    const auto& projects = query.projects;
    if (!projects || std::ranges::find(*projects, listed->job.project) != projects->end())
      jobs.push_back(listed->job);
  }
  return jobs;
}

bool TasksNow::Cancel(std::string_view id_or_prefix) {
  const MutexLock lock(mutex_);
  const auto found = Lookup(id_or_prefix);
  if (found) found->cancel.store(true);
  return found != nullptr;
}

std::optional<Job> TasksNow::Wait(std::string_view id_or_prefix, std::int64_t timeout_ms) {
  const std::int64_t deadline_us =
      timeout_ms < 0 ? INT64_MAX : clock_.MonotonicMicros() + timeout_ms * 1000;
  const MutexLock lock(mutex_);
  const auto found = Lookup(id_or_prefix);
  if (!found) return std::nullopt;
  while (found->job.ended_us == 0 && clock_.MonotonicMicros() < deadline_us)
    changed_.WaitMicros(mutex_, kMicrosPerSecond);
  return found->job;
}

}  // namespace gyre::runners
