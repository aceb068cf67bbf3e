#include "ml/automation/steps.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "ml/data/datasets.h"
#include "ml/predictors/scorer.h"
#include "ml/recipes/recipe.h"
#include "ml/registry/registry.h"
#include "ml/serving/serving.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/fault_point.h"

namespace gyre::automation {
namespace {

using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kCanaryKeys[] = {{"endpoint", true}, {"model", true}, {"plan"}};
const OutputSpec kCanaryOutputs[] = {{"state", ValueType::kText}, {"reason", ValueType::kText}};
const KindFacts kCanaryFacts{"canary", kCanaryKeys, kCanaryOutputs};

constexpr KindKey kChampionKeys[] = {{"endpoint", true}};
const OutputSpec kChampionOutputs[] = {{"model", ValueType::kText},   {"name", ValueType::kText},
                                       {"target", ValueType::kText},  {"task", ValueType::kText},
                                       {"dataset", ValueType::kText}, {"recipe", ValueType::kJson}};
const KindFacts kChampionFacts{"champion", kChampionKeys, kChampionOutputs};

constexpr KindKey kTakeoverKeys[] = {{"endpoint", true}, {"model", true}};
const OutputSpec kTakeoverOutputs[] = {{"model", ValueType::kText}};
const KindFacts kTakeoverFacts{"takeover", kTakeoverKeys, kTakeoverOutputs};

// A full disk, a database that is busy: the next look does it again.
bool Passes(Code code) {
  return code == Code::kOutOfSpace || code == Code::kUnavailable ||
         code == Code::kResourceExhausted;
}

class CanaryKind final : public pipelines::StepKind {
 public:
  explicit CanaryKind(Releases& releases) : releases_(releases) {}

  const KindFacts& facts() const override { return kCanaryFacts; }
  std::string_view permission() const override { return "endpoint.deploy"; }

  Result<std::string> Start(const StepContext& context) override {
    Releases::Start start{
        .key = context.attempt_key, .run_id = context.run_id, .project = context.project};
    GYRE_TRY(start.plan, CanaryPlanFromJson(context.with["plan"]));
    GYRE_TRY(start.endpoint, context.with.GetString("endpoint"));
    GYRE_TRY(start.model, context.with.GetString("model"));
    GYRE_TRY(const Release release, releases_.Begin(start));
    return release.id;
  }

  Result<std::optional<StepEnd>> Poll(const std::string& reference,
                                      const StepContext& /*context*/) override {
    const auto looked = releases_.Look(reference);
    if (!looked && Passes(looked.error().code())) return std::optional<StepEnd>();
    GYRE_TRY(const Release release, looked);
    if (release.state != kPassed && release.state != kRolledBack) return std::optional<StepEnd>();
    const bool passed = release.state == kPassed;
    StepEnd end{.outputs = Json::Obj({{"state", release.state}, {"reason", release.reason}})};
    if (!passed) {
      end.outputs = FailedPrecondition("GY4810", "the canary {} was rolled back: {}", release.model,
                                       release.reason);
      end.findings = true;
    }
    return std::optional<StepEnd>(std::move(end));
  }

  void Cancel(const std::string& reference) override {
    static_cast<void>(releases_.RollBack(reference, "its run was cancelled"));
  }

 private:
  Releases& releases_;
};

// The reference of the dataset version that it learned from; empty when that has been removed.
std::string TaughtBy(const StepRooms& rooms, const registry::ModelVersion& version) {
  for (const registry::DatasetUse& use : version.datasets) {
    if (use.role != "train") continue;
    if (const auto dataset = rooms.datasets.GetVersionById(use.dataset_version_id))
      return dataset->reference();
  }
  return {};
}

Result<Json> RecipeOf(const StepRooms& rooms, const registry::ModelVersion& version) {
  GYRE_TRY(const std::string bytes, rooms.blobs.Get(version.package.digest));
  GYRE_TRY(const auto package, predictors::ModelPackage::Load(bytes));
  GYRE_TRY(const auto fitted, recipes::Fitted::Load(package.recipe));
  return fitted.spec().ToJson();
}

Result<Json> DescribeChampion(const StepRooms& rooms, const StepContext& context) {
  GYRE_TRY(const serving::Endpoint endpoint,
           rooms.serving.Get(context.project, context.with["endpoint"].AsString()));
  GYRE_TRY(const registry::ModelVersion version,
           rooms.registry.GetVersion(endpoint.deployment.model_version_id));
  GYRE_TRY(Json recipe, RecipeOf(rooms, version));
  return Json::Obj({{"model", version.name()},
                    {"name", version.model},
                    {"target", version.target},
                    {"task", version.task},
                    {"dataset", TaughtBy(rooms, version)},
                    {"recipe", std::move(recipe)}});
}

// What was tried takes over as the canary that it is; what somebody has taken back stays back.
Result<> Promote(const StepRooms& rooms, const StepContext& context, const std::string& endpoint,
                 const std::string& model, std::string_view reason) {
  GYRE_TRY(const Releases::Way way, rooms.releases.Fence(context.run_id, model));
  if (way.is == Releases::Way::Is::kThere) return {};
  if (way.is == Releases::Way::Is::kFree) {
    GYRE_TRY(const serving::Endpoint now, rooms.serving.Get(context.project, endpoint));
    if (now.deployment.model == model) return {};
    GYRE_TRY([[maybe_unused]] const auto deployed,
             rooms.serving.Deploy({.project = context.project,
                                   .reference = model,
                                   .endpoint = endpoint,
                                   .reason = std::string(reason),
                                   .deployed_by = context.created_by,
                                   .replace = true}));
    return {};
  }
  const auto promoted = rooms.serving.PromoteVariant({.project = context.project,
                                                      .endpoint = endpoint,
                                                      .reason = std::string(reason),
                                                      .by = context.created_by,
                                                      .replace = true,  // it has answered them
                                                      .over = way.over,
                                                      .model = model});
  if (promoted) return {};
  // Its alias may have been followed in between, which takes the canary away; else that says why.
  GYRE_TRY(const Releases::Way by_now, rooms.releases.Fence(context.run_id, model));
  return by_now.is == Releases::Way::Is::kThere ? Result<>() : Result<>(promoted.error());
}

Result<Json> TakeOver(const StepRooms& rooms, const StepContext& context) {
  GYRE_TRY(const std::string model, context.with.GetString("model"));
  GYRE_DO(Promote(rooms, context, context.with["endpoint"].AsString(), model,
                  "the canary became champion"));
  exec::Fault("takeover.deployed");
  GYRE_DO(rooms.releases.TookOver(context.run_id, model));
  return Json::Obj({{"model", model}});
}

bool SaysNo(const StepEnd& end) {
  return !end.outputs && end.outputs.error().code() == Code::kFailedPrecondition;
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, const StepRooms& rooms) {
  pipelines.AddKind(std::make_unique<CanaryKind>(rooms.releases));
  pipelines.AddKind(pipelines::ImmediateKind(kChampionFacts, "model.read",
                                             [rooms](const StepContext& context) -> StepEnd {
                                               return {.outputs = DescribeChampion(rooms, context)};
                                             }));
  pipelines.AddKind(pipelines::ImmediateKind(kTakeoverFacts, "endpoint.deploy",
                                             [rooms](const StepContext& context) -> StepEnd {
                                               StepEnd end{.outputs = TakeOver(rooms, context)};
                                               // Trying again brings no champion back.
                                               end.findings = SaysNo(end);
                                               return end;
                                             }));
}

}  // namespace gyre::automation
