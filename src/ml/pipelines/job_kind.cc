#include "ml/pipelines/job_kind.h"

#include "ml/runners/submission.h"

namespace gyre::pipelines {
namespace {

class OfJob final : public StepKind {
 public:
  OfJob(runners::Jobs& jobs, const KindFacts& facts, std::string_view permission,
        JobKindActions actions)
      : jobs_(jobs), facts_(facts), permission_(permission), actions_(std::move(actions)) {}
  const KindFacts& facts() const override { return facts_; }
  std::string_view permission() const override { return permission_; }

  Result<std::string> Start(const StepContext& context) override {
    const runners::SubmitOnce once(
        "pipeline " + context.attempt_key,
        {.run = context.run_id, .label = context.run_id.substr(0, 8), .step = context.step});
    GYRE_TRY(const runners::Job job, actions_.submit(context));
    return job.id;
  }

  Result<std::optional<StepEnd>> Poll(const std::string& reference,
                                      const StepContext& context) override {
    GYRE_TRY(const runners::Job job, jobs_.Get(reference));
    if (job.ended_us == 0) return std::optional<StepEnd>();
    StepEnd end{.outputs = Json::Obj()};
    if (job.state == "succeeded") {
      end = actions_.end(context, job);
    } else {
      end.outputs = runners::ErrorOf(job);
      end.lost = job.state == "interrupted";
    }
    end.cpu_seconds = job.cpu_seconds;
    end.memory_bytes_peak = job.memory_bytes_peak;
    return std::optional<StepEnd>(std::move(end));
  }

  void Cancel(const std::string& reference) override {
    static_cast<void>(jobs_.Cancel(reference, "its pipeline run"));
  }

 private:
  runners::Jobs& jobs_;
  const KindFacts facts_;
  const std::string permission_;
  const JobKindActions actions_;
};

}  // namespace

std::unique_ptr<StepKind> JobStepKind(runners::Jobs& jobs, const KindFacts& facts,
                                      std::string_view permission, JobKindActions actions) {
  return std::make_unique<OfJob>(jobs, facts, permission, std::move(actions));
}

}  // namespace gyre::pipelines
