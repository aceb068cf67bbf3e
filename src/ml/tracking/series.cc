#include "ml/tracking/series.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <tuple>

namespace gyre::tracking {
namespace {

double Rank(double value) { return std::isnan(value) ? 0 : value; }

// Of points that rank alike, numbers come before NaN, so that the same point stands beside itself.
auto KeyOf(SeriesOrder order, const Series& s, std::size_t i) {
  const std::int64_t first = order == SeriesOrder::kByTime ? s.times_us[i] : s.steps[i];
  const std::int64_t second = order == SeriesOrder::kByTime ? s.steps[i] : s.times_us[i];
  return std::tuple(first, second, Rank(s.values[i]), std::isnan(s.values[i]));
}

bool IsSettled(SeriesOrder order, const Series& s) {
  const auto& first = order == SeriesOrder::kByTime ? s.times_us : s.steps;
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (first[i - 1] >= first[i] && !(KeyOf(order, s, i - 1) < KeyOf(order, s, i))) return false;
  }
  return true;
}

}  // namespace

void Series::Append(const Series& other) {
  steps.insert(steps.end(), other.steps.begin(), other.steps.end());
  times_us.insert(times_us.end(), other.times_us.begin(), other.times_us.end());
  values.insert(values.end(), other.values.begin(), other.values.end());
}

void Settle(SeriesOrder order, Series* series) {
  if (IsSettled(order, *series)) return;
  std::vector<std::size_t> places(series->size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, {}, [&](std::size_t i) { return KeyOf(order, *series, i); });
  Series sorted;
  for (std::size_t n = 0; n < places.size(); ++n) {
    const std::size_t i = places[n];
    if (n > 0 && KeyOf(order, *series, places[n - 1]) == KeyOf(order, *series, i)) continue;
    sorted.Add(series->steps[i], series->times_us[i], series->values[i]);
  }
  *series = std::move(sorted);
}

}  // namespace gyre::tracking
