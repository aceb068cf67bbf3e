#include "ml/statistics/log_counts.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/text.h"

namespace gyre::statistics {
namespace {
constexpr int kSteps = 8, kOctaves = 40;
static_assert(LogCounts::kPlaces == 2 * kSteps * kOctaves + 1);
}  // namespace

std::size_t LogCounts::PlaceOf(double value) {
  if (!(value > 0)) return 0;
  const double place = std::log2(value) * kSteps + kSteps * kOctaves;
  return static_cast<std::size_t>(
      std::clamp(std::lround(place), 0L, static_cast<long>(kPlaces - 1)));
}

void LogCounts::Add(std::size_t place, std::int64_t count) {
  if (count == 0) return;
  if (counts_.empty()) counts_.resize(kPlaces);
  counts_[std::min(place, kPlaces - 1)] += count;
}

double LogCounts::Quantile(double share) const {
  std::int64_t total = 0;
  for (const std::int64_t count : counts_) total += count;
  if (total == 0) return 0;
  const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
  std::int64_t seen = 0;
  std::size_t place = 0;
  while (place + 1 < kPlaces && (seen += counts_[place]) < std::max<std::int64_t>(wanted, 1))
    ++place;
  if (place == 0) return 0;
  return std::exp2(static_cast<double>(place) / kSteps - kOctaves);
}

std::int64_t LogCounts::Above(double value) const {
  std::int64_t above = 0;
  for (std::size_t place = PlaceOf(value) + 1; place < counts_.size(); ++place)
    above += counts_[place];
  return above;
}

LogCounts LogCounts::With(const LogCounts& other) const {
  LogCounts all = *this;
  for (std::size_t place = 0; place < other.counts_.size(); ++place)
    all.Add(place, other.counts_[place]);
  return all;
}

LogCounts LogCounts::Since(const LogCounts& before) const {
  if (before.counts_.empty()) return *this;
  LogCounts since;
  for (std::size_t place = 0; place < counts_.size(); ++place)
    since.Add(place, std::max<std::int64_t>(0, counts_[place] - before.counts_[place]));
  return since;
}

Json LogCounts::ToJson() const {
  Json json = Json::Obj();
  for (std::size_t place = 0; place < counts_.size(); ++place) {
    if (counts_[place] != 0) json.Set(std::to_string(place), counts_[place]);
  }
  return json;
}

LogCounts LogCounts::FromJson(const Json& json) {
  LogCounts counts;
  for (const auto& [place, count] : json.members()) {
    const auto number = ParseInt(place);
    if (number && *number >= 0) counts.Add(static_cast<std::size_t>(*number), count.AsInt());
  }
  return counts;
}

}  // namespace gyre::statistics
