// For tests: small frames and linear models over them.
#pragma once

#include <cmath>
#include <memory>
#include <string>

#include "base/random.h"
#include "ml/predictors/linear.h"
#include "ml/predictors/scorer.h"
#include "ml/recipes/recipe.h"
#include "platform/table/frame.h"

namespace gyre::evaluation {

inline table::Column MakeColumn(std::string name, table::Type type) {
  table::Column column;
  column.name = std::move(name);
  column.type = type;
  return column;
}

// usage (matters), noise, region (every tenth is missing), Churn ("yes" or "no").
inline table::Frame ChurnFrame(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  table::Frame frame;
  frame.columns = {
      MakeColumn("usage", table::Type::kDouble), MakeColumn("noise", table::Type::kDouble),
      MakeColumn("region", table::Type::kText), MakeColumn("Churn", table::Type::kText)};
  const char* regions[] = {"north", "south", "east"};
  for (std::size_t i = 0; i < rows; ++i) {
    const double usage = random.Normal();
    frame.columns[0].PushDouble(usage);
    frame.columns[1].PushDouble(random.Normal());
    if (i % 10 == 9) {
      frame.columns[2].PushNull();
    } else {
      frame.columns[2].PushText(regions[random.Below(3)]);
    }
    const double p = 1 / (1 + std::exp(-2 * usage + 0.5));
    frame.columns[3].PushText(random.Uniform() < p ? "yes" : "no");
  }
  return frame;
}

// area, price = 2 area + noise.
inline table::Frame PriceFrame(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  table::Frame frame;
  frame.columns = {MakeColumn("area", table::Type::kDouble),
                   MakeColumn("price", table::Type::kDouble)};
  for (std::size_t i = 0; i < rows; ++i) {
    const double area = random.Uniform() * 10;
    frame.columns[0].PushDouble(area);
    frame.columns[1].PushDouble(2 * area + random.Normal());
  }
  return frame;
}

inline predictors::ModelPackage MakePackage(const table::Frame& frame, std::string_view recipe,
                                            predictors::LinearModel model) {
  const auto spec = recipes::Spec::FromYaml(recipe);
  GYRE_CHECK(spec);
  const auto fitted = recipes::Fit(*spec, frame, {});
  GYRE_CHECK(fitted);
  predictors::ModelPackage package;
  package.task = model.task;
  package.recipe = fitted->Save();
  package.predictor_format = "gyre.linear";
  package.predictor = predictors::SaveLinear(model);
  package.learner = "logistic";
  return package;
}

inline predictors::ModelPackage ChurnPackage(const table::Frame& frame, double weight) {
  predictors::ModelPackage package =
      MakePackage(frame,
                  "recipe: churn\ninput: {schema: {usage: double, noise: double}}\n"
                  "steps:\n  - {id: u, op: number, in: usage}\n  - {id: n, op: number, in: noise}\n"
                  "output: {vector: [u, n]}\n",
                  {predictors::Task::kBinary, 2, {weight, 0}, {-0.5}});
  package.classes = {"no", "yes"};
  package.target = "Churn";
  return package;
}

inline std::shared_ptr<const predictors::Scorer> Load(const predictors::ModelPackage& package) {
  auto scorer = predictors::Scorer::Load(package.Save());
  GYRE_CHECK(scorer);
  return *scorer;
}
inline std::shared_ptr<const predictors::Scorer> ChurnScorer(const table::Frame& frame,
                                                             double weight) {
  return Load(ChurnPackage(frame, weight));
}

inline std::shared_ptr<const predictors::Scorer> PriceScorer(const table::Frame& frame,
                                                             double weight) {
  predictors::ModelPackage package = MakePackage(
      frame,
      "recipe: price\ninput: {schema: {area: double}}\nsteps:\n  - {id: a, op: number, in: area}\n"
      "output: {vector: [a]}\n",
      {predictors::Task::kRegression, 1, {weight}, {0}});
  package.target = "price";
  package.target_type = table::Type::kDouble;
  return Load(package);
}

}  // namespace gyre::evaluation
