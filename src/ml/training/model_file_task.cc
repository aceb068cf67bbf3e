#include "ml/training/model_file_task.h"

#include "ml/training/model_file.h"
#include "platform/exec/files.h"

namespace gyre::training {
namespace {

Result<ModelFileFacts> FactsOf(const Json& input) {
  ModelFileFacts facts;
  facts.target = input["target"].AsString();
  for (const Json& name : input["classes"].items()) facts.classes.push_back(name.AsString());
  facts.threshold = input["threshold"].AsDouble(0.5);
  if (input["columns"].is_array()) {
    GYRE_TRY(facts.columns, table::SchemaFromJson(input["columns"]));
  }
  return facts;
}

}  // namespace

Result<Json> ModelFileTask(runners::TaskContext& context) {
  const Json& input = context.input();
  GYRE_TRY(const std::string bytes, exec::ReadFile(input["path"].AsString()));
  GYRE_TRY(const auto kept, InspectKept(bytes));
  if (kept)
    return Json::Obj({{"kept", true},
                      {"learner", kept->flavour},
                      {"signature", Json::Obj({{"inputs", kept->facts["inputs"]},
                                               {"outputs", kept->facts["outputs"]}})},
                      {"facts", kept->facts}});
  GYRE_TRY(const ModelFileFacts facts, FactsOf(input));
  GYRE_TRY(const predictors::ModelPackage package, PackageOfFile(bytes, facts));
  GYRE_TRY(Json signature, SignatureOf(package));
  GYRE_DO(exec::WriteFile(context.scratch_directory() + "/package", package.Save()));
  return Json::Obj({{"kept", false},
                    {"task", predictors::TaskName(package.task)},
                    {"target", package.target},
                    {"learner", package.learner},
                    {"signature", std::move(signature)},
                    {"facts", Json::Obj()}});
}

}  // namespace gyre::training
