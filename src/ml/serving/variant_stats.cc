#include "ml/serving/variant_stats.h"

namespace gyre::serving {

statistics::LogCounts SharedLogCounts::Read() const {
  statistics::LogCounts counts;
  for (const Shard& shard : counts_) {
    for (std::size_t place = 0; place < shard.at.size(); ++place)
      counts.Add(place, shard.at[place].load(std::memory_order_relaxed));
  }
  return counts;
}

double Comparison::DifferenceSum() const {
  double sum = 0;
  for (const auto& part : difference_sums) sum += part.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace gyre::serving
