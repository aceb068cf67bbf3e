// How good a classifier probably is on rows whose labels are not known yet: if a score of 0.8 means
// that eight of ten such rows are positive, then the expected counts of a confusion matrix, and so
// each metric, follow from the scores alone (confidence-based performance estimation). It sees the
// world change where the scores do; a changed relation between inputs and label it cannot see.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "ml/statistics/metrics.h"

namespace gyre::monitoring {

// Definitions of nannyml 0.13.1 to 1e-9 on scores without ties; tied scores are one point of the
// curve. Of several classes each metric is the mean of one class against the rest ("f1_macro").
inline constexpr std::string_view kEstimationMethod = "cbpe/nannyml";

// Metrics by gyre's names: auc, average_precision, f1, precision, recall, specificity, accuracy.
// `calibrated`: how probable class 1 is; `scores`: what rows are ordered by; `decided`: 0 or 1.
// Errors: kInvalidArgument GY4505 no rows, unequal lengths or a value outside [0, 1].
Result<statistics::MetricSet> EstimateBinary(std::span<const double> calibrated,
                                             std::span<const double> scores,
                                             std::span<const std::uint8_t> decided);
// Row-major rows x classes. Metrics: auc_ovr_macro, f1_macro and so on, accuracy.
Result<statistics::MetricSet> EstimateMulticlass(std::span<const double> calibrated,
                                                 std::span<const double> scores,
                                                 std::span<const std::uint32_t> decided,
                                                 std::size_t classes);

// How far the realised value may lie from the estimate by the chance of the labels alone: labels
// are drawn from the probabilities, by seed, and each draw is measured as real labels would be.
struct EstimateInterval {
  double lower = 0, upper = 0;  // 95 %; NaN where draws leave the metric undefined
};
Result<EstimateInterval> IntervalOfEstimate(std::span<const double> calibrated,
                                            std::span<const std::uint32_t> decided,
                                            std::size_t classes, std::string_view metric,
                                            std::uint64_t seed);

}  // namespace gyre::monitoring
