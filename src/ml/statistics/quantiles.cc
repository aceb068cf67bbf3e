#include "ml/statistics/quantiles.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gyre::statistics {

double SortedQuantile(std::span<const double> sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<std::size_t>(position);
  if (index + 1 >= sorted.size()) return sorted.back();
  const double share = position - static_cast<double>(index), a = sorted[index],
               b = sorted[index + 1];
  // From the nearer end, as numpy does, so that both ends are met exactly.
  return share >= 0.5 ? b - (b - a) * (1 - share) : a + (b - a) * share;
}

std::vector<double> Quantiles(std::span<const double> values, std::span<const double> qs) {
  std::vector<double> sorted;
  sorted.reserve(values.size());
  for (const double value : values) {
    if (!std::isnan(value)) sorted.push_back(value);
  }
  std::ranges::sort(sorted);
  std::vector<double> out;
  for (const double q : qs)
    out.push_back(sorted.empty() ? std::numeric_limits<double>::quiet_NaN()
                                 : SortedQuantile(sorted, q));
  return out;
}

}  // namespace gyre::statistics
