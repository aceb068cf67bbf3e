// What a deployment did since it began to answer: how fast, and for a shadow how far from what was
// answered. Counted without locks; kept over swaps of the route. Private.
#pragma once

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <string>

#include "platform/telemetry/metrics.h"

namespace gyre::serving {

// Counts on a logarithmic scale, eight steps to a doubling: a quantile is right to 9 %.
class LogCounts {
 public:
  // Values from 2^-40 to 2^40; what is smaller counts as 0.
  void Add(double value) {
    counts_[static_cast<std::size_t>(telemetry::MetricShard())].at[PlaceOf(value)].fetch_add(
        1, std::memory_order_relaxed);
  }
  // 0 when nothing was counted.
  double Quantile(double share) const;

 private:
  static constexpr int kSteps = 8, kOctaves = 40;
  static constexpr std::size_t kPlaces = 2 * kSteps * kOctaves + 1;
  static std::size_t PlaceOf(double value);
  struct alignas(64) Shard {
    std::array<std::atomic<std::int64_t>, kPlaces> at = {};
  };
  std::array<Shard, telemetry::kMetricShards> counts_;
};

// Of the endpoint, or of one variant of it; they go on counting over swaps.
struct SnapshotCounters {
  telemetry::Counter* requests;
  telemetry::Counter* rows;
  telemetry::Counter* failed;
  telemetry::Counter* ignored;
  telemetry::Counter* bytes;
  telemetry::Counter* cpu_ns;
};

// A shadow's outputs beside those that were answered, row by row.
struct Comparison {
  telemetry::Counter rows, agreed;
  telemetry::Counter dropped;   // requests that came faster than the shadow could score
  telemetry::Counter failed;    // requests that it could not score
  telemetry::Counter compared;  // rows with a difference
  std::array<std::atomic<double>, telemetry::kMetricShards> difference_sums = {};
  LogCounts differences;
  double DifferenceSum() const;
};

struct VariantStats {
  std::string deployment_id;
  std::int64_t since_us = 0;
  std::int64_t requests = 0, rows = 0, failed = 0;  // of the counters when it began
  LogCounts latency_us;
  Comparison comparison;
};

}  // namespace gyre::serving
