#include "ml/training/fold_values.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace gyre::training {

FoldValues::FoldValues(const recipes::Fitted& whole, const Problem& problem)
    : learners_(recipes::LabelLearners(whole.spec())) {
  if (!learners_) return;
  names_ = whole.output_names();
  for (const table::Field& field : learners_->input())
    frame_.columns.push_back(*problem.train.Find(field.name));
  frame_.columns.push_back(*problem.train.Find(problem.request.target));
  options_.seed = problem.request.seed;
}

Result<FoldValues::Part> FoldValues::Of(const Fold& fold) const {
  Part part;
  if (!learners_) return part;
  const table::Frame train = frame_.Select(fold.train);
  recipes::FitOptions options = options_;
  options.target = &train.columns.back();
  GYRE_TRY(recipes::FitTransformResult made, recipes::FitTransform(*learners_, train, options));
  part.train = std::move(made.matrix);
  GYRE_TRY(part.valid, made.fitted.Apply(frame_.Select(fold.valid)));
  // A class that the fold lacks has no column here.
  const std::vector<std::string>& own = made.fitted.output_names();
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto at = std::ranges::find(names_, own[i]);
    if (at != names_.end())
      part.columns.emplace_back(i, static_cast<std::size_t>(at - names_.begin()));
  }
  return part;
}

SparseRows WithFoldValues(const SparseRows& whole, const Fold& fold, const FoldValues::Part& part) {
  std::vector<const double*> replaced(whole.rows(), nullptr);
  for (std::size_t i = 0; i < fold.train.size(); ++i) replaced[fold.train[i]] = part.train.row(i);
  for (std::size_t i = 0; i < fold.valid.size(); ++i) replaced[fold.valid[i]] = part.valid.row(i);
  SparseRows rows(whole.columns());
  std::map<std::uint32_t, double> merged;
  for (std::size_t i = 0; i < whole.rows(); ++i) {
    const SparseRows::Row row = whole.row(i);
    merged.clear();
    for (std::size_t j = 0; j < row.size; ++j) merged.emplace(row.index[j], row.value[j]);
    for (const auto& [here, there] : part.columns) {
      if (replaced[i] != nullptr) merged[static_cast<std::uint32_t>(there)] = replaced[i][here];
    }
    rows.Append(merged);
  }
  return rows;
}

}  // namespace gyre::training
