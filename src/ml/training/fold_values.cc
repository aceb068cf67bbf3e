#include "ml/training/fold_values.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

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

Result<FoldRows> FoldRows::Make(const SparseRows& whole, const FoldValues& values,
                                const std::vector<Fold>& folds) {
  std::vector<FoldValues::Part> parts;
  std::set<std::uint32_t> columns;
  for (const Fold& fold : folds) {
    GYRE_TRY(FoldValues::Part part, values.Of(fold));
    for (const auto& [here, there] : part.columns)
      columns.insert(static_cast<std::uint32_t>(there));
    parts.push_back(std::move(part));
  }
  const std::vector<std::uint32_t> differing(columns.begin(), columns.end());
  FoldRows rows(whole.columns());
  for (std::size_t i = 0; i < whole.rows(); ++i) rows.Add(whole.row(i), differing);
  std::vector<double> of_whole;  // stays where a fold has nothing of its own
  for (const std::size_t place : rows.places_) of_whole.push_back(rows.rows_.value(place));
  for (std::size_t f = 0; f < folds.size(); ++f) {
    rows.own_.push_back(of_whole);
    rows.Keep(folds[f], std::exchange(parts[f], {}), differing);
  }
  return rows;
}

void FoldRows::Add(const SparseRows::Row& row, const std::vector<std::uint32_t>& differing) {
  std::size_t at = 0;
  for (const std::uint32_t column : differing) {
    for (; at < row.size && row.index[at] < column; ++at)
      rows_.AddPlace(row.index[at], row.value[at]);
    const bool is_there = at < row.size && row.index[at] == column;
    places_.push_back(rows_.AddPlace(column, is_there ? row.value[at] : 0));
    if (is_there) ++at;
  }
  for (; at < row.size; ++at) rows_.AddPlace(row.index[at], row.value[at]);
  rows_.EndRow();
}

void FoldRows::Keep(const Fold& fold, const FoldValues::Part& part,
                    const std::vector<std::uint32_t>& differing) {
  std::vector<double>& own = own_.back();
  for (const auto& [here, there] : part.columns) {
    const auto at = static_cast<std::size_t>(
        std::ranges::lower_bound(differing, static_cast<std::uint32_t>(there)) - differing.begin());
    const auto keep = [&](const std::vector<std::uint32_t>& rows, const recipes::Matrix& matrix) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const double value = matrix.row(i)[here];
        own[rows[i] * differing.size() + at] = std::isfinite(value) ? value : 0;
      }
    };
    keep(fold.train, part.train);
    keep(fold.valid, part.valid);
  }
}

const SparseRows& FoldRows::Take(std::size_t fold) {
  for (std::size_t i = 0; i < places_.size(); ++i) rows_.Set(places_[i], own_[fold][i]);
  return rows_;
}

}  // namespace gyre::training
