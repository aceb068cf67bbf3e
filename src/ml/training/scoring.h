// From raw scores to answers to metrics: how candidates are measured against one another. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/statistics/metrics.h"
#include "ml/training/target.h"

namespace gyre::training {

// How raw sums become answers.
enum class RawLink : unsigned char { kIdentity, kSigmoid, kSoftmax, kExp, kSquare };

// Answers of rows x outputs raw scores, in place.
void ApplyRawLink(RawLink link, std::size_t outputs, std::span<double> raw);

// All metrics of `answers` (row i belongs to target row rows[i]).
Result<statistics::MetricSet> MetricsOf(const Target& target,
                                        const std::vector<std::uint32_t>& rows,
                                        std::span<const double> answers);
// One number to choose by, higher is better: the metric, with log_loss deciding between equals
// where the metric moves in steps.
double Worth(const Target& target, const statistics::MetricInfo& metric,
             const std::vector<std::uint32_t>& rows, std::span<const double> answers);

}  // namespace gyre::training
