// What a deployment did since it began to answer: how fast, and for a shadow how far from what was
// answered. Counted without locks; kept over swaps of the route. Private.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "ml/serving/serving.h"
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

// A shadow's outputs beside those that one version answered, row by row. One thread adds.
struct Comparison {
  std::string with;  // "churn:v1"
  telemetry::Counter rows, agreed;
  telemetry::Counter compared;  // rows with a difference
  std::atomic<double> difference_sum = 0;
  SharedLogCounts differences;
};

struct VariantStats {
  std::string deployment_id;
  std::int64_t since_us = 0;
  std::int64_t requests = 0, rows = 0, failed = 0, faults = 0;  // of the counters when it began
  SharedLogCounts latency_us;
  telemetry::Counter dropped;  // requests that came faster than a shadow could score

  // Two champions are two comparisons. Of those that answered long ago the oldest goes.
  std::shared_ptr<Comparison> ComparisonWith(std::string_view model);
  std::vector<ShadowCounts> Compared();  // in the order in which they began

 private:
  Mutex mutex_;
  std::vector<std::shared_ptr<Comparison>> comparisons_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::serving
