#include "ml/statistics/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ml/statistics/quantiles.h"
#include "ml/statistics/scored.h"

namespace gyre::statistics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kResidualQuantiles[] = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};

Json Numbers(std::span<const double> values) {
  Json list = Json::Arr();
  for (const double value : values) list.Push(value);
  return list;
}

Result<> CheckBinary(std::span<const std::uint8_t> labels, std::span<const double> p) {
  GYRE_DO(CheckRows(labels.size(), p.size(), "probabilities"));
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] >= 0 && p[i] <= 1))
      return InvalidArgument("GY3003", "row {}: {} is not a probability", i + 1, p[i]);
  }
  return {};
}

struct Step {
  double threshold;
  std::uint64_t true_positives, false_positives;
};

// Cumulative counts at each distinct score, from the highest down.
Result<std::vector<Step>> Steps(std::span<const std::uint8_t> labels, std::span<const double> p) {
  GYRE_DO(CheckBinary(labels, p));
  const Ranking ranking = RankDescending(p, 1, labels);
  std::vector<Step> steps;
  std::uint64_t true_positives = 0, false_positives = 0;
  for (std::size_t i = 0; i < ranking.row.size(); ++i) {
    (ranking.positive[i] ? true_positives : false_positives) += 1;
    if (ranking.group_ends[i])
      steps.push_back({p[ranking.row[i]], true_positives, false_positives});
  }
  if (true_positives == 0 || false_positives == 0) {
    return InvalidArgument("GY3002", "all {} rows are of one class", labels.size())
        .Why("a curve weighs one class against the other");
  }
  return steps;
}

void Append(Curve* curve, double x, double y, double threshold) {
  curve->x.push_back(x);
  curve->y.push_back(y);
  curve->threshold.push_back(threshold);
}

std::vector<double> Edges(std::span<const double> p, int bins, Binning binning) {
  std::vector<double> edges;
  for (int i = 0; i < bins; ++i) edges.push_back(i * (1.0 / bins));  // the bits of numpy.linspace
  edges.push_back(1);
  return binning == Binning::kUniform ? edges : Quantiles(p, edges);
}

}  // namespace

Json Curve::ToJson(std::string_view x_name, std::string_view y_name) const {
  return Json::Obj({{std::string(x_name), Numbers(x)},
                    {std::string(y_name), Numbers(y)},
                    {"threshold", Numbers(threshold)}});
}

Result<Curve> RocCurve(std::span<const std::uint8_t> labels, std::span<const double> p) {
  GYRE_TRY(const std::vector<Step> steps, Steps(labels, p));
  const auto positives = static_cast<double>(steps.back().true_positives),
             negatives = static_cast<double>(steps.back().false_positives);
  Curve curve;
  Append(&curve, 0, 0, kInfinity);
  for (const Step& step : steps) {
    Append(&curve, static_cast<double>(step.false_positives) / negatives,
           static_cast<double>(step.true_positives) / positives, step.threshold);
  }
  return curve;
}

Result<Curve> PrecisionRecallCurve(std::span<const std::uint8_t> labels,
                                   std::span<const double> p) {
  GYRE_TRY(const std::vector<Step> steps, Steps(labels, p));
  const auto positives = static_cast<double>(steps.back().true_positives);
  Curve curve;
  for (std::size_t i = steps.size(); i > 0; --i) {
    const Step& step = steps[i - 1];
    const auto hits = static_cast<double>(step.true_positives);
    Append(&curve, hits / positives,
           hits / static_cast<double>(step.true_positives + step.false_positives), step.threshold);
  }
  Append(&curve, 0, 1, kInfinity);
  return curve;
}

Curve Thin(const Curve& curve, std::size_t points_max) {
  const std::size_t count = curve.x.size();
  if (count <= points_max) return curve;
  std::vector<double> length(count);
  for (std::size_t i = 1; i < count; ++i) {
    length[i] = length[i - 1] + std::fabs(curve.x[i] - curve.x[i - 1]) +
                std::fabs(curve.y[i] - curve.y[i - 1]);
  }
  Curve thin;
  std::size_t last = count;
  for (std::size_t k = 0; k < points_max; ++k) {
    const double wanted =
        length.back() * static_cast<double>(k) / static_cast<double>(points_max - 1);
    auto index =
        static_cast<std::size_t>(std::ranges::lower_bound(length, wanted) - length.begin());
    if (k + 1 == points_max) index = count - 1;
    index = std::min(index, count - 1);
    if (index == last) continue;
    last = index;
    Append(&thin, curve.x[index], curve.y[index], curve.threshold[index]);
  }
  return thin;
}

Result<std::vector<ReliabilityBin>> Reliability(std::span<const std::uint8_t> labels,
                                                std::span<const double> p, int bins,
                                                Binning binning) {
  GYRE_DO(CheckBinary(labels, p));
  if (bins < 1 || bins > 1000) return InvalidArgument("GY3005", "{} bins: give 1 to 1,000", bins);
  const std::vector<double> edges = Edges(p, bins, binning);
  std::vector<ReliabilityBin> all(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < p.size(); ++i) {
    // Inner edges belong to the bin below them, as in calibration_curve.
    const auto bin =
        static_cast<std::size_t>(std::lower_bound(edges.begin() + 1, edges.end() - 1, p[i]) -
                                 edges.begin()) -
        1;
    all[bin].predicted += p[i];
    all[bin].observed += labels[i] != 0;
    ++all[bin].rows;
  }
  std::vector<ReliabilityBin> filled;
  for (std::size_t k = 0; k < all.size(); ++k) {
    ReliabilityBin& bin = all[k];
    if (bin.rows == 0) continue;
    bin.lower = edges[k];
    bin.upper = edges[k + 1];
    bin.predicted /= static_cast<double>(bin.rows);
    bin.observed /= static_cast<double>(bin.rows);
    filled.push_back(bin);
  }
  return filled;
}

Json ReliabilityToJson(std::span<const ReliabilityBin> bins) {
  Json list = Json::Arr();
  for (const ReliabilityBin& bin : bins) {
    list.Push(Json::Obj({{"lower", bin.lower},
                         {"upper", bin.upper},
                         {"predicted", bin.predicted},
                         {"observed", bin.observed},
                         {"rows", bin.rows}}));
  }
  return list;
}

double ExpectedCalibrationError(std::span<const ReliabilityBin> bins) {
  double sum = 0, rows = 0;
  for (const ReliabilityBin& bin : bins) {
    sum += std::fabs(bin.predicted - bin.observed) * static_cast<double>(bin.rows);
    rows += static_cast<double>(bin.rows);
  }
  return rows == 0 ? kUndefined : sum / rows;
}

Json Residuals::ToJson() const {
  Json summary = Json::Arr();
  for (std::size_t i = 0; i < quantiles.size(); ++i)
    summary.Push(Json::Obj({{"q", kResidualQuantiles[i]}, {"value", quantiles[i]}}));
  return Json::Obj({{"predicted", Numbers(predicted)},
                    {"residual", Numbers(residual)},
                    {"mean", mean},
                    {"deviation", deviation},
                    {"quantiles", std::move(summary)}});
}

Result<Residuals> MakeResiduals(std::span<const double> truth, std::span<const double> predicted,
                                std::size_t points_max) {
  GYRE_DO(CheckRows(truth.size(), predicted.size(), "predictions"));
  const std::size_t rows = truth.size();
  std::vector<double> residual(rows);
  std::vector<std::uint32_t> by_predicted(rows);
  Residuals out;
  double squares = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    residual[i] = truth[i] - predicted[i];
    if (!std::isfinite(residual[i]))
      return InvalidArgument("GY3003", "row {}: truth or prediction is not a finite number", i + 1);
    by_predicted[i] = static_cast<std::uint32_t>(i);
    const double delta = residual[i] - out.mean;
    out.mean += delta / static_cast<double>(i + 1);
    squares += delta * (residual[i] - out.mean);
  }
  out.deviation = std::sqrt(squares / static_cast<double>(rows));
  out.quantiles = Quantiles(residual, kResidualQuantiles);
  std::ranges::sort(by_predicted, [&](std::uint32_t a, std::uint32_t b) {
    return predicted[a] != predicted[b] ? predicted[a] < predicted[b] : a < b;
  });
  // A tenth of the points for the largest errors, the rest evenly.
  const std::size_t extreme = rows <= points_max ? 0 : points_max / 10;
  std::vector<std::uint32_t> by_error = by_predicted;
  std::ranges::partial_sort(by_error, by_error.begin() + static_cast<std::ptrdiff_t>(extreme),
                            [&](std::uint32_t a, std::uint32_t b) {
                              return std::fabs(residual[a]) != std::fabs(residual[b])
                                         ? std::fabs(residual[a]) > std::fabs(residual[b])
                                         : a < b;
                            });
  std::vector<unsigned char> kept(rows, rows <= points_max);
  for (std::size_t i = 0; i < extreme; ++i) kept[by_error[i]] = 1;
  const std::size_t even = rows <= points_max ? 0 : points_max - extreme;
  for (std::size_t k = 0; k < even; ++k) kept[by_predicted[k * rows / even]] = 1;
  for (const std::uint32_t row : by_predicted) {
    if (kept[row] == 0) continue;
    out.predicted.push_back(predicted[row]);
    out.residual.push_back(residual[row]);
  }
  return out;
}

}  // namespace gyre::statistics
