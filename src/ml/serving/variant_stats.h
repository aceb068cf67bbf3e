// What a deployment did since it began to answer: how fast, and for a shadow how far from what was
// answered. Counted without locks; kept over swaps of the route. Private.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "ml/statistics/log_counts.h"
#include "platform/telemetry/metrics.h"

namespace gyre::serving {

// statistics::LogCounts that several threads add to.
class SharedLogCounts {
 public:
  void Add(double value) {
    counts_[static_cast<std::size_t>(telemetry::MetricShard())]
        .at[statistics::LogCounts::PlaceOf(value)]
        .fetch_add(1, std::memory_order_relaxed);
  }
  statistics::LogCounts Read() const;

 private:
  struct alignas(64) Shard {
    std::array<std::atomic<std::int64_t>, statistics::LogCounts::kPlaces> at = {};
  };
  std::array<Shard, telemetry::kMetricShards> counts_;
};

// Of the endpoint, or of one variant of it; they go on counting over swaps.
struct SnapshotCounters {
  telemetry::Counter* requests;
  telemetry::Counter* rows;
  telemetry::Counter* failed;
  telemetry::Counter* faults;  // of those that failed: by its own fault
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
  SharedLogCounts differences;
  double DifferenceSum() const;
};

struct VariantStats {
  std::string deployment_id;
  std::int64_t since_us = 0;
  std::int64_t requests = 0, rows = 0, failed = 0, faults = 0;  // of the counters when it began
  SharedLogCounts latency_us;
  Comparison comparison;
};

}  // namespace gyre::serving
