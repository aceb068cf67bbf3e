// A small model package for tests and benchmarks: its recipe has every type of column.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "ml/predictors/linear.h"
#include "ml/predictors/scorer.h"

namespace gyre::serving {

constexpr std::string_view kTestRecipe = R"(
recipe: test
input: {schema: {age: int, amount: double, country: text, active: bool, joined: date, seen: timestamp}}
steps:
  - {id: a, op: number, in: age}
  - {id: b, op: number, in: amount}
  - {id: c, op: encode.onehot, in: country}
  - {id: d, op: number, in: active}
  - {id: e, op: datetime.parts, in: joined, args: {parts: [month]}}
  - {id: f, op: datetime.parts, in: seen, args: {parts: [hour]}}
output: {vector: [a, b, c, d, e, f]}
)";

inline table::Frame TestFrame(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  table::Frame frame;
  using table::Type;
  for (const auto& [name, type] : {std::pair{"age", Type::kInt},
                                   {"amount", Type::kDouble},
                                   {"country", Type::kText},
                                   {"active", Type::kBool},
                                   {"joined", Type::kDate},
                                   {"seen", Type::kTimestamp}}) {
    frame.columns.emplace_back();
    frame.columns.back().name = name;
    frame.columns.back().type = type;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    frame.columns[0].PushInt(static_cast<std::int64_t>(random.Below(90)));
    frame.columns[1].PushDouble(random.Normal());
    frame.columns[2].PushText(random.Below(2) == 0 ? "NL" : "DE");
    frame.columns[3].PushInt(static_cast<std::int64_t>(random.Below(2)));
    frame.columns[4].PushInt(static_cast<std::int64_t>(random.Below(20'000)));
    frame.columns[5].PushInt(static_cast<std::int64_t>(random.Below(2'000'000'000)) * 1'000'000);
  }
  return frame;
}

// A logistic model; `shift` moves its answers, so that versions can be told apart. The weight of
// country=DE is 2, of amount 1.
inline predictors::ModelPackage TestPackage(double shift) {
  const auto spec = recipes::Spec::FromYaml(kTestRecipe);
  GYRE_CHECK(spec.has_value());
  const auto fitted = recipes::Fit(*spec, TestFrame(200, 1), {});
  GYRE_CHECK(fitted.has_value());
  predictors::LinearModel model{.task = predictors::Task::kBinary,
                                .features = fitted->width(),
                                .coefficients = std::vector<double>(fitted->width(), 0.0),
                                .intercepts = {shift}};
  for (std::size_t i = 0; i < fitted->width(); ++i) {
    const std::string& name = fitted->output_names()[i];
    if (name == "amount") model.coefficients[i] = 1;
    if (name == "age") model.coefficients[i] = 0.01;
    if (name == "country=DE") model.coefficients[i] = 2;
  }
  predictors::ModelPackage package;
  package.task = predictors::Task::kBinary;
  package.classes = {"No", "Yes"};
  package.target = "Churn";
  package.recipe = fitted->Save();
  package.predictor_format = "gyre.linear";
  package.predictor = predictors::SaveLinear(model);
  package.learner = "logistic";
  return package;
}

}  // namespace gyre::serving
