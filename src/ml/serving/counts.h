// What endpoints and their variants have done since this process began.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "ml/statistics/log_counts.h"

namespace gyre::serving {

// Counted since start. What a client sent wrong fails, and is nobody's fault; a variant is at fault
// for its own errors, and for refusing what the champion takes.
struct EndpointCounts {
  std::int64_t requests = 0, rows = 0, failed = 0, faults = 0, ignored_columns = 0;
  std::int64_t bytes = 0;   // of bodies and answers
  std::int64_t cpu_ns = 0;  // of the answering threads; small requests are sampled
};

// A shadow's outputs beside those that one version answered.
struct ShadowCounts {
  std::string with{};                 // "churn:v3"
  std::int64_t rows = 0, agreed = 0;  // agreed: the same class, or the same number to 1e-9
  double difference_mean = 0;         // of the value, or the largest of a row's class probabilities
  double difference_p50 = 0, difference_p95 = 0, difference_p99 = 0;
};

// What one variant did since its deployment began to answer in this process: cumulative, so that
// two readings give what was between them.
struct VariantCounts {
  std::string variant, deployment_id, model;  // "champion", ..., "churn:v3"
  double share = 1;
  bool shadow = false;
  std::int64_t since_us = 0;
  std::int64_t requests = 0, rows = 0, failed = 0;
  std::int64_t faults = 0;  // of those that failed: by its own fault, see EndpointCounts
  statistics::LogCounts latency_us{};
  // Of a shadow: beside what the present champion answered, and beside each version that did.
  ShadowCounts comparison{};
  std::vector<ShadowCounts> beside{};
  std::int64_t dropped = 0;  // requests that came faster than it could score
};
Json VariantCountsToJson(const VariantCounts& counts);

// What answered in this process, also what is gone again.
struct CountedVariant {
  std::string project, endpoint, variant;
};

}  // namespace gyre::serving
