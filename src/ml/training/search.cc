#include "ml/training/search.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gyre::training {

namespace {

using predictors::Task;

double LogUniform(Random& random, double low, double high) {
  return low * std::pow(high / low, random.Uniform());
}

double Rounded(double value, double step) { return std::round(value / step) * step; }

int LeafRowsMax(const SearchSpace& space) {
  return static_cast<int>(std::clamp<std::size_t>(space.rows / 20, 3, 200));
}

std::string Objective(const SearchSpace& space) {
  switch (space.task) {
    case Task::kBinary:
      return "binary";
    case Task::kMulticlass:
      return "multiclass";
    case Task::kRegression:
      break;
  }
  return space.absolute ? "regression_l1" : "regression";
}

BoostParams Base(const SearchSpace& space) {
  BoostParams p;
  p.objective = Objective(space);
  p.learning_rate = space.learning_rate;
  p.leaf_rows_min = std::min(20, LeafRowsMax(space));
  return p;
}

// Good almost everywhere, and different from one another.
BoostParams Fixed(const SearchSpace& space, int index) {
  BoostParams p = Base(space);
  const int few_rows = std::min(5, LeafRowsMax(space));
  switch (index) {
    case 0:
      p.leaves = 24, p.feature_fraction = 0.5, p.lambda_l2 = 1;
      break;
    case 1:
      p.leaves = 12, p.feature_fraction = 0.5, p.bagging_fraction = 0.8, p.lambda_l2 = 5;
      break;
    case 2:
      p.leaves = 80, p.leaf_rows_min = few_rows, p.feature_fraction = 0.6, p.bagging_fraction = 0.8,
      p.lambda_l2 = 2;
      break;
    case 3:
      p.leaves = 50, p.leaf_rows_min = few_rows, p.extra_trees = true, p.feature_fraction = 0.9,
      p.lambda_l2 = 1;
      break;
    case 4:
      p.leaves = 6, p.feature_fraction = 0.4, p.bagging_fraction = 0.7, p.lambda_l2 = 10,
      p.learning_rate *= 1.5;
      break;
    default:
      p.leaves = 24, p.feature_fraction = 0.3, p.bagging_fraction = 0.6, p.lambda_l2 = 10,
      p.path_smooth = 5;
      break;
  }
  return p;
}
constexpr int kFixed = 6;

BoostParams Anywhere(const SearchSpace& space, Random& random) {
  BoostParams p = Base(space);
  const double leaves_max = std::clamp(static_cast<double>(space.rows) / 30, 8.0, 200.0);
  p.leaves = static_cast<int>(LogUniform(random, 4, leaves_max));
  p.leaf_rows_min = static_cast<int>(LogUniform(random, 1, LeafRowsMax(space)));
  p.feature_fraction = Rounded(0.2 + 0.8 * random.Uniform(), 0.01);
  p.bagging_fraction = std::min(Rounded(0.5 + 0.8 * random.Uniform(), 0.01), 1.0);
  p.lambda_l1 = random.Uniform() < 0.6 ? 0 : Rounded(LogUniform(random, 0.01, 10), 0.001);
  p.lambda_l2 = Rounded(LogUniform(random, 0.01, 100), 0.001);
  p.path_smooth = random.Uniform() < 0.7 ? 0 : Rounded(LogUniform(random, 0.5, 50), 0.01);
  p.extra_trees = random.Uniform() < 0.25;
  p.learning_rate = Rounded(space.learning_rate * LogUniform(random, 0.6, 1.6), 0.0001);
  return p;
}

BoostParams Near(const SearchSpace& space, const BoostParams& best, Random& random) {
  BoostParams p = best;
  const auto shake = [&](double width) { return std::exp(width * random.Normal()); };
  p.leaves = static_cast<int>(std::clamp(std::round(best.leaves * shake(0.35)), 3.0, 255.0));
  p.leaf_rows_min = static_cast<int>(std::clamp(std::round(best.leaf_rows_min * shake(0.4)), 1.0,
                                                static_cast<double>(LeafRowsMax(space))));
  p.feature_fraction =
      Rounded(std::clamp(best.feature_fraction + 0.12 * random.Normal(), 0.1, 1.0), 0.01);
  p.bagging_fraction =
      Rounded(std::clamp(best.bagging_fraction + 0.12 * random.Normal(), 0.4, 1.0), 0.01);
  p.lambda_l2 = Rounded(std::clamp(best.lambda_l2 * shake(0.7), 0.001, 300.0), 0.001);
  if (random.Uniform() < 0.2)
    p.lambda_l1 = best.lambda_l1 > 0 ? 0 : Rounded(LogUniform(random, 0.01, 5), 0.001);
  if (random.Uniform() < 0.2)
    p.path_smooth = best.path_smooth > 0 ? 0 : Rounded(LogUniform(random, 0.5, 20), 0.01);
  if (random.Uniform() < 0.15) p.extra_trees = !best.extra_trees;
  p.learning_rate = Rounded(std::clamp(best.learning_rate * shake(0.2), space.learning_rate * 0.3,
                                       space.learning_rate * 2.5),
                            0.0001);
  return p;
}

// Another way to see an amount with a long tail.
void ChooseScale(const SearchSpace& space, int trial, const BoostParams* best, Random& random,
                 BoostParams* p) {
  if (!space.counts || space.absolute) return;
  const double dice = random.Uniform();
  const int kind = trial == 1    ? 1
                   : trial == 2  ? 2
                   : trial == 0  ? 0
                   : dice < 0.25 ? 0
                   : dice < 0.5  ? 1
                   : dice < 0.7  ? 2
                                 : 3;
  if (kind == 3 && best != nullptr) {
    p->objective = best->objective;
    p->square_root = best->square_root;
    return;
  }
  p->objective = kind == 1 ? "poisson" : "regression";
  p->square_root = kind == 2;
}

}  // namespace

SearchSpace MakeSearchSpace(const Target& target, std::size_t columns, bool absolute_metric,
                            double budget_seconds) {
  SearchSpace space;
  space.task = target.task;
  space.rows = target.rows();
  space.columns = columns;
  space.outputs = target.task == Task::kMulticlass ? target.classes.size() : 1;
  space.absolute = absolute_metric;
  if (target.task == Task::kRegression) {
    const auto [low, high] = std::ranges::minmax_element(target.values);
    std::vector<double> sorted = target.values;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::ranges::nth_element(sorted, middle);
    space.counts = *low >= 0 && *high > 4 * std::max(*middle, 1e-9);
  }
  // Smaller steps where they are affordable: cells per second of the budget.
  const double work = static_cast<double>(space.rows) * static_cast<double>(columns + 5) *
                      static_cast<double>(space.outputs) / budget_seconds;
  space.learning_rate = work < 5e3 ? 0.03 : work < 5e4 ? 0.05 : work < 15e4 ? 0.08 : 0.1;
  return space;
}

BoostParams ProposeParams(const SearchSpace& space, int trial, const BoostParams* best,
                          Random& random) {
  constexpr int kSmallerStepsEvery = 7;
  BoostParams p;
  if (trial < kFixed) {
    p = Fixed(space, trial);
  } else if (best != nullptr && trial % kSmallerStepsEvery == kFixed) {
    p = *best;
    p.learning_rate =
        Rounded(std::max(best->learning_rate * 0.5, space.learning_rate * 0.3), 0.0001);
    return p;
  } else {
    p = best != nullptr && random.Uniform() < 0.6 ? Near(space, *best, random)
                                                  : Anywhere(space, random);
  }
  ChooseScale(space, trial, best, random, &p);
  return p;
}

}  // namespace gyre::training
