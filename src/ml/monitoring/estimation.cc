#include "ml/monitoring/estimation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "ml/statistics/quantiles.h"

namespace gyre::monitoring {
namespace {

constexpr int kDraws = 200;
constexpr std::size_t kDrawnRows = 5'000;  // beyond, every so manieth row

struct Counts {
  double tp = 0, fp = 0, fn = 0, tn = 0;
};

double Share(double part, double whole) { return whole > 0 ? part / whole : 0; }

double Rounded(double value) { return std::nearbyint(value * 1e5) / 1e5; }

// Expected true and false positives among the highest scores, at the end of each run of ties.
struct CurvePoint {
  double tps = 0, fps = 0, rank = 0;
};
std::vector<CurvePoint> CurveOf(std::span<const double> calibrated,
                                std::span<const double> scores) {
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order,
                           [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  std::vector<CurvePoint> points = {{}};
  double positives = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    positives += calibrated[order[i]];
    const bool tied = i + 1 < order.size() && scores[order[i + 1]] == scores[order[i]];
    const auto rank = static_cast<double>(i + 1);
    if (!tied) points.push_back({Rounded(positives), Rounded(rank - positives), rank});
  }
  return points;
}

double AucOf(const std::vector<CurvePoint>& curve) {
  const CurvePoint& all = curve.back();
  double area = 0;
  for (std::size_t i = 1; i < curve.size(); ++i)
    area += (curve[i].fps - curve[i - 1].fps) * (curve[i].tps + curve[i - 1].tps) / 2;
  return all.tps > 0 && all.fps > 0 ? area / (all.tps * all.fps)
                                    : std::numeric_limits<double>::quiet_NaN();
}

double AveragePrecisionOf(const std::vector<CurvePoint>& curve) {
  const CurvePoint& all = curve.back();
  double sum = 0;
  for (std::size_t i = 1; i < curve.size(); ++i)
    sum += (curve[i].tps - curve[i - 1].tps) * curve[i].tps / curve[i].rank;
  return Share(sum, all.tps);
}

Counts CountsOf(std::span<const double> calibrated, std::span<const std::uint8_t> decided) {
  Counts counts;
  for (std::size_t i = 0; i < calibrated.size(); ++i) {
    (decided[i] != 0 ? counts.tp : counts.fn) += calibrated[i];
    (decided[i] != 0 ? counts.fp : counts.tn) += 1 - calibrated[i];
  }
  return counts;
}

Result<> Check(std::span<const double> calibrated, std::span<const double> scores,
               std::size_t decided, std::size_t classes) {
  if (decided == 0 || calibrated.size() != decided * classes || scores.size() != calibrated.size())
    return InvalidArgument("GY4505", "an estimate takes as many scores as decisions, and some");
  for (const std::span<const double> values : {calibrated, scores}) {
    if (!std::ranges::all_of(values, [](double p) { return p >= 0 && p <= 1; }))
      return InvalidArgument("GY4505", "a score is no probability: an estimate takes 0 to 1");
  }
  return {};
}

constexpr std::size_t kMeasured = 7;
constexpr std::string_view kNames[kMeasured] = {
    "auc", "average_precision", "f1", "precision", "recall", "specificity", "accuracy"};
constexpr std::string_view kMacroNames[kMeasured] = {
    "auc_ovr_macro", "average_precision_macro", "f1_macro", "precision_macro",
    "recall_macro",  "specificity_macro",       "accuracy"};

void Measure(std::span<const double> calibrated, std::span<const double> scores,
             std::span<const std::uint8_t> decided, std::span<double> values) {
  const std::vector<CurvePoint> curve = CurveOf(calibrated, scores);
  const Counts c = CountsOf(calibrated, decided);
  values[0] = AucOf(curve);
  values[1] = AveragePrecisionOf(curve);
  values[2] = Share(c.tp, c.tp + (c.fp + c.fn) / 2);
  values[3] = Share(c.tp, c.tp + c.fp);
  values[4] = Share(c.tp, c.tp + c.fn);
  values[5] = Share(c.tn, c.tn + c.fp);
  values[6] = (c.tp + c.tn) / static_cast<double>(decided.size());
}

statistics::MetricSet SetOf(std::span<const std::string_view> names,
                            std::span<const double> values) {
  statistics::MetricSet set;
  for (std::size_t i = 0; i < kMeasured; ++i) {
    if (!std::isnan(values[i])) set.Add(names[i], values[i]);
  }
  return set;
}

std::vector<double> ColumnOf(std::span<const double> matrix, std::size_t classes, std::size_t k) {
  std::vector<double> column(matrix.size() / classes);
  for (std::size_t i = 0; i < column.size(); ++i) column[i] = matrix[i * classes + k];
  return column;
}

// What one draw of labels measures.
double Drawn(std::span<const double> p, std::span<const std::uint32_t> decided, std::size_t classes,
             std::string_view metric, Random* random) {
  std::vector<std::uint32_t> labels(decided.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    double u = random->Uniform();
    std::uint32_t k = 0;
    while (k + 1 < classes && u >= p[i * classes + k]) u -= p[i * classes + k++];
    labels[i] = k;
  }
  Result<statistics::Scored> scored = InvalidArgument("GY4505", "no labels");
  if (classes == 2) {
    std::vector<std::uint8_t> y(labels.begin(), labels.end());
    std::vector<std::uint8_t> d(decided.begin(), decided.end());
    scored = statistics::Scored::Binary(y, ColumnOf(p, 2, 1), d);
  } else {
    scored = statistics::Scored::Multiclass(labels, p, classes, decided);
  }
  const auto value = scored ? scored->Values().Find(metric) : std::nullopt;
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

Result<statistics::MetricSet> EstimateBinary(std::span<const double> calibrated,
                                             std::span<const double> scores,
                                             std::span<const std::uint8_t> decided) {
  GYRE_DO(Check(calibrated, scores, decided.size(), 1));
  double values[kMeasured];
  Measure(calibrated, scores, decided, values);
  return SetOf(kNames, values);
}

Result<statistics::MetricSet> EstimateMulticlass(std::span<const double> calibrated,
                                                 std::span<const double> scores,
                                                 std::span<const std::uint32_t> decided,
                                                 std::size_t classes) {
  GYRE_DO(Check(calibrated, scores, decided.size(), classes));
  std::vector<double> means(kMeasured, 0.0);
  double values[kMeasured];
  std::vector<std::uint8_t> is_class(decided.size());
  for (std::size_t k = 0; k < classes; ++k) {
    for (std::size_t i = 0; i < decided.size(); ++i) is_class[i] = decided[i] == k;
    Measure(ColumnOf(calibrated, classes, k), ColumnOf(scores, classes, k), is_class, values);
    for (std::size_t m = 0; m < means.size(); ++m)
      means[m] += values[m] / static_cast<double>(classes);
  }
  // One class against the rest counts each row classes times; accuracy is of the rows.
  means.back() = 0;
  for (std::size_t i = 0; i < decided.size(); ++i)
    means.back() += calibrated[i * classes + decided[i]];
  means.back() /= static_cast<double>(decided.size());
  return SetOf(kMacroNames, means);
}

Result<EstimateInterval> IntervalOfEstimate(std::span<const double> calibrated,
                                            std::span<const std::uint32_t> decided,
                                            std::size_t classes, std::string_view metric,
                                            std::uint64_t seed) {
  GYRE_DO(Check(calibrated, calibrated, decided.size(), classes));
  const std::size_t step = (decided.size() + kDrawnRows - 1) / kDrawnRows;
  std::vector<double> p;
  std::vector<std::uint32_t> d;
  for (std::size_t i = 0; i < decided.size(); i += step) {
    d.push_back(decided[i]);
    p.insert(p.end(), calibrated.begin() + static_cast<std::ptrdiff_t>(i * classes),
             calibrated.begin() + static_cast<std::ptrdiff_t>((i + 1) * classes));
  }
  Random random(seed);
  std::vector<double> drawn(kDraws);
  for (double& value : drawn) value = Drawn(p, d, classes, metric, &random);
  const double qs[] = {0.025, 0.5, 0.975};
  const std::vector<double> ends = statistics::Quantiles(drawn, qs);
  // Fewer rows than there are spread wider, by the root of their share.
  const double scale =
      std::sqrt(static_cast<double>(d.size()) / static_cast<double>(decided.size()));
  return EstimateInterval{ends[1] + (ends[0] - ends[1]) * scale,
                          ends[1] + (ends[2] - ends[1]) * scale};
}

}  // namespace gyre::monitoring
