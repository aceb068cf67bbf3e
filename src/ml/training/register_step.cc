// register: a model file that a step wrote, or a registered version, under a name of its own. The
// same bytes under the same name are the same version, so that a repeat makes no second one.
#include "ml/training/register_step.h"

#include "ml/training/model_file.h"

namespace gyre::training {
namespace {

using pipelines::kFilePrefix;
using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kKeys[] = {{"file", false, false, ValueType::kFile},
                             {"model"},
                             {"name"},
                             {"target"},
                             {"classes"},
                             {"threshold"},
                             {"dataset"},
                             {"metrics"},
                             {"description"}};
const OutputSpec kOutputs[] = {{"model", ValueType::kText},
                               {"version_id", ValueType::kText},
                               {"version", ValueType::kInt},
                               {"unchanged", ValueType::kBool}};
const KindFacts kRegister{"register", kKeys, kOutputs};

struct Rooms {
  pipelines::Pipelines& pipelines;
  data::Datasets& datasets;
  registry::Registry& registry;
  blob::Store& blobs;
};

Error Unclear(std::string what, std::string fix) {
  return Error(
      InvalidArgument("GY3542", "a model cannot be registered: {}", what).Fix(std::move(fix)));
}

Result<std::string> BytesOf(const Rooms& rooms, const StepContext& context) {
  const std::string& file = context.with["file"].AsString();
  constexpr std::string_view kFix = "file: ${steps.fit.outputs.NAME}, of type file";
  if (!file.starts_with(kFilePrefix))
    return Unclear(fmt::format("`file` is `{}`, not a file that another step made", file),
                   std::string(kFix));
  // Who knows the digest of another project's file has no right to it.
  const std::string digest = file.substr(kFilePrefix.size());
  GYRE_TRY(const bool ours, rooms.pipelines.HasFile(context.project, digest));
  if (!ours)
    return NotFound("GY3543", "no step of a run of this project made the file `{}`", file)
        .Fix(std::string(kFix));
  return rooms.blobs.Get(digest);
}

Result<ModelFileFacts> FactsOf(const Rooms& rooms, const StepContext& context,
                               registry::NewVersion* version) {
  ModelFileFacts facts;
  facts.target = context.with["target"].AsString();
  for (const Json& name : context.with["classes"].items())
    facts.classes.push_back(name.is_string() ? name.AsString() : name.Dump());
  if (const Json& threshold = context.with["threshold"]; !threshold.is_null()) {
    facts.threshold = threshold.AsDouble(-1);
    if (!(facts.threshold > 0 && facts.threshold < 1))
      return Unclear(fmt::format("`threshold` is {}", threshold.Dump()), "between 0 and 1");
  }
  if (!context.with.Has("dataset")) return facts;
  GYRE_TRY(const data::Version dataset,
           rooms.datasets.Resolve(context.project, context.with["dataset"].AsString()));
  facts.columns = dataset.schema;
  version->datasets = {{dataset.id, "train"}};
  return facts;
}

Result<registry::NewVersion> FromFile(const Rooms& rooms, const StepContext& context) {
  registry::NewVersion version;
  GYRE_TRY(const std::string bytes, BytesOf(rooms, context));
  GYRE_TRY(const ModelFileFacts facts, FactsOf(rooms, context, &version));
  GYRE_TRY(const predictors::ModelPackage package, PackageOfFile(bytes, facts));
  GYRE_TRY(version.package, rooms.blobs.Put(package.Save()));
  GYRE_TRY(version.signature, SignatureOf(package));
  version.task = predictors::TaskName(package.task);
  version.target = package.target;
  version.learner = package.learner;
  version.metrics = Json::Obj();
  for (const auto& [name, value] : context.with["metrics"].members()) {
    if (!value.is_number())
      return Unclear(fmt::format("the metric `{}` is {}", name, value.Dump()), "a number");
    version.metrics.Set(name, value);
  }
  return version;
}

Result<registry::NewVersion> FromVersion(const Rooms& rooms, const StepContext& context) {
  for (const std::string_view key : {"target", "classes", "threshold", "dataset", "metrics"}) {
    if (context.with.Has(key))
      return Unclear(fmt::format("`{}` is known of a registered model", key), "leave it out");
  }
  GYRE_TRY(registry::ModelVersion from,
           rooms.registry.Resolve(context.project, context.with["model"].AsString()));
  GYRE_DO(registry::CheckHasPackage(from));
  return registry::NewVersion{.project = {},
                              .model = from.model,
                              .package = from.package,
                              .run_id = from.run_id,
                              .datasets = std::move(from.datasets),
                              .recipe_hash = from.recipe_hash,
                              .task = from.task,
                              .target = from.target,
                              .learner = from.learner,
                              .metrics = std::move(from.metrics),
                              .signature = std::move(from.signature),
                              .evaluation_id = from.evaluation_id,
                              .attachments = std::move(from.attachments),
                              .notes = from.notes,
                              .created_by = {}};
}

Result<StepEnd> Register(const Rooms& rooms, const StepContext& context) {
  if (context.with.Has("file") == context.with.Has("model"))
    return Unclear("a model is registered from `file` or from `model`",
                   "file: ${steps.fit.outputs.model}, name: churn");
  GYRE_TRY(registry::NewVersion version,
           context.with.Has("file") ? FromFile(rooms, context) : FromVersion(rooms, context));
  version.project = context.project;
  version.created_by = context.created_by;
  if (context.with.Has("name")) version.model = context.with["name"].AsString();
  if (context.with.Has("description")) version.notes = context.with["description"].AsString();
  if (version.model.empty()) return Unclear("the model has no name", "name: churn");
  GYRE_TRY(std::optional<registry::ModelVersion> made,
           rooms.registry.OfPackage(version.project, version.model, version.package.digest));
  const bool unchanged = made.has_value();
  if (!made) {
    GYRE_TRY(made, rooms.registry.Register(std::move(version)));
  }
  return StepEnd{.outputs = Json::Obj({{"model", made->name()},
                                       {"version_id", made->id},
                                       {"version", made->version},
                                       {"unchanged", unchanged}}),
                 .links = {{.kind = "model_version", .id = made->id, .label = made->name()}}};
}

}  // namespace

std::unique_ptr<pipelines::StepKind> RegisterKind(pipelines::Pipelines& pipelines,
                                                  data::Datasets& datasets,
                                                  registry::Registry& registry,
                                                  blob::Store& blobs) {
  return pipelines::ImmediateKind(
      kRegister, "model.write",
      [rooms = Rooms{pipelines, datasets, registry, blobs}](const StepContext& context) {
        auto end = Register(rooms, context);
        return end ? *std::move(end) : StepEnd{.outputs = std::move(end).error()};
      });
}

}  // namespace gyre::training
