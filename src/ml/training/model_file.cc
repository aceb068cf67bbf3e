#include "ml/training/model_file.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"
#include "ml/recipes/recipe.h"
#include "ml/training/ubjson.h"
#include "ml/training/xgboost_file.h"

namespace gyre::training {
namespace {

constexpr std::string_view kLightGbm = "lightgbm.text";

Error NoModel(std::string_view what) {
  return InvalidArgument("GY3540", "the file is no model that gyre can run: {}", what)
      .Fix("LightGBM or XGBoost: booster.save_model(path), or a model that gyre trained");
}

Error DoesNotFit(std::string what) {
  return InvalidArgument("GY3541", "the model file and what is said of it differ: {}", what);
}

// What LightGBM writes above its trees.
struct Header {
  std::vector<std::string> features;
  std::string objective;
  std::size_t outputs = 1;
};

std::optional<std::string_view> ValueOf(std::string_view text, std::string_view key) {
  const std::string wanted = fmt::format("\n{}=", key);
  const std::size_t at = text.find(wanted);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + wanted.size());
  return Trim(rest.substr(0, rest.find('\n')));
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view word : Split(text, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

Result<Header> ReadHeader(std::string_view text) {
  const std::string_view head = text.substr(0, text.find("\nTree="));
  Header header;
  header.features = Words(ValueOf(head, "feature_names").value_or(""));
  if (header.features.empty()) return NoModel("its header names no features");
  const auto objective = Words(ValueOf(head, "objective").value_or(""));
  if (objective.empty() || objective[0] == "custom")
    return NoModel("it does not say what it was trained for (`objective`)");
  header.objective = objective[0];
  const auto outputs = ParseInt(ValueOf(head, "num_class").value_or("1"));
  header.outputs = static_cast<std::size_t>(std::max<std::int64_t>(1, outputs.value_or(1)));
  // Categories of pandas stand behind the trees; their codes mean nothing outside that program.
  constexpr std::string_view kCategories = "\npandas_categorical:";
  const std::size_t at = text.rfind(kCategories);
  if (at == std::string_view::npos) return header;
  const auto categories = Trim(text.substr(at + kCategories.size()));
  if (!categories.starts_with("[]") && !categories.starts_with("null"))
    return Error(NoModel("it counts on categories of a pandas frame")
                     .Fix("give it the codes: frame[column].cat.codes"));
  return header;
}

predictors::Task TaskOf(const Header& header) {
  if (header.objective == "binary") return predictors::Task::kBinary;
  return header.objective.starts_with("multiclass") ? predictors::Task::kMulticlass
                                                    : predictors::Task::kRegression;
}

Result<std::vector<std::string>> ClassesOf(const Header& header, predictors::Task task,
                                           const ModelFileFacts& facts) {
  if (task == predictors::Task::kRegression) {
    if (facts.classes.empty()) return std::vector<std::string>{};
    return DoesNotFit("`classes` are given, and the model answers with a number");
  }
  const std::size_t count = task == predictors::Task::kBinary ? 2 : header.outputs;
  std::vector<std::string> classes = facts.classes;
  for (std::size_t i = 0; classes.size() < count && facts.classes.empty(); ++i)
    classes.push_back(fmt::format("{}", i));
  if (classes.size() == count) return classes;
  return Error(
      DoesNotFit(fmt::format("`classes` are {}, and the model knows {}", classes.size(), count))
          .Fix("name them in the order of the labels 0, 1, ..."));
}

Result<table::Type> TypeOf(const std::string& name, const table::Schema& columns) {
  if (columns.empty()) return table::Type::kDouble;
  const auto found = std::ranges::find(columns, name, &table::Field::name);
  if (found == columns.end()) {
    std::vector<std::string> names;
    for (const table::Field& field : columns) names.push_back(field.name);
    Error error = DoesNotFit(fmt::format("the dataset has no column `{}`, which it reads", name));
    const auto close = ClosestMatch(name, names);
    return Error(std::move(error).Fix(close ? fmt::format("is it `{}`?", *close)
                                            : "train it on columns with these names"));
  }
  if (found->type == table::Type::kInt || found->type == table::Type::kDouble ||
      found->type == table::Type::kBool)
    return found->type;
  return Error(DoesNotFit(fmt::format("it reads `{}`, which is {} in the dataset", name,
                                      table::TypeName(found->type)))
                   .Why("how it turned that into numbers is not in the file")
                   .Fix("train on a dataset whose columns are numbers"));
}

// Each column as it is, in the order of the model. The rows only fill the recipe's golden vectors.
Result<recipes::Fitted> AsTheyAre(const Header& header, const table::Schema& columns) {
  Json schema = Json::Obj(), steps = Json::Arr(), vector = Json::Arr();
  table::Frame frame;
  for (std::size_t i = 0; i < header.features.size(); ++i) {
    const std::string &name = header.features[i], id = fmt::format("f{}", i);
    GYRE_TRY(const table::Type type, TypeOf(name, columns));
    if (schema.Has(name)) return NoModel(fmt::format("it reads `{}` twice", name));
    schema.Set(name, table::TypeName(type));
    steps.Push(Json::Obj({{"id", id}, {"op", "number"}, {"in", name}}));
    vector.Push(id);
    table::Column column;
    column.name = name;
    column.type = type;
    if (type == table::Type::kDouble) {
      for (const double value : {0.0, 1.0, -2.5}) column.PushDouble(value);
    } else {
      for (const std::int64_t value : {0, 1, 1}) column.PushInt(value);
    }
    column.PushNull();
    frame.columns.push_back(std::move(column));
  }
  GYRE_TRY(
      const auto spec,
      recipes::Spec::FromJson(Json::Obj({{"recipe", "as-they-are"},
                                         {"input", Json::Obj({{"schema", std::move(schema)}})},
                                         {"steps", std::move(steps)},
                                         {"output", Json::Obj({{"vector", std::move(vector)}})}})));
  return recipes::Fit(spec, frame, {});
}

table::Type TargetType(const predictors::ModelPackage& package, const table::Schema& columns) {
  const auto found = std::ranges::find(columns, package.target, &table::Field::name);
  if (found != columns.end()) return found->type;
  if (package.classes.empty()) return table::Type::kDouble;
  const bool whole = std::ranges::all_of(
      package.classes, [](const std::string& name) { return ParseInt(name).has_value(); });
  return whole ? table::Type::kInt : table::Type::kText;
}

Result<predictors::ModelPackage> FromForest(const Header& header, std::string_view text,
                                            std::string_view learner, const ModelFileFacts& facts) {
  if (facts.target.empty())
    return Error(DoesNotFit("what the model predicts is not in its file")
                     .Fix("say it: --target COLUMN; in a step, target: COLUMN"));
  if (std::ranges::find(header.features, facts.target) != header.features.end())
    return DoesNotFit(fmt::format("the model reads `{}`, its target", facts.target));
  predictors::ModelPackage package;
  package.task = TaskOf(header);
  GYRE_TRY(package.classes, ClassesOf(header, package.task, facts));
  package.target = facts.target;
  package.target_type = TargetType(package, facts.columns);
  package.threshold = facts.threshold;
  GYRE_TRY(const recipes::Fitted fitted, AsTheyAre(header, facts.columns));
  package.recipe = fitted.Save();
  package.predictor_format = kLightGbm;
  package.predictor = text;
  package.learner = learner;
  return package;
}

Result<predictors::ModelPackage> FromLightGbm(std::string_view text, const ModelFileFacts& facts) {
  GYRE_TRY(const Header header, ReadHeader(text));
  return FromForest(header, text, "lightgbm", facts);
}

Result<predictors::ModelPackage> FromXgboost(const Json& document, const ModelFileFacts& facts) {
  GYRE_TRY(const XgboostModel model, ReadXgboost(document));
  GYRE_TRY(Header header, ReadHeader(model.text));
  header.features = model.features;
  return FromForest(header, model.text, "xgboost", facts);
}

Result<predictors::ModelPackage> FromPackage(std::string_view bytes, const ModelFileFacts& facts) {
  auto package = predictors::ModelPackage::Load(bytes);
  if (!package) return NoModel(package.error().message());
  if (!facts.target.empty() && facts.target != package->target)
    return DoesNotFit(fmt::format("`target` is `{}`, and the model predicts `{}`", facts.target,
                                  package->target));
  return package;
}

// UBJSON too begins with a brace; the name of its first member has a length of eight bytes.
Result<predictors::ModelPackage> ReadPackage(std::string_view bytes, const ModelFileFacts& facts) {
  if (bytes.starts_with("tree\n") || bytes.starts_with("tree\r\n"))
    return FromLightGbm(bytes, facts);
  if (!bytes.starts_with('{'))
    return NoModel(bytes.empty() ? "it is empty" : "neither LightGBM's, XGBoost's nor gyre's own");
  if (bytes.starts_with("{L")) {
    GYRE_TRY(const Json document, ParseUbjson(bytes));
    return FromXgboost(document, facts);
  }
  const auto document = Json::Parse(bytes);
  if (document && (*document)["learner"]["gradient_booster"].is_object())
    return FromXgboost(*document, facts);
  return FromPackage(bytes, facts);
}

}  // namespace

Result<predictors::ModelPackage> PackageOfFile(std::string_view bytes,
                                               const ModelFileFacts& facts) {
  GYRE_TRY(predictors::ModelPackage package, ReadPackage(bytes, facts));
  // What cannot answer is not registered.
  GYRE_TRY([[maybe_unused]] const auto scorer, predictors::Scorer::FromPackage(package));
  return package;
}

Result<Json> SignatureOf(const predictors::ModelPackage& package) {
  GYRE_TRY(const auto fitted, recipes::Fitted::Load(package.recipe));
  Json classes = Json::Arr();
  for (const std::string& name : package.classes) classes.Push(name);
  const bool binary = package.task == predictors::Task::kBinary;
  return Json::Obj(
      {{"inputs", package.InputJson(fitted.input())},
       {"outputs", Json::Obj({{"task", predictors::TaskName(package.task)},
                              {"classes", std::move(classes)},
                              {"positive", binary ? Json(package.classes.back()) : Json()}})}});
}

}  // namespace gyre::training
