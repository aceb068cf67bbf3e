// How good is a model, how sure are we, where is it weak, and is it better than another one: pure
// functions of scorers and a frame. Deterministic by seed. Rows without a target and rows of a
// class that the model does not know are left out and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/predictors/scorer.h"
#include "ml/registry/registry.h"
#include "ml/statistics/bootstrap.h"
#include "ml/statistics/metrics.h"
#include "platform/table/frame.h"

namespace gyre::evaluation {

struct EvaluateOptions {
  std::string primary_metric;  // empty = the task's own: auc, log_loss (multiclass), rmse
  statistics::BootstrapOptions bootstrap;
  bool slices = true;
  int slice_rows_min = 50;
  int slices_max = 30;  // kept, the worst first
  int slice_resamples = 200;
  bool importance = true;
  int importance_rows_max = 2000;
  int importance_repeats = 2;
  double importance_seconds_max = 0;  // > 0: fewer rows rather than longer
  int curve_points_max = 200;
  int residual_points_max = 500;
  std::function<void(double, std::string_view)> progress;  // 0..1
  std::function<bool()> cancelled;
};

// Rows of a column with one value or in one range, judged by themselves.
struct Slice {
  std::string column;
  std::string value;  // "Germany", "[18, 25)", "(missing)"
  std::size_t rows = 0;
  statistics::MetricInterval
      metric;                 // the primary metric; slices that leave it undefined are left out
  double gap = 0;             // by how much it is worse than the whole; positive = worse
  bool surely_worse = false;  // the whole's value lies beyond the slice's interval
};

// By how much the primary metric falls when one raw column is shuffled.
struct Importance {
  std::string column;
  double mean = 0, deviation = 0;  // over the repeats
};

struct Evaluation {
  predictors::Task task = predictors::Task::kBinary;
  std::string primary;  // "auc"
  std::vector<std::string> classes;
  std::size_t rows = 0, rows_without_target = 0, rows_of_unknown_class = 0;
  statistics::IntervalSet metrics;
  statistics::Confusion confusion;  // no classes for regression
  // {"roc": {...}, "precision_recall": {...}, "calibration": {"uniform", "quantile", "ece",
  // "ece_method"}, "residuals": {...}}
  Json curves;
  std::vector<Slice> slices;  // the worst first
  std::size_t slices_examined = 0;
  std::vector<Importance> importance;  // the most important first
  // Against the best constant answer on these very rows (class shares, or the mean): what every
  // model must beat.
  statistics::PairedResult over_baseline;
  std::vector<std::string> warnings;
  Json ToJson() const;
};

// Errors: kInvalidArgument GY3701 the target column is missing or has no usable rows, GY3702
// unknown or unfitting primary metric; GY3002 only one class; those of Scorer::Score. kCancelled
// GY3703.
Result<Evaluation> Evaluate(const predictors::Scorer& scorer, const table::Frame& frame,
                            const EvaluateOptions& options);

struct Comparison {
  predictors::Task task = predictors::Task::kBinary;
  std::string primary;
  std::size_t rows = 0;             // that both can judge
  statistics::PairedResult paired;  // positive gain = `a` is better
  double agreement = 0;             // share of equal decisions; 0 for regression
  Json ToJson() const;
};
// Two models of one task and target on the same rows, both by the positive class of `a`. Errors: as
// Evaluate; GY3704 different tasks, targets or classes.
Result<Comparison> Compare(const predictors::Scorer& a, const predictors::Scorer& b,
                           const table::Frame& frame, const EvaluateOptions& options);

// A line for who reads a comparison of models that differ in their positive class; else empty.
std::string OtherPositive(const predictors::Scorer& a, const predictors::Scorer& b,
                          std::string_view name_of_b);

// Only the metrics: no intervals, slices or curves. What a leaderboard asks for.
Result<statistics::MetricSet> QuickMetrics(const predictors::Scorer& scorer,
                                           const table::Frame& frame);

// What a gate judges. `champion` null = there is none; champion_name: "churn:v3".
registry::GateNumbers MakeGateNumbers(const Evaluation& evaluation, const Comparison* champion,
                                      std::string_view champion_name);

// The task's own metric: "auc", "log_loss", "rmse".
std::string_view DefaultPrimaryMetric(predictors::Task task);
// What comparisons of a gate go by.
std::string GateMetric(const registry::AliasPolicy& policy, predictors::Task task);

}  // namespace gyre::evaluation
