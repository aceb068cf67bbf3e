// Quantiles by linear interpolation between order statistics (numpy's default, type 7 of Hyndman
// and Fan).
#pragma once

#include <span>
#include <vector>

namespace gyre::statistics {

// `sorted` ascending without NaN, not empty; q in [0, 1].
double SortedQuantile(std::span<const double> sorted, double q);
// Sorts a copy once. NaN are left out; without numbers all are NaN.
std::vector<double> Quantiles(std::span<const double> values, std::span<const double> qs);

}  // namespace gyre::statistics
