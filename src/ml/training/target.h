// What is to be learned: task, classes and labels, read from the target column. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/predictors/predictor.h"
#include "platform/table/frame.h"

namespace gyre::training {

struct Target {
  predictors::Task task = predictors::Task::kBinary;
  std::vector<std::string> classes;   // in sort order, a positive one last; empty for regression
  std::vector<std::uint32_t> labels;  // class of each kept row
  std::vector<double> values;         // regression: of each kept row
  std::vector<std::uint32_t> kept;    // rows of the column that have a target
  std::size_t missing = 0;            // rows left out because they have none
  std::string reason;                 // "23 different whole numbers: regression"
  std::string positive_reason;        // why the last of two classes is the positive one
  std::size_t rows() const { return kept.size(); }
  // Empty when no class is the one to find.
  std::string positive() const {
    return task == predictors::Task::kBinary ? classes[1] : std::string();
  }
};

// `task`: what the user said, if anything. Errors: kInvalidArgument GY3502 (every value missing, or
// too few rows), GY3503 (one class only), GY3504 (a type or number of values that cannot be
// learned).
Result<Target> ReadTarget(const table::Column& column, std::optional<predictors::Task> task);

}  // namespace gyre::training
