// How well one column alone predicts another, by bins and two halves. Private to ml/data.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "platform/table/frame.h"

namespace gyre::data {

// Rows that are looked at: all, or evenly spaced ones.
std::vector<std::uint32_t> EvenRows(std::size_t rows, std::size_t rows_max);

// The target as numbers: classes 0..n-1, or values. Rows without a target are left out.
struct Target {
  enum class Kind : unsigned char { kBinary, kClasses, kNumber } kind = Kind::kNumber;
  int classes = 0;
  std::vector<std::uint32_t> rows;  // of the frame
  std::vector<double> values;       // one per row above
  std::string_view method() const;
};
Target ReadTarget(const table::Column& column, const std::vector<std::uint32_t>& rows);

// Each of the target's rows in one of `count` bins: quantiles of numbers, values of texts; bin 0 =
// missing.
struct Bins {
  std::vector<std::uint32_t> of_row;
  std::uint32_t count = 1;
};
Bins MakeBins(const table::Column& column, const Target& target);
// 0 or 1: the value is there.
Bins PresenceBins(const table::Column& column, const Target& target);

// In [0, 1]: gini = 2 AUC - 1, accuracy gain over the most frequent class, or R2; learned on one
// half of the rows, measured on the other.
double PredictiveScore(const Bins& bins, const Target& target);
// Of a column: by its bins, or 1 when it separates the classes.
double PredictiveScore(const table::Column& column, const Target& target);
// Whether thresholds of a number part the classes without a mistake: at most one run of values more
// than there are classes. Exact where bins are too coarse: rare classes, small tables.
bool Separates(const table::Column& column, const Target& target);
// R2 of the target's ranks: a few huge values do not hide that a column knows all the others. 0
// for classes.
double RankScore(const table::Column& column, const Target& target);

}  // namespace gyre::data
