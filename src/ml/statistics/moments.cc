#include "ml/statistics/moments.h"

#include <cmath>
#include <cstddef>

namespace gyre::statistics {
namespace {

// In four sums, which need not wait for each other.
template <typename Term>
double SumOf(std::span<const double> values, const Term& term) {
  double sums[4] = {0, 0, 0, 0};
  std::size_t i = 0;
  for (; i + 4 <= values.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += term(values[i + lane]);
  }
  for (; i < values.size(); ++i) sums[0] += term(values[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

double MeanOf(std::span<const double> values) {
  const double middle = values[values.size() / 2];
  return middle +
         SumOf(values, [&](double v) { return v - middle; }) / static_cast<double>(values.size());
}

double DeviationOf(std::span<const double> values) {
  const double middle = values[values.size() / 2], size = static_cast<double>(values.size());
  const double mean = SumOf(values, [&](double v) { return v - middle; }) / size;
  return std::sqrt(
      SumOf(values, [&](double v) { return (v - middle - mean) * (v - middle - mean); }) / size);
}

}  // namespace gyre::statistics
