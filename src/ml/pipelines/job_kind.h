// Kinds of steps that are jobs: submitted once under the attempt's key, followed until they end.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "ml/pipelines/step_kind.h"
#include "ml/runners/jobs.h"

namespace gyre::pipelines {

struct JobKindActions {
  // Submits one job with Jobs::Submit, on this thread.
  std::function<Result<runners::Job>(const StepContext&)> submit;
  // What a job that succeeded made.
  std::function<StepEnd(const StepContext&, const runners::Job&)> end;
};
std::unique_ptr<StepKind> JobStepKind(runners::Jobs& jobs, const KindFacts& facts,
                                      std::string_view permission, JobKindActions actions);

}  // namespace gyre::pipelines
