// A new model beside the champion, on rows that neither has learned from.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "ml/evaluation/evaluate.h"
#include "ml/training/problem.h"

namespace gyre::training {

// On the test rows; without those that taught the champion, where they are more than a few, and
// what belongs to them: it knows their answers. `warnings` says so. Errors: GY3524 too few rows are
// left; those of evaluation::Compare, and of packages and files that cannot be read.
Result<evaluation::Comparison> CompareWithChampion(const Problem& problem,
                                                   const predictors::Scorer& scorer,
                                                   const evaluation::EvaluateOptions& options,
                                                   std::vector<std::string>* warnings);

}  // namespace gyre::training
