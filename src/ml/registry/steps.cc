#include "ml/registry/steps.h"

#include <utility>

namespace gyre::registry {
namespace {

using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kKeys[] = {{"model", true}, {"alias"}, {"reason"}};
const OutputSpec kOutputs[] = {{"model", ValueType::kText},
                               {"alias", ValueType::kText},
                               {"previous_version", ValueType::kInt}};
const KindFacts kPromote{"promote", kKeys, kOutputs};

StepEnd Promote(Registry& registry, const Fence& fence, const StepContext& context) {
  const auto promote = [&]() -> Result<Json> {
    GYRE_TRY(const ModelVersion version,
             registry.Resolve(context.project, context.with["model"].AsString()));
    Registry::MoveRequest request;
    request.project = version.project;
    request.model = version.model;
    request.alias = context.with["alias"].StringOr("champion");
    if (request.alias == "champion") {
      GYRE_TRY(request.beside, fence(context.run_id, version.name()));
    }
    request.version = version.version;
    request.reason = context.with["reason"].StringOr(
        fmt::format("pipeline run {}", context.run_id.substr(0, 8)));
    request.moved_by = context.created_by;
    GYRE_TRY(const AliasMove move, registry.MoveAlias(std::move(request)));
    return Json::Obj({{"model", version.name()},
                      {"alias", move.alias},
                      {"previous_version", move.previous_version}});
  };
  StepEnd end{.outputs = promote()};
  // The gate or an approval says no: trying again does not change that.
  end.findings = !end.outputs && end.outputs.error().code() == Code::kFailedPrecondition;
  return end;
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, Registry& registry, Fence fence) {
  pipelines.AddKind(pipelines::ImmediateKind(
      kPromote, "model.approve", [&registry, fence = std::move(fence)](const StepContext& context) {
        return Promote(registry, fence, context);
      }));
}

}  // namespace gyre::registry
