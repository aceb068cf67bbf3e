// Which LightGBM settings to try next: a few that are good almost everywhere, then random ones,
// half of them near the best so far.
#pragma once

#include <cstddef>

#include "base/random.h"
#include "ml/training/boosting.h"
#include "ml/training/target.h"

namespace gyre::training {

// What is known of the problem before anything was fitted.
struct SearchSpace {
  predictors::Task task = predictors::Task::kBinary;
  std::size_t rows = 0, columns = 0, outputs = 1;
  bool counts = false;    // regression on amounts that are never negative and have a long tail
  bool absolute = false;  // the metric asks for the median rather than the mean
  double learning_rate = 0.05;
};
// The more seconds there are for the work, the smaller the steps of the boosting.
constexpr double kUsualBudgetSeconds = 40;
SearchSpace MakeSearchSpace(const Target& target, std::size_t columns, bool absolute_metric,
                            double budget_seconds);

// Setting number `trial`, from 0. `best` is null before the first has been measured.
BoostParams ProposeParams(const SearchSpace& space, int trial, const BoostParams* best,
                          Random& random);

}  // namespace gyre::training
