// Columns that learn from the label (encode.target, text.bayes), made again for each fold: out of
// fold among its training rows, and for its validation rows by a recipe that has seen none of them.
// Else the answer of a validation row would stand in columns of the rows that teach. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
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

// The rows of the whole, in which the columns of one fold at a time stand in the place of theirs:
// each fold keeps only what differs. Not thread-safe.
class FoldRows {
 public:
  static Result<FoldRows> Make(const SparseRows& whole, const FoldValues& values,
                               const std::vector<Fold>& folds);
  const SparseRows& Take(std::size_t fold);  // until the next call

 private:
  explicit FoldRows(std::size_t columns) : rows_(columns) {}
  void Add(const SparseRows::Row& row, const std::vector<std::uint32_t>& differing);
  void Keep(const Fold& fold, const FoldValues::Part& part,
            const std::vector<std::uint32_t>& differing);

  SparseRows rows_;
  std::vector<std::size_t> places_;       // of what differs, row by row
  std::vector<std::vector<double>> own_;  // of each fold, for the places
};

}  // namespace gyre::training
