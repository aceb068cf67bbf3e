// Linear models: ridge, lasso, and (multinomial) logistic regression with either penalty, by L-BFGS
// and its orthant-wise form. One thread, fixed order of additions: the same inputs give the same
// bits.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/error.h"
#include "ml/predictors/linear.h"
#include "ml/recipes/recipe.h"
#include "ml/training/target.h"

namespace gyre::training {

// Rows with few nonzero values each (dense rows work too).
class SparseRows {
 public:
  explicit SparseRows(std::size_t columns) : columns_(columns) {}
  void Append(const recipes::Matrix& matrix);  // NaN counts as 0
  // One row value by value, columns ascending; a value that is 0 keeps its place too. The place.
  std::size_t AddPlace(std::size_t column, double value);
  void EndRow() { begins_.push_back(values_.size()); }
  void Set(std::size_t place, double value) { values_[place] = value; }
  double value(std::size_t place) const { return values_[place]; }
  std::size_t rows() const { return begins_.size() - 1; }
  std::size_t columns() const { return columns_; }
  std::size_t nonzeros() const { return values_.size(); }
  struct Row {
    const std::uint32_t* index;
    const double* value;
    std::size_t size;
  };
  Row row(std::size_t i) const {
    return {index_.data() + begins_[i], values_.data() + begins_[i], begins_[i + 1] - begins_[i]};
  }

 private:
  std::size_t columns_;
  std::vector<std::size_t> begins_ = {0};
  std::vector<std::uint32_t> index_;
  std::vector<double> values_;
};

struct LinearData {
  const SparseRows* x = nullptr;
  const Target* target = nullptr;   // x's row i is target row i
  std::vector<std::uint32_t> rows;  // those to learn from
};

struct LinearParams {
  enum class Penalty : unsigned char { kL2, kL1 } penalty = Penalty::kL2;
  double strength = 1e-3;  // weight of the penalty beside the mean loss
  int iterations_max = 300;
};

// `start`: coefficients of a neighbouring strength to begin from, or empty. The intercept is not
// punished.
Result<predictors::LinearModel> FitLinear(const LinearData& data, const LinearParams& params,
                                          const predictors::LinearModel* start,
                                          const std::function<bool()>& cancelled);
// Raw scores before the link: rows x outputs.
std::vector<double> LinearRaw(const predictors::LinearModel& model, const SparseRows& x,
                              const std::vector<std::uint32_t>& rows);

}  // namespace gyre::training
