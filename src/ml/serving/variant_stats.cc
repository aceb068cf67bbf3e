#include "ml/serving/variant_stats.h"

#include <algorithm>

namespace gyre::serving {

statistics::LogCounts SharedLogCounts::Read() const {
  statistics::LogCounts counts;
  for (const Shard& shard : counts_) {
    for (std::size_t place = 0; place < shard.at.size(); ++place)
      counts.Add(place, shard.at[place].load(std::memory_order_relaxed));
  }
  return counts;
}

std::shared_ptr<Comparison> VariantStats::ComparisonWith(std::string_view model) {
  constexpr std::size_t kComparisonsMax = 8;
  const MutexLock lock(mutex_);
  const auto known = std::ranges::find(comparisons_, model,
                                       [](const auto& one) { return std::string_view(one->with); });
  if (known != comparisons_.end()) return *known;
  if (comparisons_.size() == kComparisonsMax) comparisons_.erase(comparisons_.begin());
  comparisons_.push_back(std::make_shared<Comparison>());
  comparisons_.back()->with = model;
  return comparisons_.back();
}

std::vector<ShadowCounts> VariantStats::Compared() {
  std::vector<ShadowCounts> all;
  const MutexLock lock(mutex_);
  for (const auto& seen : comparisons_) {
    const auto differences = static_cast<double>(std::max<std::int64_t>(1, seen->compared.value()));
    const statistics::LogCounts apart = seen->differences.Read();
    all.push_back({.with = seen->with,
                   .rows = seen->rows.value(),
                   .agreed = seen->agreed.value(),
                   .difference_mean = seen->difference_sum.load() / differences,
                   .difference_p50 = apart.Quantile(0.5),
                   .difference_p95 = apart.Quantile(0.95),
                   .difference_p99 = apart.Quantile(0.99)});
  }
  return all;
}

}  // namespace gyre::serving
