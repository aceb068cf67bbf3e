#include "ml/statistics/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "ml/statistics/scored.h"

namespace gyre::statistics {
namespace {

using enum Better;

constexpr MetricInfo kMetrics[] = {
    {"auc", "auc.mann_whitney", kHigher, true, false, false,
     "area under the ROC curve; ties count one half"},
    {"average_precision", "average_precision.step", kHigher, true, false, false,
     "sum of (R_n - R_n-1) P_n over thresholds"},
    {"ks", "ks.two_sample", kHigher, true, false, false,
     "largest distance between the score distributions of the two classes"},
    {"auc_ovr_macro", "auc.ovr_macro_present", kHigher, false, true, false,
     "mean of the one-versus-rest AUCs of the classes that occur"},
    {"log_loss", "log_loss.nats.clip_eps", kLower, true, true, false,
     "mean negative log-likelihood, probabilities clipped to 2.2e-16"},
    {"brier", "brier.binary", kLower, true, false, false, "mean squared error of the probability"},
    {"accuracy", "accuracy.share", kHigher, true, true, false, "share of right decisions"},
    {"balanced_accuracy", "balanced_accuracy.mean_recall", kHigher, true, true, false,
     "mean recall of the classes that occur"},
    {"precision", "precision.zero_division_0", kHigher, true, false, false,
     "share of true among decided positives"},
    {"recall", "recall.zero_division_0", kHigher, true, false, false,
     "share of decided among true positives"},
    {"f1", "f1.zero_division_0", kHigher, true, false, false,
     "harmonic mean of precision and recall"},
    {"f1_macro", "f1.macro", kHigher, false, true, false, "mean of the F1 of each class"},
    {"f1_weighted", "f1.weighted", kHigher, false, true, false,
     "mean of the F1 of each class, weighted by its rows"},
    {"mcc", "mcc.gorodkin", kHigher, true, true, false,
     "Matthews correlation of truth and decision"},
    {"rmse", "rmse", kLower, false, false, true, "root of the mean squared error"},
    {"mae", "mae", kLower, false, false, true, "mean absolute error"},
    {"medae", "medae", kLower, false, false, true, "median absolute error"},
    {"mape", "mape.floor_eps", kLower, false, false, true,
     "mean of |error| / |truth|, |truth| at least 2.2e-16; a ratio"},
    {"r2", "r2.force_finite", kHigher, false, false, true,
     "share of the variance explained, about the mean of the truth"},
    {"explained_variance", "explained_variance.force_finite", kHigher, false, false, true,
     "1 - Var(error) / Var(truth)"},
    {"max_error", "max_error", kLower, false, false, true, "largest absolute error"},
};

struct Alias {
  std::string_view other, name;
};
constexpr Alias kAliases[] = {
    {"roc_auc", "auc"},
    {"roc_auc_score", "auc"},
    {"ap", "average_precision"},
    {"logloss", "log_loss"},
    {"brier_score", "brier"},
    {"accuracy_score", "accuracy"},
    {"f1_score", "f1"},
    {"macro_f1", "f1_macro"},
    {"weighted_f1", "f1_weighted"},
    {"roc_auc_ovr", "auc_ovr_macro"},
    {"root_mean_squared_error", "rmse"},
    {"mean_absolute_error", "mae"},
    {"r2_score", "r2"},
    {"mean_absolute_percentage_error", "mape"},
};

Result<MetricSet> ValuesOf(Result<Scored> scored) {
  if (!scored) return Error(std::move(scored).error());
  return scored->Values();
}

template <class Label>
bool OneClassOnly(std::span<const Label> labels) {
  return std::ranges::all_of(labels, [&](Label label) { return label == labels[0]; });
}

Error OneClass(std::uint64_t label, std::size_t rows) {
  return InvalidArgument("GY3002", "all {} rows are of one class (number {})", rows, label)
      .Why("metrics of a classifier compare at least two classes")
      .Fix("evaluate on rows that hold every class, for example with a stratified split");
}

}  // namespace

std::span<const MetricInfo> Metrics() { return kMetrics; }

const MetricInfo* FindMetric(std::string_view name) {
  const std::string lower = ToLower(name);
  std::string_view wanted = lower;
  for (const Alias& alias : kAliases) {
    if (alias.other == wanted) wanted = alias.name;
  }
  for (const MetricInfo& info : kMetrics) {
    if (info.name == wanted) return &info;
  }
  return nullptr;
}

double Gain(const MetricInfo& info, double a, double b) {
  return info.better == kHigher ? a - b : b - a;
}

std::optional<double> MetricSet::Find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Json MetricSet::ToJson() const {
  Json json = Json::Obj();
  for (const auto& [key, value] : values_) json.Set(key, value);
  return json;
}

std::vector<const MetricInfo*> MetricsWhere(bool MetricInfo::* task) {
  std::vector<const MetricInfo*> chosen;
  for (const MetricInfo& info : kMetrics) {
    if (info.*task) chosen.push_back(&info);
  }
  return chosen;
}

Result<> CheckRows(std::size_t rows, std::size_t other, std::string_view what) {
  if (rows == 0) return InvalidArgument("GY3001", "there are no rows to evaluate");
  if (rows != other) return InvalidArgument("GY3001", "{} labels but {} {}", rows, other, what);
  return {};
}

Ranking RankDescending(std::span<const double> scores, std::size_t stride,
                       std::span<const std::uint8_t> positive) {
  Ranking ranking;
  const std::size_t rows = positive.size();
  ranking.row.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) ranking.row[i] = static_cast<std::uint32_t>(i);
  const auto score = [&](std::uint32_t row) { return scores[row * stride]; };
  std::ranges::sort(ranking.row, [&](std::uint32_t a, std::uint32_t b) {
    return score(a) != score(b) ? score(a) > score(b) : a < b;
  });
  ranking.positive.resize(rows);
  ranking.group_ends.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    ranking.positive[i] = positive[ranking.row[i]];
    ranking.group_ends[i] = i + 1 == rows || score(ranking.row[i]) != score(ranking.row[i + 1]);
  }
  return ranking;
}

RankedValues EvaluateRanking(const Ranking& ranking, std::span<const std::uint32_t> weights) {
  std::uint64_t positives = 0, total = 0;
  for (std::size_t i = 0; i < ranking.row.size(); ++i) {
    const std::uint64_t w = weights[ranking.row[i]];
    total += w;
    positives += ranking.positive[i] ? w : 0;
  }
  const std::uint64_t negatives = total - positives;
  if (positives == 0 || negatives == 0) return {};
  // Twice the number of won pairs is a whole number: exact.
  std::uint64_t doubled_wins = 0, true_positives = 0, false_positives = 0, group_positives = 0,
                group_negatives = 0;
  double precision_sum = 0, distance = 0;
  const double per_positive = 1.0 / static_cast<double>(positives),
               per_negative = 1.0 / static_cast<double>(negatives);
  for (std::size_t i = 0; i < ranking.row.size(); ++i) {
    const std::uint64_t w = weights[ranking.row[i]];
    const std::uint64_t wp = ranking.positive[i] ? w : 0;
    group_positives += wp;
    group_negatives += w - wp;
    if (!ranking.group_ends[i]) continue;
    true_positives += group_positives;
    false_positives += group_negatives;
    doubled_wins += group_negatives * (2 * true_positives - group_positives);
    if (group_positives != 0) {
      precision_sum += static_cast<double>(group_positives) * static_cast<double>(true_positives) /
                       static_cast<double>(true_positives + false_positives);
    }
    const double gap = std::fabs(static_cast<double>(true_positives) * per_positive -
                                 static_cast<double>(false_positives) * per_negative);
    distance = std::max(distance, gap);
    group_positives = group_negatives = 0;
  }
  RankedValues values;
  values.auc = static_cast<double>(doubled_wins) / 2 /
               (static_cast<double>(positives) * static_cast<double>(negatives));
  values.average_precision = precision_sum * per_positive;
  values.ks = distance;
  return values;
}

std::size_t Scored::rows() const { return body_->rows; }
std::span<const MetricInfo* const> Scored::metrics() const { return body_->metrics; }
Confusion Scored::confusion() const { return body_->MakeConfusion(); }

void Scored::Evaluate(std::span<const std::uint32_t> weights, std::span<double> values) const {
  GYRE_CHECK(values.size() == body_->metrics.size());
  if (weights.empty()) {
    const std::vector<std::uint32_t> ones(body_->rows, 1);
    body_->Evaluate(ones, values);
    return;
  }
  GYRE_CHECK(weights.size() == body_->rows);
  body_->Evaluate(weights, values);
}

MetricSet Scored::Values() const {
  std::vector<double> values(body_->metrics.size());
  Evaluate({}, values);
  MetricSet set;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) set.Add(body_->metrics[i]->name, values[i]);
  }
  return set;
}

Result<MetricSet> BinaryMetrics(std::span<const std::uint8_t> labels, std::span<const double> p,
                                double threshold) {
  std::vector<std::uint8_t> decided(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) decided[i] = p[i] >= threshold;
  GYRE_TRY(auto scored, Scored::Binary(labels, p, decided));
  if (OneClassOnly(labels)) return OneClass(labels[0], labels.size());
  return scored.Values();
}

Result<MetricSet> MulticlassMetrics(std::span<const std::uint32_t> labels,
                                    std::span<const double> p, std::size_t classes) {
  GYRE_TRY(auto scored, Scored::Multiclass(labels, p, classes));
  if (OneClassOnly(labels)) return OneClass(labels[0], labels.size());
  return scored.Values();
}

Result<MetricSet> RegressionMetrics(std::span<const double> truth,
                                    std::span<const double> predicted) {
  return ValuesOf(Scored::Regression(truth, predicted));
}

}  // namespace gyre::statistics
