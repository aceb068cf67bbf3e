// Signs that a random split flatters: rows in the order of time, ids that repeat. Only hints, with
// the command that splits accordingly: whether the past or known ids are what will be asked about
// is for the user to say.
#pragma once

#include <vector>

#include "ml/training/problem.h"

namespace gyre::training {

std::vector<Finding> SplitHints(const table::Frame& frame, const FitRequest& request);

}  // namespace gyre::training
