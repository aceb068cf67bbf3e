// Models that need no engine: linear ones and constants, as canonical JSON with the coefficients as
// the hex digits of their bits.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ml/predictors/explainer.h"
#include "ml/predictors/predictor.h"

namespace gyre::predictors {

// Task::kBinary: one row of coefficients, logistic. kMulticlass: one row per class, softmax.
// kRegression: one row, identity. A missing (NaN) feature adds nothing, like the mean of a centred
// column.
struct LinearModel {
  Task task = Task::kRegression;
  std::size_t features = 0;
  std::vector<double> coefficients;  // row-major, intercepts.size() x features
  std::vector<double> intercepts;
};
std::string SaveLinear(const LinearModel& model);  // format "gyre.linear"

// The same answer for every row: kBinary {probability of the second class}, kMulticlass
// {probabilities}, kRegression {value}.
struct ConstantModel {
  Task task = Task::kRegression;
  std::size_t features = 0;
  std::vector<double> values;
};
std::string SaveConstant(const ConstantModel& model);  // format "gyre.constant"

// Errors: kInvalidArgument GY3202.
Result<std::unique_ptr<Predictor>> LoadLinear(std::string_view bytes);
Result<std::unique_ptr<Predictor>> LoadConstant(std::string_view bytes);
Result<std::unique_ptr<Explainer>> ExplainLinear(std::string_view bytes);
Result<std::unique_ptr<Explainer>> ExplainConstant(std::string_view bytes);

}  // namespace gyre::predictors
