#include "ml/evaluation/steps.h"

#include "ml/pipelines/job_kind.h"

namespace gyre::evaluation {
namespace {

using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kKeys[] = {{"model", true}, {"dataset"}, {"against"}, {"alias"},
                             {"rules"},       {"options"}, {"facts"},   {"primary"}};
const OutputSpec kOutputs[] = {{"evaluation", ValueType::kText},
                               {"primary", ValueType::kText},
                               {"metrics", ValueType::kJson},
                               {"passed", ValueType::kBool},
                               {"verdict", ValueType::kJson}};
const KindFacts kEvaluate{"evaluate", kKeys, kOutputs};
const KindFacts kGate{"gate", kKeys, kOutputs};

Result<runners::Job> Submit(Evaluations& evaluations, const StepContext& context) {
  EvaluateRequest request;
  request.project = context.project;
  request.model = context.with["model"].AsString();
  request.dataset = context.with["dataset"].AsString();
  request.against = context.with["against"].AsString();
  request.alias = context.with["alias"].StringOr("champion");
  request.rules = context.with["rules"];
  request.options = context.with["options"];
  request.facts = context.with["facts"];
  request.primary = context.with["primary"].AsString();
  request.created_by = context.created_by;
  return evaluations.Submit(std::move(request));
}

StepEnd EndEvaluate(const StepContext& /*context*/, const runners::Job& job) {
  const Json& found = job.result;
  return {.outputs = Json::Obj({{"evaluation", found["evaluation"]},
                                {"primary", found["primary"]},
                                {"metrics", found["metrics"]},
                                {"passed", found["verdict"]["pass"].AsBool()},
                                {"verdict", found["verdict"]}}),
          .links = {{.kind = "evaluation",
                     .id = found["evaluation"].AsString(),
                     .label = found["model"].AsString()}}};
}

StepEnd EndGate(const StepContext& context, const runners::Job& job) {
  StepEnd end = EndEvaluate(context, job);
  const Json& verdict = job.result["verdict"];
  if (verdict["pass"].AsBool()) return end;
  std::string reasons;
  for (const Json& reason : verdict["reasons"].items()) {
    if (!reason["pass"].AsBool())
      reasons += (reasons.empty() ? "" : "; ") + reason["text"].AsString();
  }
  end.findings = true;
  end.outputs = FailedPrecondition("GY3709", "the gate says no to {}: {}",
                                   context.with["model"].AsString(), reasons);
  return end;
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, Evaluations& evaluations, runners::Jobs& jobs) {
  const auto submit = [&](const StepContext& context) { return Submit(evaluations, context); };
  pipelines.AddKind(pipelines::JobStepKind(jobs, kEvaluate, "model.write", {submit, EndEvaluate}));
  pipelines.AddKind(pipelines::JobStepKind(jobs, kGate, "model.write", {submit, EndGate}));
}

}  // namespace gyre::evaluation
