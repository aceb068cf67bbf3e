#include "ml/serving/steps.h"

#include "ml/registry/registry.h"

namespace gyre::serving {
namespace {

using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kKeys[] = {{"model", true}, {"endpoint"}, {"reason"}, {"replace"}};
const OutputSpec kOutputs[] = {
    {"endpoint", ValueType::kText}, {"model", ValueType::kText}, {"deployment", ValueType::kInt}};
const KindFacts kDeploy{"deploy", kKeys, kOutputs};

Json OutputsOf(const Endpoint& endpoint) {
  return Json::Obj({{"endpoint", endpoint.name},
                    {"model", endpoint.deployment.model},
                    {"deployment", endpoint.deployment.number}});
}

StepEnd Deploy(Serving& serving, registry::Registry& registry, const StepContext& context) {
  const auto deploy = [&]() -> Result<Json> {
    DeployRequest request;
    request.project = context.project;
    request.reference = context.with["model"].AsString();
    GYRE_TRY(const registry::ModelVersion version,
             registry.Resolve(context.project, request.reference));
    request.endpoint = context.with["endpoint"].StringOr(version.model);
    request.reason = context.with["reason"].StringOr(
        fmt::format("pipeline run {}", context.run_id.substr(0, 8)));
    request.deployed_by = context.created_by;
    request.replace = context.with["replace"].AsBool();
    // Done before a crash: the same version under the same reference is no second deployment.
    const auto there = serving.Get(context.project, request.endpoint);
    if (there && there->ready && there->deployment.model_version_id == version.id &&
        there->deployment.reference == request.reference)
      return OutputsOf(*there);
    GYRE_TRY(const Endpoint endpoint, serving.Deploy(std::move(request)));
    return OutputsOf(endpoint);
  };
  return {.outputs = deploy()};
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, Serving& serving, registry::Registry& registry) {
  pipelines.AddKind(pipelines::ImmediateKind(
      kDeploy, "endpoint.deploy",
      [&](const StepContext& context) { return Deploy(serving, registry, context); }));
}

}  // namespace gyre::serving
