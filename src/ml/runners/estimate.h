// What a job will use, from what others like it have used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gyre::runners {

struct Measured {
  double size = 0, cpu_seconds = 0, wall_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
};

struct Estimate {
  double cpu_seconds = 0, wall_seconds = 0;
  double cpu_seconds_low = 0, cpu_seconds_high = 0;  // of those that were measured, scaled
  std::int64_t memory_bytes = 0;
  int measured = 0;    // how many; 0 = the bound that it was given
  bool known = false;  // false: neither measured nor bounded
  std::string how{};   // in words
};

// The median of those before, each scaled by its size where both are known; never above a bound
// that the job will keep. Without any: the bound.
struct Bound {
  double cpu_seconds = 0, wall_seconds = 0;  // 0 = none
  std::int64_t memory_bytes = 0;
};
Estimate EstimateFrom(const std::vector<Measured>& before, double size, const Bound& bound);

}  // namespace gyre::runners
