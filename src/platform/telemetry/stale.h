// A series that has ended: what a gauge is set to when there is nothing to tell of its labels any
// more. It is left out until it gets a value again.
#pragma once

#include <bit>
#include <cstdint>

namespace gyre::telemetry {

// Prometheus' own stale marker, a NaN that no computation gives.
inline double Stale() { return std::bit_cast<double>(std::uint64_t{0x7ff0000000000002}); }
inline bool IsStale(double value) {
  return std::bit_cast<std::uint64_t>(value) == std::uint64_t{0x7ff0000000000002};
}

}  // namespace gyre::telemetry
