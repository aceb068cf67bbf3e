#include "ml/predictors/predictor.h"

#include "ml/predictors/explainer.h"
#include "ml/predictors/forest.h"
#include "ml/predictors/linear.h"
#include "ml/predictors/tree_shap.h"

namespace gyre::predictors {

std::string_view TaskName(Task task) {
  switch (task) {
    case Task::kBinary:
      return "binary";
    case Task::kMulticlass:
      return "multiclass";
    case Task::kRegression:
      return "regression";
  }
  return "regression";
}

Result<Task> ParseTask(std::string_view name) {
  for (const Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    if (TaskName(task) == name) return task;
  }
  return InvalidArgument("GY3205", "`{}` is no task", name)
      .Why("tasks are binary, multiclass and regression");
}

void Predictor::PredictBatch(const double* x, std::size_t rows, double* out) const {
  for (std::size_t i = 0; i < rows; ++i) Predict(x + i * features(), out + i * outputs());
}

namespace {

Error UnknownFormat(std::string_view format) {
  return InvalidArgument("GY3201", "`{}` is no model format", format.substr(0, 60))
      .Why("gyre runs lightgbm.text, gyre.linear and gyre.constant");
}

}  // namespace

Result<std::unique_ptr<Predictor>> LoadPredictor(std::string_view format, std::string_view bytes,
                                                 Mode /*mode*/) {
  if (format == "lightgbm.text") {
    GYRE_TRY(TreeModel model, ParseLightGbmText(bytes));
    return CompileForest(std::move(model));
  }
  if (format == "gyre.linear") return LoadLinear(bytes);
  if (format == "gyre.constant") return LoadConstant(bytes);
  return UnknownFormat(format);
}

Result<std::unique_ptr<Explainer>> LoadExplainer(std::string_view format, std::string_view bytes) {
  if (format == "lightgbm.text") {
    GYRE_TRY(TreeModel model, ParseLightGbmText(bytes, Covers::kRead));
    return CompileShap(std::move(model));
  }
  if (format == "gyre.linear") return ExplainLinear(bytes);
  if (format == "gyre.constant") return ExplainConstant(bytes);
  return UnknownFormat(format);
}

}  // namespace gyre::predictors
