#include "base/json.h"
#include "ml/predictors/scorer.h"

namespace gyre::predictors {

namespace {

constexpr std::string_view kFormat = "gyre.model", kKeptFormat = "gyre.kept";
constexpr std::size_t kClassesMax = 100'000;

Error Broken(std::string_view what) {
  return InvalidArgument("GY3203", "the model package is broken: {}", what)
      .Why("a package is written by training and never changed afterwards");
}

// What was made elsewhere may be kept as the file that it is.
Error KeptOnly(std::string_view flavour) {
  const std::string_view name = flavour == "onnx"      ? "ONNX"
                                : flavour == "sklearn" ? "scikit-learn"
                                                       : flavour;
  return Error(Code::kUnimplemented, "GY3211",
               fmt::format("the model is kept as its {} file, which gyre does not serve", name))
      .Why("it runs LightGBM's and XGBoost's files, and what it trained itself")
      .Fix("gyre train DATASET --target COLUMN    (learns the same from the data)")
      .Fix("gyre import model MODEL.ubj    (a LightGBM or XGBoost model of the same columns)");
}

Result<> CheckClasses(const ModelPackage& package) {
  const std::size_t count = package.classes.size();
  if (count > kClassesMax) return Broken("it has too many classes");
  const bool fine = package.task == Task::kRegression ? count == 0
                    : package.task == Task::kBinary   ? count == 2
                                                      : count >= 2;
  if (!fine)
    return Broken(fmt::format("a {} model cannot have {} classes", TaskName(package.task), count));
  return {};
}

}  // namespace

std::string ModelPackage::Save() const {
  Json names{Json::Array{}};
  for (const std::string& name : classes) names.Push(name);
  Json json = Json::Obj({{"format", kFormat},
                         {"version", 1},
                         {"task", TaskName(task)},
                         {"classes", std::move(names)},
                         {"target", target},
                         {"target_type", table::TypeName(target_type)},
                         {"threshold", threshold},
                         {"learner", learner},
                         {"recipe", recipe},
                         {"predictor_format", predictor_format},
                         {"predictor", predictor}});
  if (!formats.empty()) json.Set("formats", table::FormatsToJson(formats));
  return json.DumpCanonical();
}

Json ModelPackage::InputJson(const table::Schema& input) const {
  Json columns = table::SchemaToJson(input);
  table::AddFormats(formats, &columns);
  return columns;
}

Result<ModelPackage> ModelPackage::Load(std::string_view bytes) {
  auto document = Json::Parse(bytes);
  if (!document) return Broken(document.error().message());
  const Json& json = *document;
  if (json["format"].AsString() == kKeptFormat) return KeptOnly(json["flavour"].AsString());
  if (json["format"].AsString() != kFormat) return Broken("it does not say `gyre.model`");
  if (json["version"].AsInt() != 1)
    return Broken(fmt::format("version {} is not known", json["version"].Dump()));
  ModelPackage package;
  const auto task = ParseTask(json["task"].AsString());
  if (!task) return Broken(task.error().message());
  package.task = *task;
  for (const Json& name : json["classes"].items()) {
    if (!name.is_string()) return Broken("a class is no text");
    package.classes.push_back(name.AsString());
  }
  GYRE_DO(CheckClasses(package));
  const auto type = table::ParseType(json["target_type"].AsString());
  if (!type) return Broken("`target_type` is no type");
  package.target_type = *type;
  for (const auto& [key, member] : {std::pair{"target", &package.target},
                                    {"learner", &package.learner},
                                    {"recipe", &package.recipe},
                                    {"predictor_format", &package.predictor_format},
                                    {"predictor", &package.predictor}}) {
    auto value = json.GetString(key);
    if (!value) return Broken(value.error().message());
    *member = *std::move(value);
  }
  package.formats = table::FormatsOf(json["formats"]);
  auto threshold = json.GetDouble("threshold");
  if (!threshold) return Broken(threshold.error().message());
  package.threshold = *threshold;
  return package;
}

}  // namespace gyre::predictors
