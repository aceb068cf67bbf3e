#include "ml/training/scoring.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gyre::training {

namespace {

using predictors::Task;

// Metrics of decisions have few different values on few rows.
bool MovesInSteps(std::string_view metric) {
  return metric != "auc" && metric != "average_precision" && metric != "auc_ovr_macro" &&
         metric != "log_loss" && metric != "brier";
}

double AreaUnderRoc(const Target& target, const std::vector<std::uint32_t>& rows,
                    std::span<const double> p) {
  std::vector<std::pair<double, std::uint32_t>> order;
  order.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) order.emplace_back(p[i], target.labels[rows[i]]);
  std::ranges::sort(order);
  double below = 0, area = 0, positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    double ones = 0, zeros = 0;
    const double value = order[i].first;
    for (; i < order.size() && order[i].first == value; ++i)
      (order[i].second == 1 ? ones : zeros) += 1;
    area += ones * (below + zeros / 2);
    below += zeros;
    positives += ones;
  }
  return positives == 0 || below == 0 ? std::numeric_limits<double>::quiet_NaN()
                                      : area / (positives * below);
}

double MeanSquaredError(const Target& target, const std::vector<std::uint32_t>& rows,
                        std::span<const double> answers) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    sum += (answers[i] - target.values[rows[i]]) * (answers[i] - target.values[rows[i]]);
  return sum / static_cast<double>(rows.size());
}

}  // namespace

void ApplyRawLink(RawLink link, std::size_t outputs, std::span<double> raw) {
  if (link == RawLink::kIdentity) return;
  if (link != RawLink::kSoftmax) {
    for (double& v : raw) {
      v = link == RawLink::kSigmoid ? 1 / (1 + std::exp(-v))
          : link == RawLink::kExp   ? std::exp(v)
                                    : std::copysign(v * v, v);
    }
    return;
  }
  for (std::size_t i = 0; i < raw.size(); i += outputs) {
    const auto row = raw.subspan(i, outputs);
    const double top = *std::ranges::max_element(row);
    double sum = 0;
    for (double& v : row) sum += v = std::exp(v - top);
    for (double& v : row) v /= sum;
  }
}

Result<statistics::MetricSet> MetricsOf(const Target& target,
                                        const std::vector<std::uint32_t>& rows,
                                        std::span<const double> answers) {
  if (target.task == Task::kRegression) {
    std::vector<double> truth;
    for (const std::uint32_t row : rows) truth.push_back(target.values[row]);
    return statistics::RegressionMetrics(truth, answers);
  }
  if (target.task == Task::kMulticlass) {
    std::vector<std::uint32_t> labels;
    for (const std::uint32_t row : rows) labels.push_back(target.labels[row]);
    return statistics::MulticlassMetrics(labels, answers, target.classes.size());
  }
  std::vector<std::uint8_t> labels;
  for (const std::uint32_t row : rows)
    labels.push_back(static_cast<std::uint8_t>(target.labels[row]));
  return statistics::BinaryMetrics(labels, answers);
}

double Worth(const Target& target, const statistics::MetricInfo& metric,
             const std::vector<std::uint32_t>& rows, std::span<const double> answers) {
  constexpr double kWorst = -std::numeric_limits<double>::infinity();
  // The two that are asked for most, without the cost of all the others.
  if (metric.name == "auc") {
    const double area = AreaUnderRoc(target, rows, answers);
    return std::isnan(area) ? kWorst : area;
  }
  if (metric.name == "rmse") return -std::sqrt(MeanSquaredError(target, rows, answers));
  const auto all = MetricsOf(target, rows, answers);
  if (!all) return kWorst;
  const auto value = all->Find(metric.name);
  if (!value || !std::isfinite(*value)) return kWorst;
  double worth = metric.better == statistics::Better::kHigher ? *value : -*value;
  if (target.task != Task::kRegression && MovesInSteps(metric.name)) {
    // On few rows one lucky decision outweighs a better model: there the probabilities say more.
    const double weight = std::max(0.02, 2 / std::sqrt(static_cast<double>(rows.size())));
    worth -= weight * all->Find("log_loss").value_or(0);
  }
  return worth;
}

}  // namespace gyre::training
