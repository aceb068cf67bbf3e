#include <algorithm>
#include <cmath>

#include "ml/statistics/scored.h"

namespace gyre::statistics {
namespace {

struct RegressionBody final : Scored::Body {
  std::vector<double> error,
      centred;  // centred: truth less its mean, so that variances keep their digits
  std::vector<double> absolute, relative;
  std::vector<std::uint32_t> by_absolute;  // rows by ascending |error|

  void Evaluate(std::span<const std::uint32_t> weights, std::span<double> values) const override;
  double MedianAbsolute(std::span<const std::uint32_t> weights, std::uint64_t total) const;
  double MaxAbsolute(std::span<const std::uint32_t> weights) const;
};

double RegressionBody::MedianAbsolute(std::span<const std::uint32_t> weights,
                                      std::uint64_t total) const {
  std::uint64_t seen = 0;
  const std::uint64_t lower_rank = (total - 1) / 2, upper_rank = total / 2;
  double lower = 0;
  bool have_lower = false;
  for (const std::uint32_t row : by_absolute) {
    seen += weights[row];
    if (!have_lower && seen > lower_rank) {
      lower = absolute[row];
      have_lower = true;
    }
    if (seen > upper_rank) return (lower + absolute[row]) / 2;
  }
  return lower;
}

double RegressionBody::MaxAbsolute(std::span<const std::uint32_t> weights) const {
  for (std::size_t i = by_absolute.size(); i > 0; --i) {
    if (weights[by_absolute[i - 1]] != 0) return absolute[by_absolute[i - 1]];
  }
  return kUndefined;
}

// 1 - residual / variance as scikit-learn does with force_finite: a constant truth gives 1 when it
// is met, else 0.
double ShareExplained(double residual, double variance) {
  if (variance > 0) return 1 - residual / variance;
  return residual > 0 ? 0 : 1;
}

void RegressionBody::Evaluate(std::span<const std::uint32_t> weights,
                              std::span<double> values) const {
  std::uint64_t total = 0;
  double squared = 0, absolutes = 0, relatives = 0, errors = 0, truths = 0, truths_squared = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double w = weights[i];
    total += weights[i];
    squared += w * error[i] * error[i];
    absolutes += w * absolute[i];
    relatives += w * relative[i];
    errors += w * error[i];
    truths += w * centred[i];
    truths_squared += w * centred[i] * centred[i];
  }
  if (total == 0) {
    std::ranges::fill(values, kUndefined);
    return;
  }
  const auto n = static_cast<double>(total);
  // What is left of a variance after cancellation below rounding is none.
  const auto spread = [&](double sum_squared, double sum) {
    const double left = sum_squared - sum * sum / n;
    return left > sum_squared * 1e-12 ? left : 0;
  };
  const double variance = spread(truths_squared, truths);
  const bool defined = total >= 2;
  // In the order of the metric table.
  const double all[] = {std::sqrt(squared / n),
                        absolutes / n,
                        MedianAbsolute(weights, total),
                        relatives / n,
                        defined ? ShareExplained(squared, variance) : kUndefined,
                        defined ? ShareExplained(spread(squared, errors), variance) : kUndefined,
                        MaxAbsolute(weights)};
  GYRE_CHECK(std::size(all) == values.size());
  std::ranges::copy(all, values.begin());
}

}  // namespace

Result<Scored> Scored::Regression(std::span<const double> truth,
                                  std::span<const double> predicted) {
  GYRE_DO(CheckRows(truth.size(), predicted.size(), "predictions"));
  auto body = std::make_shared<RegressionBody>();
  const std::size_t rows = truth.size();
  body->rows = rows;
  body->metrics = MetricsWhere(&MetricInfo::regression);
  double mean = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    if (!std::isfinite(truth[i]))
      return InvalidArgument("GY3003", "row {}: truth {} is not a finite number", i + 1, truth[i]);
    if (!std::isfinite(predicted[i])) {
      return InvalidArgument("GY3003", "row {}: prediction {} is not a finite number", i + 1,
                             predicted[i]);
    }
    mean += (truth[i] - mean) / static_cast<double>(i + 1);
  }
  body->error.resize(rows);
  body->centred.resize(rows);
  body->absolute.resize(rows);
  body->relative.resize(rows);
  body->by_absolute.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    body->error[i] = truth[i] - predicted[i];
    body->centred[i] = truth[i] - mean;
    body->absolute[i] = std::fabs(body->error[i]);
    body->relative[i] =
        body->absolute[i] / std::max(std::fabs(truth[i]), std::numeric_limits<double>::epsilon());
    body->by_absolute[i] = static_cast<std::uint32_t>(i);
  }
  std::ranges::sort(body->by_absolute, [&](std::uint32_t a, std::uint32_t b) {
    return body->absolute[a] != body->absolute[b] ? body->absolute[a] < body->absolute[b] : a < b;
  });
  return Scored(std::move(body));
}

}  // namespace gyre::statistics
