// Columns that learn from the label (encode.target, text.bayes), made again for each fold: out of
// fold among its training rows, and for its validation rows by a recipe that has seen none of them.
// Else the answer of a validation row would stand in columns of the rows that teach. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ml/recipes/recipe.h"
#include "ml/training/linear_fit.h"
#include "ml/training/session.h"

namespace gyre::training {

class FoldValues {
 public:
  // `whole`: the recipe fitted on all training rows, which makes the matrix of the families.
  FoldValues(const recipes::Fitted& whole, const Problem& problem);
  bool empty() const { return !learners_; }  // nothing learns from the label

  struct Part {
    recipes::Matrix train, valid;  // rows of the fold's parts, in their order
    std::vector<std::pair<std::size_t, std::size_t>> columns;  // here -> in the matrix of the whole
  };
  Result<Part> Of(const Fold& fold) const;  // no columns when it is empty

 private:
  std::optional<recipes::Spec> learners_;
  std::vector<std::string> names_;  // of the columns of the whole
  table::Frame frame_;              // what the learners read, and the target last
  recipes::FitOptions options_;
};

// The rows of the whole with the columns of a fold in the place of theirs.
SparseRows WithFoldValues(const SparseRows& whole, const Fold& fold, const FoldValues::Part& part);

}  // namespace gyre::training
