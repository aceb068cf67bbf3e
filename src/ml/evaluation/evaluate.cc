#include "ml/evaluation/evaluate.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ml/evaluation/judged.h"
#include "ml/statistics/curves.h"

namespace gyre::evaluation {
namespace {

using predictors::Task;

constexpr std::size_t kCurveClassesMax = 10;
constexpr int kEceBins = 15, kReliabilityBins = 10;
constexpr std::size_t kRowsFew = 200;

// The best constant answer on these rows: the share of each class, or the mean.
Result<statistics::Scored> BaselineOf(const predictors::Scorer& scorer, const Truth& truth) {
  const std::size_t rows = truth.rows.size(), classes = scorer.classes().size();
  predictors::Scores constant;
  constant.rows = rows;
  if (scorer.task() == Task::kRegression) {
    double mean = 0;
    for (std::size_t i = 0; i < rows; ++i)
      mean += (truth.value[i] - mean) / static_cast<double>(i + 1);
    constant.prediction.assign(rows, mean);
    return Join(scorer, constant, truth);
  }
  std::vector<double> share(classes);
  for (const std::uint32_t label : truth.label) share[label] += 1.0 / static_cast<double>(rows);
  for (double& value : share) value = std::min(value, 1.0);
  const auto largest = static_cast<std::uint32_t>(std::ranges::max_element(share) - share.begin());
  constant.label.assign(rows, largest);
  for (std::size_t i = 0; i < rows; ++i)
    constant.probabilities.insert(constant.probabilities.end(), share.begin(), share.end());
  return Join(scorer, constant, truth);
}

Json CalibrationJson(std::span<const std::uint8_t> labels, std::span<const double> p) {
  Json json = Json::Obj();
  const auto uniform =
      statistics::Reliability(labels, p, kReliabilityBins, statistics::Binning::kUniform);
  const auto quantile =
      statistics::Reliability(labels, p, kReliabilityBins, statistics::Binning::kQuantile);
  const auto fine = statistics::Reliability(labels, p, kEceBins, statistics::Binning::kUniform);
  if (!uniform || !quantile || !fine) return json;
  json.Set("uniform", statistics::ReliabilityToJson(*uniform));
  json.Set("quantile", statistics::ReliabilityToJson(*quantile));
  json.Set("ece", statistics::ExpectedCalibrationError(*fine));
  json.Set("ece_method", fmt::format("ece.uniform{}", kEceBins));
  return json;
}

struct OneVersusRest {
  std::vector<std::uint8_t> labels;
  std::vector<double> p;
};
OneVersusRest RowsOfClass(const Judged& judged, std::size_t classes, std::uint32_t k) {
  OneVersusRest rows;
  for (std::size_t i = 0; i < judged.truth.label.size(); ++i) {
    rows.labels.push_back(judged.truth.label[i] == k);
    rows.p.push_back(judged.scores.probabilities[i * classes + k]);
  }
  return rows;
}

// Is a decision that is 80 % sure right in 8 of 10 cases?
OneVersusRest TopLabelRows(const Judged& judged, std::size_t classes) {
  OneVersusRest rows;
  for (std::size_t i = 0; i < judged.truth.label.size(); ++i) {
    const std::uint32_t decided = judged.scores.label[i];
    rows.labels.push_back(judged.truth.label[i] == decided);
    rows.p.push_back(judged.scores.probabilities[i * classes + decided]);
  }
  return rows;
}

Result<> AddRankCurves(const OneVersusRest& rows, std::size_t points_max, Json* json) {
  GYRE_TRY(const statistics::Curve roc, statistics::RocCurve(rows.labels, rows.p));
  GYRE_TRY(const statistics::Curve pr, statistics::PrecisionRecallCurve(rows.labels, rows.p));
  json->Set("roc", statistics::Thin(roc, points_max).ToJson("fpr", "tpr"));
  json->Set("precision_recall", statistics::Thin(pr, points_max).ToJson("recall", "precision"));
  return {};
}

// Empty unless a score is perfect. R2 counts as such from where it prints as 1.
std::string PerfectScore(const Evaluation& evaluation) {
  constexpr std::size_t kColumnsNamed = 3;
  constexpr struct {
    std::string_view metric;
    double from;
  } kPerfect[] = {{"auc", 1}, {"accuracy", 1}, {"r2", 0.99995}};
  for (const auto& [metric, from] : kPerfect) {
    const statistics::MetricInterval* found = evaluation.metrics.Find(metric);
    if (found == nullptr || !(found->estimate >= from)) continue;
    std::vector<std::string> columns;
    for (const Importance& one : evaluation.importance) {
      if (one.mean > 0 && columns.size() < kColumnsNamed)
        columns.push_back(fmt::format("`{}`", one.column));
    }
    std::string text =
        fmt::format("{} is 1: a perfect score is more often a leak than a good model", metric);
    if (columns.empty()) return text;
    return text + fmt::format("; it rests on {}: would you know {} beforehand?",
                              gyre::Join(columns, ", "), columns.size() == 1 ? "it" : "them");
  }
  return {};
}

void AddWarnings(Evaluation* evaluation) {
  const auto warn = [&](std::string text) { evaluation->warnings.push_back(std::move(text)); };
  if (std::string text = PerfectScore(*evaluation); !text.empty()) warn(std::move(text));
  if (evaluation->rows < kRowsFew)
    warn(fmt::format("only {} rows to judge by: the intervals are wide", evaluation->rows));
  if (evaluation->rows_of_unknown_class > 0) {
    warn(fmt::format("{} rows have a class that the model does not know; they were left out",
                     evaluation->rows_of_unknown_class));
  }
  if (evaluation->rows_without_target > 0)
    warn(
        fmt::format("{} rows have no target; they were left out", evaluation->rows_without_target));
  std::size_t surely = 0;
  for (const Slice& slice : evaluation->slices) surely += slice.surely_worse ? 1 : 0;
  if (surely > 0)
    warn(fmt::format("{} of {} slices are surely worse than the whole: the model card names them",
                     surely, evaluation->slices_examined));
}

bool HasOtherPositive(const predictors::Scorer& a, const predictors::Scorer& b) {
  return a.task() == Task::kBinary && b.task() == Task::kBinary &&
         a.classes()[0] == b.classes()[1] && a.classes()[1] == b.classes()[0];
}

void SwapClasses(predictors::Scores* scores) {
  for (std::size_t i = 0; i < scores->rows; ++i) {
    std::swap(scores->probabilities[2 * i], scores->probabilities[2 * i + 1]);
    scores->label[i] = 1 - scores->label[i];
  }
}

void CopyTo(std::map<std::string, registry::Number, std::less<>>* map, std::string_view name,
            double estimate, double lower, double upper) {
  registry::Number number{estimate, {}, {}};
  if (!std::isnan(lower)) number.lower = lower;
  if (!std::isnan(upper)) number.upper = upper;
  (*map)[std::string(name)] = number;
}

void CopyGains(registry::GateNumbers* numbers, std::string_view other,
               const statistics::PairedResult& paired) {
  for (const statistics::MetricGain& gain : paired.metrics) {
    CopyTo(&numbers->gains[std::string(other)], gain.info->name, gain.gain, gain.lower, gain.upper);
    CopyTo(&numbers->others[std::string(other)], gain.info->name, gain.b, NAN, NAN);
  }
}

}  // namespace

Result<Json> MakeCurves(const predictors::Scorer& scorer, const Judged& judged,
                        const EvaluateOptions& options) {
  Json json = Json::Obj();
  const auto points_max = static_cast<std::size_t>(std::max(options.curve_points_max, 2));
  const std::size_t classes = scorer.classes().size();
  if (scorer.task() == Task::kRegression) {
    const auto residual_points =
        static_cast<std::size_t>(std::max(options.residual_points_max, 20));
    GYRE_TRY(
        const statistics::Residuals residuals,
        statistics::MakeResiduals(judged.truth.value, judged.scores.prediction, residual_points));
    json.Set("residuals", residuals.ToJson());
    return json;
  }
  if (scorer.task() == Task::kBinary) {
    const OneVersusRest rows = RowsOfClass(judged, classes, 1);
    GYRE_DO(AddRankCurves(rows, points_max, &json));
    json.Set("calibration", CalibrationJson(rows.labels, rows.p));
    return json;
  }
  const OneVersusRest top = TopLabelRows(judged, classes);
  json.Set("calibration", CalibrationJson(top.labels, top.p));
  Json each = Json::Arr();
  for (std::uint32_t k = 0; k < std::min(classes, kCurveClassesMax); ++k) {
    const OneVersusRest rows = RowsOfClass(judged, classes, k);
    Json one = Json::Obj({{"class", scorer.classes()[k]}});
    // A class that does not occur in these rows has no curve.
    if (AddRankCurves(rows, points_max / 2 + 1, &one)) each.Push(std::move(one));
  }
  json.Set("classes", std::move(each));
  return json;
}

Result<Evaluation> Evaluate(const predictors::Scorer& scorer, const table::Frame& frame,
                            const EvaluateOptions& options) {
  GYRE_TRY(const statistics::MetricInfo* primary,
           PrimaryMetric(scorer.task(), options.primary_metric));
  GYRE_TRY(const Truth truth, ReadTruth(scorer.package(), frame));
  GYRE_DO(CheckTwoClasses(scorer, truth));
  Tell(options, 0, "scoring");
  GYRE_TRY(const Judged judged, ScoreJudged(scorer, frame, truth));
  GYRE_TRY(const statistics::Scored scored, Join(scorer, judged.scores, truth));
  GYRE_DO(CheckCancelled(options));
  Tell(options, 0.2, "intervals");

  Evaluation evaluation;
  evaluation.task = scorer.task();
  evaluation.primary = primary->name;
  evaluation.classes = scorer.classes();
  evaluation.rows = truth.rows.size();
  evaluation.rows_without_target = truth.without_target;
  evaluation.rows_of_unknown_class = truth.of_unknown_class;
  const statistics::BootstrapOptions bootstrap =
      BoundedBootstrap(options.bootstrap, truth.rows.size(), scorer.classes().size());
  GYRE_TRY(evaluation.metrics, statistics::Bootstrap(scored, bootstrap));
  GYRE_TRY(const statistics::Scored baseline, BaselineOf(scorer, truth));
  GYRE_TRY(evaluation.over_baseline, statistics::PairedBootstrap(scored, baseline, bootstrap));
  evaluation.confusion = scored.confusion();
  GYRE_TRY(evaluation.curves, MakeCurves(scorer, judged, options));
  const statistics::MetricInterval* whole = evaluation.metrics.Find(primary->name);
  if (whole != nullptr && options.slices) {
    Tell(options, 0.4, "slices");
    GYRE_TRY(evaluation.slices, FindSlices(scorer, frame, judged, *primary, whole->estimate,
                                           options, &evaluation.slices_examined));
  }
  if (whole != nullptr && options.importance) {
    Tell(options, 0.6, "importance of columns");
    GYRE_TRY(evaluation.importance, MeasureImportance(scorer, frame, judged, *primary, options));
  }
  AddWarnings(&evaluation);
  Tell(options, 1, "evaluated");
  return evaluation;
}

Result<Comparison> Compare(const predictors::Scorer& a, const predictors::Scorer& b,
                           const table::Frame& frame, const EvaluateOptions& options) {
  const auto mismatch = [&](std::string_view what) {
    return InvalidArgument("GY3704", "the two models have different {}: they cannot be compared",
                           what);
  };
  if (a.task() != b.task()) return mismatch("tasks");
  if (a.package().target != b.package().target) return mismatch("targets");
  const bool swapped = HasOtherPositive(a, b);
  if (!swapped && a.classes() != b.classes()) return mismatch("classes");
  GYRE_TRY(const statistics::MetricInfo* primary, PrimaryMetric(a.task(), options.primary_metric));
  GYRE_TRY(const Truth truth, ReadTruth(a.package(), frame));
  GYRE_DO(CheckTwoClasses(a, truth));
  GYRE_TRY(const Judged of_a, ScoreJudged(a, frame, truth));
  GYRE_DO(CheckCancelled(options));
  GYRE_TRY(Judged of_b, ScoreJudged(b, frame, truth));
  if (swapped) SwapClasses(&of_b.scores);
  GYRE_DO(CheckCancelled(options));
  GYRE_TRY(const statistics::Scored scored_a, Join(a, of_a.scores, truth));
  GYRE_TRY(const statistics::Scored scored_b, Join(a, of_b.scores, truth));
  Comparison comparison;
  comparison.task = a.task();
  comparison.primary = primary->name;
  comparison.rows = truth.rows.size();
  const statistics::BootstrapOptions bootstrap =
      BoundedBootstrap(options.bootstrap, truth.rows.size(), 2 * a.classes().size());
  GYRE_TRY(comparison.paired, statistics::PairedBootstrap(scored_a, scored_b, bootstrap));
  for (std::size_t i = 0; i < of_a.scores.label.size(); ++i)
    comparison.agreement += of_a.scores.label[i] == of_b.scores.label[i];
  comparison.agreement /= static_cast<double>(comparison.rows);
  return comparison;
}

std::string OtherPositive(const predictors::Scorer& a, const predictors::Scorer& b,
                          std::string_view name_of_b) {
  if (!HasOtherPositive(a, b)) return {};
  return fmt::format("the positive class of {} is `{}`: it is compared on `{}`", name_of_b,
                     b.classes()[1], a.classes()[1]);
}

Result<statistics::MetricSet> QuickMetrics(const predictors::Scorer& scorer,
                                           const table::Frame& frame) {
  GYRE_TRY(const Truth truth, ReadTruth(scorer.package(), frame));
  GYRE_DO(CheckTwoClasses(scorer, truth));
  GYRE_TRY(const Judged judged, ScoreJudged(scorer, frame, truth));
  GYRE_TRY(const statistics::Scored scored, Join(scorer, judged.scores, truth));
  return scored.Values();
}

registry::GateNumbers MakeGateNumbers(const Evaluation& evaluation, const Comparison* champion,
                                      std::string_view champion_name) {
  registry::GateNumbers numbers;
  numbers.primary = evaluation.primary;
  for (const statistics::MetricInterval& metric : evaluation.metrics.metrics) {
    CopyTo(&numbers.metrics, metric.info->name, metric.estimate, metric.lower, metric.upper);
  }
  CopyGains(&numbers, "baseline", evaluation.over_baseline);
  if (champion != nullptr) {
    numbers.champion = champion_name;
    CopyGains(&numbers, "champion", champion->paired);
  }
  return numbers;
}

}  // namespace gyre::evaluation
