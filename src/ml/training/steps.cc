#include "ml/training/steps.h"

#include "ml/pipelines/job_kind.h"
#include "ml/training/register_step.h"

namespace gyre::training {
namespace {

using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kTrainKeys[] = {
    {"dataset", true}, {"target"},      {"model"},          {"experiment"}, {"metric"},
    {"task"},          {"positive"},    {"budget_seconds"}, {"trials"},     {"seed"},
    {"split"},         {"time_column"}, {"group_column"},   {"keep_leaks"}, {"test_share"},
    {"gate"},          {"recipe"},      {"against"},        {"test_last"}};
const OutputSpec kTrainOutputs[] = {
    {"model", ValueType::kText},        {"version_id", ValueType::kText},
    {"version", ValueType::kInt},       {"run", ValueType::kText},
    {"promoted", ValueType::kBool},     {"metric", ValueType::kText},
    {"test_metrics", ValueType::kJson}, {"passed", ValueType::kBool}};
const KindFacts kTrain{"train", kTrainKeys, kTrainOutputs};

constexpr KindKey kRecipeKeys[] = {{"dataset", true}, {"target", true}, {"for"}};
const OutputSpec kRecipeOutputs[] = {{"recipe", ValueType::kJson}};
const KindFacts kRecipe{"recipe", kRecipeKeys, kRecipeOutputs};

constexpr std::int64_t kRowsLookedAtMax = 50'000;

Result<runners::Job> Submit(Training& training, const StepContext& context) {
  GYRE_TRY(TrainRequest request, TrainRequestFromJson(context.with));
  request.project = context.project;
  request.created_by = context.created_by;
  return training.Train(std::move(request));
}

StepEnd End(const StepContext& /*context*/, const runners::Job& job) {
  const Json& made = job.result;
  Json outputs = Json::Obj();
  for (const OutputSpec& output : kTrainOutputs) outputs.Set(output.name, made[output.name]);
  outputs.Set("passed", made["verdict"]["pass"].AsBool());
  return {.outputs = std::move(outputs),
          .links = {{.kind = "model_version",
                     .id = made["version_id"].AsString(),
                     .label = made["model"].AsString()}}};
}

// Columns that give the target away are left out, as people see them left out.
StepEnd Suggest(data::Datasets& datasets, runners::Jobs& jobs, const StepContext& context) {
  const auto suggest = [&]() -> Result<Json> {
    GYRE_TRY(const data::Version version,
             datasets.Resolve(context.project, context.with["dataset"].AsString()));
    const std::string& target = context.with["target"].AsString();
    GYRE_TRY(const Json profile, datasets.ProfileAgainst(version, target));
    GYRE_TRY(const auto paths, datasets.PartPaths(version));
    Json parts = Json::Arr(), exclude = Json::Arr();
    for (const std::string& path : paths) parts.Push(path);
    for (const Json& warning : profile["warnings"].items()) {
      if (warning["leave_out"].AsBool()) exclude.Push(warning["column"].AsString());
    }
    const Json input = Json::Obj({{"parts", std::move(parts)},
                                  {"target", target},
                                  {"exclude", std::move(exclude)},
                                  {"for", context.with["for"].StringOr("trees")},
                                  {"rows_max", kRowsLookedAtMax}});
    GYRE_TRY(const Json answer, jobs.RunTaskNow("recipes.suggest", input, {}));
    return Json::Obj({{"recipe", answer["recipe"]}});
  };
  return {.outputs = suggest()};
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, Training& training, data::Datasets& datasets,
              registry::Registry& registry, blob::Store& blobs, runners::Jobs& jobs) {
  pipelines.AddKind(pipelines::JobStepKind(
      jobs, kTrain, "run.write",
      {[&](const StepContext& context) { return Submit(training, context); }, End}));
  pipelines.AddKind(pipelines::ImmediateKind(
      kRecipe, "dataset.read",
      [&](const StepContext& context) { return Suggest(datasets, jobs, context); }));
  pipelines.AddKind(RegisterKind(pipelines, datasets, registry, blobs));
}

}  // namespace gyre::training
