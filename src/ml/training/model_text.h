// Several LightGBM models as one: the trees of all, leaves scaled by weights, so that the sum is
// the weighted mean of their raw scores.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::training {

struct WeightedText {
  std::string_view text;
  double weight = 1;
};
// All must have the same objective, classes and features. Weight 1 leaves the leaves of a model as
// they are. What depends on the machine or on the moment (parameters such as the number of threads)
// is left out. Error: kInternal GY3520 for a text that is not LightGBM's.
Result<std::string> MergeModels(std::span<const WeightedText> models);
// Leaves of all trees: what a model costs in memory.
std::size_t CountLeaves(std::string_view text);

}  // namespace gyre::training
