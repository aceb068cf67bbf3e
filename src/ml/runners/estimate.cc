#include "ml/runners/estimate.h"

#include <fmt/format.h>

#include <algorithm>

namespace gyre::runners {
namespace {

double Median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 != 0) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double AtMost(double value, double bound) { return bound > 0 ? std::min(value, bound) : value; }

Estimate OfBound(const Bound& bound) {
  return {.cpu_seconds = bound.cpu_seconds,
          .wall_seconds = bound.wall_seconds,
          .cpu_seconds_low = 0,
          .cpu_seconds_high = bound.cpu_seconds,
          .memory_bytes = bound.memory_bytes,
          .measured = 0,
          .known = bound.cpu_seconds > 0,
          .how = bound.cpu_seconds > 0 ? "at most, by its budget: nothing like it has run here"
                                       : "not known: nothing like it has run here"};
}

}  // namespace

Estimate EstimateFrom(const std::vector<Measured>& before, double size, const Bound& bound) {
  if (before.empty()) return OfBound(bound);
  std::vector<double> cpu, wall, memory;
  bool scaled = false;
  for (const Measured& one : before) {
    const double scale = size > 0 && one.size > 0 ? size / one.size : 1;
    scaled = scaled || scale != 1;
    cpu.push_back(AtMost(one.cpu_seconds * scale, bound.cpu_seconds));
    wall.push_back(AtMost(one.wall_seconds * scale, bound.wall_seconds));
    memory.push_back(static_cast<double>(one.memory_bytes_peak));
  }
  return {.cpu_seconds = Median(cpu),
          .wall_seconds = Median(wall),
          .cpu_seconds_low = std::ranges::min(cpu),
          .cpu_seconds_high = std::ranges::max(cpu),
          .memory_bytes = static_cast<std::int64_t>(std::ranges::max(memory)),
          .measured = static_cast<int>(before.size()),
          .known = true,
          .how = fmt::format("the median of {} like it{}", before.size(),
                             scaled ? ", scaled by the size of the data" : "")};
}

}  // namespace gyre::runners
