// Signs that a random split flatters: rows in the order of time, ids that repeat. Only hints, with
// the command that splits accordingly: whether the past or known ids are what will be asked about
// is for the user to say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ml/training/problem.h"

namespace gyre::training {

std::vector<Finding> SplitHints(const table::Frame& frame, const FitRequest& request);

// A column that surely splits better than chance does, and why. Time: the only column of dates or
// timestamps, in whose order the rows stand, nearly each with its own. Else group: the only column
// that is named after people (customer_id) and repeats, two rows for each or more. One that is not
// as sure is a hint.
struct SplitChoice {
  std::string column;
  bool is_time = false;
  std::string text;
};
std::optional<SplitChoice> ChooseSplit(const table::Frame& frame, const FitRequest& request);

}  // namespace gyre::training
