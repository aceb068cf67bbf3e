// Intervals by the bootstrap: rows drawn with replacement, all metrics of each resample at once.
// Deterministic by seed; equal to scipy.stats.bootstrap with the same numpy generator.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/statistics/metrics.h"

namespace gyre::statistics {

enum class IntervalKind : unsigned char { kPercentile, kBca };

struct BootstrapOptions {
  int resamples = 1000;  // 10 ... 100,000
  double confidence = 0.95;
  std::uint64_t seed = 0;
  IntervalKind kind = IntervalKind::kPercentile;
};

struct MetricInterval {
  const MetricInfo* info = nullptr;
  double estimate = 0;
  // NaN when the interval is undefined: more than a tenth of the resamples left the metric
  // undefined (a rare class).
  double lower = 0, upper = 0;
};
struct IntervalSet {
  std::string method;  // "bootstrap.percentile", "bootstrap.bca.jackknife",
                       // "bootstrap.bca.jackknife_blocks"
  int resamples = 0;
  double confidence = 0.95;
  std::vector<MetricInterval> metrics;  // those that are defined, in table order
  const MetricInterval* Find(std::string_view name) const;
};
// Errors: kInvalidArgument GY3005 for options out of range.
Result<IntervalSet> Bootstrap(const Scored& scored, const BootstrapOptions& options);

// Two models on the same rows, resampled together.
struct MetricGain {
  const MetricInfo* info = nullptr;
  double a = 0, b = 0;  // the values of each
  double gain = 0, lower = 0,
         upper = 0;  // by how much `a` is better, whatever the metric's direction; NaN as above
};
struct PairedResult {
  std::string method;  // "paired_bootstrap.percentile"
  int resamples = 0;
  double confidence = 0.95;
  std::vector<MetricGain> metrics;
  const MetricGain* Find(std::string_view name) const;
};
// Errors: GY3001 unequal rows or tasks, GY3005.
Result<PairedResult> PairedBootstrap(const Scored& a, const Scored& b,
                                     const BootstrapOptions& options);

// The ends of an interval from resampled values (NaN are left out) and, for kBca, leave-one-out
// values.
struct Ends {
  double lower = 0, upper = 0;
};
Ends IntervalEnds(std::vector<double> resampled, double estimate, std::span<const double> jackknife,
                  const BootstrapOptions& options);

double NormalCdf(double z);
double NormalQuantile(double p);  // full double precision; +-infinity at 0 and 1

}  // namespace gyre::statistics
