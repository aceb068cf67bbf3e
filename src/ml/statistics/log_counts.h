// Counts of numbers on a logarithmic scale, eight steps to a doubling: a quantile is right to 9 %.
// Two readings of what only grows give what was between them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/json.h"

namespace gyre::statistics {

class LogCounts {
 public:
  // Numbers from 2^-40 to 2^40; what is smaller counts as 0.
  static constexpr std::size_t kPlaces = 641;
  static std::size_t PlaceOf(double value);

  void Add(std::size_t place, std::int64_t count);
  // 0 when nothing was counted.
  double Quantile(double share) const;
  // How many were counted above that value, by their places.
  std::int64_t Above(double value) const;
  LogCounts With(const LogCounts& other) const;  // both together
  // What was counted after `before`, an earlier reading.
  LogCounts Since(const LogCounts& before) const;

  Json ToJson() const;  // {"place": count}, without those that are 0
  static LogCounts FromJson(const Json& json);

 private:
  std::vector<std::int64_t> counts_;  // by place; empty = none
};

}  // namespace gyre::statistics
