#include "ml/evaluation/judged.h"

#include <algorithm>
#include <cmath>

namespace gyre::evaluation {
namespace {

constexpr double kRowDrawsMax = 1.5e8;
constexpr int kResamplesMin = 100;

}  // namespace

Judged Judged::Select(std::span<const std::uint32_t> positions,
                      const predictors::Scorer& scorer) const {
  Judged part;
  const std::size_t classes = scorer.classes().size();
  part.scores.rows = positions.size();
  for (const std::uint32_t i : positions) {
    part.truth.rows.push_back(truth.rows[i]);
    if (!truth.value.empty()) part.truth.value.push_back(truth.value[i]);
    if (!truth.label.empty()) part.truth.label.push_back(truth.label[i]);
    if (!scores.prediction.empty()) part.scores.prediction.push_back(scores.prediction[i]);
    if (!scores.label.empty()) part.scores.label.push_back(scores.label[i]);
    if (scores.probabilities.empty()) continue;
    const double* first = scores.probabilities.data() + i * classes;
    part.scores.probabilities.insert(part.scores.probabilities.end(), first, first + classes);
  }
  return part;
}

Result<Judged> ScoreJudged(const predictors::Scorer& scorer, const table::Frame& frame,
                           const Truth& truth) {
  Judged judged;
  judged.truth = truth;
  if (truth.rows.size() == frame.rows()) {
    GYRE_TRY(judged.scores, scorer.Score(frame));
  } else {
    GYRE_TRY(judged.scores, scorer.Score(frame.Select(truth.rows)));
  }
  return judged;
}

Result<> CheckTwoClasses(const predictors::Scorer& scorer, const Truth& truth) {
  if (scorer.task() == predictors::Task::kRegression) return {};
  if (std::ranges::any_of(truth.label,
                          [&](std::uint32_t label) { return label != truth.label[0]; }))
    return {};
  return InvalidArgument("GY3002", "all {} rows have the class `{}` in `{}`", truth.label.size(),
                         scorer.classes()[truth.label[0]], scorer.package().target)
      .Why("metrics of a classifier compare at least two classes")
      .Fix("evaluate on rows that hold every class");
}

statistics::BootstrapOptions BoundedBootstrap(const statistics::BootstrapOptions& options,
                                              std::size_t rows, std::size_t classes) {
  statistics::BootstrapOptions bounded = options;
  const double cost =
      static_cast<double>(rows) * static_cast<double>(std::max<std::size_t>(classes, 2)) / 2;
  const int affordable = static_cast<int>(std::min(kRowDrawsMax / cost, 1e6));
  bounded.resamples = std::min(options.resamples, std::max(affordable, kResamplesMin));
  return bounded;
}

Result<const statistics::MetricInfo*> PrimaryMetric(predictors::Task task, std::string_view name) {
  const std::string_view wanted = name.empty() ? DefaultPrimaryMetric(task) : name;
  const statistics::MetricInfo* info = statistics::FindMetric(wanted);
  if (info == nullptr)
    return InvalidArgument("GY3702", "there is no metric `{}`", wanted)
        .Fix("use one of the metrics of the evaluation");
  const bool fits = task == predictors::Task::kBinary       ? info->binary
                    : task == predictors::Task::kMulticlass ? info->multiclass
                                                            : info->regression;
  if (!fits)
    return InvalidArgument("GY3702", "metric `{}` is not defined for {} models", info->name,
                           predictors::TaskName(task));
  return info;
}

std::string_view DefaultPrimaryMetric(predictors::Task task) {
  switch (task) {
    case predictors::Task::kBinary:
      return "auc";
    case predictors::Task::kMulticlass:
      return "log_loss";
    case predictors::Task::kRegression:
      return "rmse";
  }
  return "auc";
}

std::string GateMetric(const registry::AliasPolicy& policy, predictors::Task task) {
  return policy.metric.empty() ? std::string(DefaultPrimaryMetric(task)) : policy.metric;
}

Result<> CheckCancelled(const EvaluateOptions& options) {
  if (options.cancelled && options.cancelled())
    return MakeError(Code::kCancelled, "GY3703", "the evaluation was cancelled");
  return {};
}

void Tell(const EvaluateOptions& options, double fraction, std::string_view text) {
  if (options.progress) options.progress(fraction, text);
}

}  // namespace gyre::evaluation
