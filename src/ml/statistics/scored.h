// The inside of Scored: one body per task.
#pragma once

#include <limits>

#include "ml/statistics/metrics.h"

namespace gyre::statistics {

inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

struct Scored::Body {
  virtual ~Body() = default;
  virtual void Evaluate(std::span<const std::uint32_t> weights, std::span<double> values) const = 0;
  virtual Confusion MakeConfusion() const { return {}; }

  std::size_t rows = 0;
  std::vector<const MetricInfo*> metrics;
};

std::vector<const MetricInfo*> MetricsWhere(bool MetricInfo::* task);
Result<> CheckRows(std::size_t rows, std::size_t other, std::string_view what);

// Row numbers by descending score, with ties marked: what AUC, average precision and KS walk along.
struct Ranking {
  std::vector<std::uint32_t> row;        // sorted
  std::vector<std::uint8_t> positive;    // label in sorted order
  std::vector<std::uint8_t> group_ends;  // 1 at the last row of each group of equal scores
};
// Score i is scores[i * stride].
Ranking RankDescending(std::span<const double> scores, std::size_t stride,
                       std::span<const std::uint8_t> positive);

struct RankedValues {
  double auc = kUndefined, average_precision = kUndefined, ks = kUndefined;
};
RankedValues EvaluateRanking(const Ranking& ranking, std::span<const std::uint32_t> weights);

}  // namespace gyre::statistics
