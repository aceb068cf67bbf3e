#include <algorithm>
#include <cmath>

#include "ml/statistics/scored.h"

namespace gyre::statistics {
namespace {

struct BinaryBody final : Scored::Body {
  std::vector<std::uint8_t> label, decided;
  std::vector<double> loss, squared;
  Ranking ranking;

  void Evaluate(std::span<const std::uint32_t> weights, std::span<double> values) const override;
  Confusion MakeConfusion() const override {
    Confusion confusion{2, std::vector<std::uint64_t>(4)};
    for (std::size_t i = 0; i < rows; ++i) ++confusion.counts[label[i] * 2u + decided[i]];
    return confusion;
  }
};

struct Counts {
  std::uint64_t total = 0, positive = 0, decided = 0, both = 0;
};

double Ratio(double a, double b) { return b == 0 ? 0 : a / b; }

double BalancedAccuracy(double tp, double tn, double fp, double fn) {
  if (tp + fn == 0) return tn / (tn + fp);
  if (tn + fp == 0) return tp / (tp + fn);
  return (tp / (tp + fn) + tn / (tn + fp)) / 2;
}

void BinaryBody::Evaluate(std::span<const std::uint32_t> weights, std::span<double> values) const {
  Counts counts;
  double loss_sum = 0, squared_sum = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint64_t w = weights[i];
    counts.total += w;
    counts.positive += label[i] * w;
    counts.decided += decided[i] * w;
    counts.both += (label[i] & decided[i]) * w;
    loss_sum += static_cast<double>(w) * loss[i];
    squared_sum += static_cast<double>(w) * squared[i];
  }
  if (counts.total == 0) {
    std::ranges::fill(values, kUndefined);
    return;
  }
  const auto total = static_cast<double>(counts.total);
  const auto tp = static_cast<double>(counts.both);
  const double fp = static_cast<double>(counts.decided) - tp,
               fn = static_cast<double>(counts.positive) - tp;
  const double tn = total - tp - fp - fn;
  const RankedValues ranked = EvaluateRanking(ranking, weights);
  const double product =
      std::sqrt(tp + fp) * std::sqrt(tp + fn) * std::sqrt(tn + fp) * std::sqrt(tn + fn);
  // In the order of the metric table.
  const double all[] = {ranked.auc,
                        ranked.average_precision,
                        ranked.ks,
                        loss_sum / total,
                        squared_sum / total,
                        (tp + tn) / total,
                        BalancedAccuracy(tp, tn, fp, fn),
                        Ratio(tp, tp + fp),
                        Ratio(tp, tp + fn),
                        Ratio(2 * tp, 2 * tp + fp + fn),
                        Ratio(tp * tn - fp * fn, product)};
  GYRE_CHECK(std::size(all) == values.size());
  std::ranges::copy(all, values.begin());
}

}  // namespace

Result<Scored> Scored::Binary(std::span<const std::uint8_t> labels, std::span<const double> p,
                              std::span<const std::uint8_t> decided) {
  GYRE_DO(CheckRows(labels.size(), p.size(), "probabilities"));
  if (!decided.empty()) GYRE_DO(CheckRows(labels.size(), decided.size(), "decisions"));
  auto body = std::make_shared<BinaryBody>();
  body->rows = labels.size();
  body->metrics = MetricsWhere(&MetricInfo::binary);
  body->label.assign(labels.begin(), labels.end());
  body->loss.resize(labels.size());
  body->squared.resize(labels.size());
  body->decided.resize(labels.size());
  constexpr double kEps = std::numeric_limits<double>::epsilon();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] > 1)
      return InvalidArgument("GY3004", "row {}: label {} is neither 0 nor 1", i + 1, labels[i]);
    if (!(p[i] >= 0 && p[i] <= 1)) {
      return InvalidArgument("GY3003", "row {}: {} is not a probability", i + 1, p[i])
          .Why(
              "a probability is a number from 0 to 1; NaN comes from a model that could not score "
              "the row");
    }
    const double clipped = std::clamp(p[i], kEps, 1 - kEps);
    body->loss[i] = labels[i] ? -std::log(clipped) : -std::log(1 - clipped);
    body->squared[i] = (p[i] - labels[i]) * (p[i] - labels[i]);
    body->decided[i] = decided.empty() ? p[i] >= 0.5 : decided[i] != 0;
  }
  body->ranking = RankDescending(p, 1, labels);
  return Scored(std::move(body));
}

}  // namespace gyre::statistics
