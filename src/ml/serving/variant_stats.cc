#include "ml/serving/variant_stats.h"

#include <algorithm>

namespace gyre::serving {

std::size_t LogCounts::PlaceOf(double value) {
  if (!(value > 0)) return 0;
  const double place = std::log2(value) * kSteps + kSteps * kOctaves;
  return static_cast<std::size_t>(
      std::clamp(std::lround(place), 0L, static_cast<long>(kPlaces - 1)));
}

double LogCounts::Quantile(double share) const {
  std::array<std::int64_t, kPlaces> counts = {};
  std::int64_t total = 0;
  for (const Shard& shard : counts_) {
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const std::int64_t count = shard.at[i].load(std::memory_order_relaxed);
      counts[i] += count;
      total += count;
    }
  }
  if (total == 0) return 0;
  const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
  std::int64_t seen = 0;
  std::size_t place = 0;
  while (place + 1 < kPlaces && (seen += counts[place]) < std::max<std::int64_t>(wanted, 1))
    ++place;
  if (place == 0) return 0;
  return std::exp2(static_cast<double>(place) / kSteps - kOctaves);
}

double Comparison::DifferenceSum() const {
  double sum = 0;
  for (const auto& part : difference_sums) sum += part.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace gyre::serving
