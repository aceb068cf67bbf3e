// Tasks and jobs that run at once, inside the call, so that a failure points at its line: no
// worker, no queue, nothing kept. Tests only.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "ml/runners/jobs.h"
#include "ml/runners/tasks.h"

namespace gyre::runners {

class ContextHere final : public TaskContext {
 public:
  ContextHere(Json input, std::string scratch)
      : input_(std::move(input)), scratch_(std::move(scratch)) {}
  const Json& input() const override { return input_; }
  const std::string& scratch_directory() const override { return scratch_; }
  void Progress(double, std::string_view) override {}
  void Log(std::string_view) override {}
  void Event(std::string_view kind, const Json& data) override { events.emplace_back(kind, data); }
  bool cancelled() const override { return cancel; }

  std::vector<std::pair<std::string, Json>> events;
  bool cancel = false;

 private:
  const Json input_;
  const std::string scratch_;
};

class JobsHere final : public Jobs {
 public:
  // How a task is answered; `scratch` is a folder it may write into.
  using Answer = std::function<Result<Json>(std::string_view task, const Json& input,
                                            const std::string& scratch)>;
  // Tasks of a registry, each with a fresh folder below `scratch`.
  JobsHere(const TaskRegistry& tasks, std::string scratch)
      : answer([&tasks](std::string_view task, const Json& input,
                        const std::string& folder) -> Result<Json> {
          std::filesystem::create_directories(folder);
          ContextHere context(input, folder);
          return (*tasks.Find(task))(context);
        }),
        scratch_(std::move(scratch)) {}
  explicit JobsHere(Answer how = {}) : answer(std::move(how)) {}

  void Register(JobKind kind) override { kinds_[kind.name] = std::move(kind); }
  Result<> Start() override { return {}; }
  Result<Job> Submit(JobSpec spec) override {
    Job job;
    job.id = NewId();
    job.kind = spec.kind;
    job.project = spec.project;
    job.input = spec.input;
    job.created_by = spec.created_by;
    if (!hold) return Finish(std::move(job));
    held = job;
    return job;
  }
  Job Finish(Job job) {
    ++jobs_run;
    RunHere run(*this, job);
    auto result = kinds_.at(job.kind).execute(run);
    job.state = result ? "succeeded" : "failed";
    if (result) {
      job.result = *std::move(result);
    } else {
      job.error_kind = CodeName(result.error().code());
      job.error_code = result.error().gy();
      job.error_message = result.error().message();
      job.error_where = result.error().where();
      job.error_fixes.assign(result.error().fixes().begin(), result.error().fixes().end());
    }
    return job;
  }
  Result<Job> Get(std::string_view) override { return NotFound("GY3302", "no job is kept"); }
  Result<std::vector<Job>> List(const JobQuery&) override { return std::vector<Job>(); }
  bool busy() override { return false; }
  Result<> Cancel(std::string_view, std::string_view) override { return {}; }
  Result<Job> Wait(std::string_view id, std::int64_t,
                   const std::function<bool(const Job&)>&) override {
    return Get(id);
  }
  Result<std::string> ReadLog(std::string_view, std::int64_t) override { return std::string(); }
  Result<std::int64_t> Forget(std::string_view, std::int64_t) override { return 0; }
  Result<Json> RunTaskNow(std::string_view task, const Json& input,
                          const JobRun::TaskOptions& options) override {
    ++tasks_run;
    last_input = input;
    const std::string own = fmt::format("{}/task-{}", scratch_, NewId());
    return answer(task, input, options.scratch_directory.empty() ? own : options.scratch_directory);
  }

  Answer answer;
  bool hold = false;  // keep the next job in `held` until Finish
  Job held;
  int tasks_run = 0, jobs_run = 0;
  Json last_input;

 private:
  class RunHere final : public JobRun {
   public:
    RunHere(JobsHere& jobs, const Job& job)
        : jobs_(jobs), job_(job), scratch_(fmt::format("{}/job-{}", jobs.scratch_, job.id)) {}
    const Job& job() const override { return job_; }
    const std::string& scratch_directory() const override { return scratch_; }
    Result<Json> RunTask(std::string_view task, const Json& input,
                         const TaskOptions& options) override {
      TaskOptions with_scratch = options;
      with_scratch.scratch_directory = scratch_;
      return jobs_.RunTaskNow(task, input, with_scratch);
    }
    void Progress(double, std::string_view) override {}
    void Log(std::string_view) override {}
    bool cancelled() const override { return false; }

   private:
    JobsHere& jobs_;
    const Job& job_;
    const std::string scratch_;
  };

  const std::string scratch_;
  std::map<std::string, JobKind, std::less<>> kinds_;
};

}  // namespace gyre::runners
