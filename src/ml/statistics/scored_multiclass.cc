#include <algorithm>
#include <cmath>

#include "ml/statistics/scored.h"

namespace gyre::statistics {
namespace {

// One sorted copy of the rows per class; beyond this many cells the one-versus-rest AUC is left
// out.
constexpr std::size_t kRankedCellsMax = 40'000'000;

struct MulticlassBody final : Scored::Body {
  std::size_t classes = 0;
  std::vector<std::uint32_t> label, decided;
  std::vector<double> loss;
  std::vector<Ranking> rankings;

  void Evaluate(std::span<const std::uint32_t> weights, std::span<double> values) const override;
  double OneVersusRest(std::span<const std::uint32_t> weights) const;
  Confusion MakeConfusion() const override { return Count(std::vector<std::uint32_t>(rows, 1)); }
  Confusion Count(std::span<const std::uint32_t> weights) const {
    Confusion confusion{classes, std::vector<std::uint64_t>(classes * classes)};
    for (std::size_t i = 0; i < rows; ++i)
      confusion.counts[label[i] * classes + decided[i]] += weights[i];
    return confusion;
  }
};

double MulticlassBody::OneVersusRest(std::span<const std::uint32_t> weights) const {
  double sum = 0;
  int defined = 0;
  for (const Ranking& ranking : rankings) {
    const double auc = EvaluateRanking(ranking, weights).auc;
    if (std::isnan(auc)) continue;
    sum += auc;
    ++defined;
  }
  return defined == 0 ? kUndefined : sum / defined;
}

struct FromConfusion {
  double accuracy = 0, balanced_accuracy = 0, f1_macro = 0, f1_weighted = 0, mcc = 0;
};

FromConfusion Derive(const Confusion& confusion) {
  double correct = 0, total = 0, recall_sum = 0, f1_sum = 0, f1_weighted = 0, cross = 0,
         truth_squared = 0, decided_squared = 0;
  int present = 0, mentioned = 0;
  for (std::size_t k = 0; k < confusion.classes; ++k) {
    double truth = 0, decided = 0;
    for (std::size_t j = 0; j < confusion.classes; ++j) {
      truth += static_cast<double>(confusion.At(k, j));
      decided += static_cast<double>(confusion.At(j, k));
    }
    const auto hit = static_cast<double>(confusion.At(k, k));
    correct += hit;
    total += truth;
    cross += truth * decided;
    truth_squared += truth * truth;
    decided_squared += decided * decided;
    if (truth > 0) {
      ++present;
      recall_sum += hit / truth;
    }
    if (truth + decided > 0) {
      ++mentioned;
      f1_sum += 2 * hit / (truth + decided);
      f1_weighted += truth * 2 * hit / (truth + decided);
    }
  }
  FromConfusion out;
  out.accuracy = correct / total;
  out.balanced_accuracy = recall_sum / present;
  out.f1_macro = f1_sum / mentioned;
  out.f1_weighted = f1_weighted / total;
  const double product =
      std::sqrt(total * total - decided_squared) * std::sqrt(total * total - truth_squared);
  out.mcc = product == 0 ? 0 : (correct * total - cross) / product;
  return out;
}

void MulticlassBody::Evaluate(std::span<const std::uint32_t> weights,
                              std::span<double> values) const {
  double loss_sum = 0, total = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    loss_sum += weights[i] * loss[i];
    total += weights[i];
  }
  if (total == 0) {
    std::ranges::fill(values, kUndefined);
    return;
  }
  const FromConfusion derived = Derive(Count(weights));
  // In the order of the metric table.
  const double all[] = {
      OneVersusRest(weights), loss_sum / total,    derived.accuracy, derived.balanced_accuracy,
      derived.f1_macro,       derived.f1_weighted, derived.mcc};
  GYRE_CHECK(std::size(all) == values.size());
  std::ranges::copy(all, values.begin());
}

// The clipped, renormalised likelihood of the true class; sets `decided` to the largest.
Result<double> RowLoss(std::span<const double> p, std::uint32_t label, std::size_t row,
                       std::uint32_t* decided) {
  constexpr double kEps = std::numeric_limits<double>::epsilon();
  double sum = 0;
  *decided = 0;
  for (std::uint32_t k = 0; k < p.size(); ++k) {
    if (!(p[k] >= 0 && p[k] <= 1)) {
      return InvalidArgument("GY3003", "row {}: {} is not a probability", row + 1, p[k])
          .Why(
              "a probability is a number from 0 to 1; NaN comes from a model that could not score "
              "the row");
    }
    sum += p[k];
    if (p[k] > p[*decided]) *decided = k;
  }
  if (std::fabs(sum - 1) > 1e-3)
    return InvalidArgument("GY3003", "row {}: probabilities add up to {}, not 1", row + 1, sum);
  return -std::log(std::clamp(p[label] / sum, kEps, 1 - kEps));
}

}  // namespace

Result<Scored> Scored::Multiclass(std::span<const std::uint32_t> labels, std::span<const double> p,
                                  std::size_t classes, std::span<const std::uint32_t> decided) {
  if (classes < 2)
    return InvalidArgument("GY3002", "a classifier has at least two classes, this one {}", classes);
  GYRE_DO(CheckRows(labels.size(), p.size() / classes, "rows of probabilities"));
  if (!decided.empty()) GYRE_DO(CheckRows(labels.size(), decided.size(), "decisions"));
  auto body = std::make_shared<MulticlassBody>();
  body->rows = labels.size();
  body->classes = classes;
  body->metrics = MetricsWhere(&MetricInfo::multiclass);
  body->label.assign(labels.begin(), labels.end());
  body->decided.resize(labels.size());
  body->loss.resize(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= classes)
      return InvalidArgument("GY3004", "row {}: class number {} of {}", i + 1, labels[i], classes);
    GYRE_TRY(body->loss[i],
             RowLoss(p.subspan(i * classes, classes), labels[i], i, &body->decided[i]));
    if (decided.empty()) continue;
    if (decided[i] >= classes)
      return InvalidArgument("GY3004", "row {}: decided class number {} of {}", i + 1, decided[i],
                             classes);
    body->decided[i] = decided[i];
  }
  if (labels.size() * classes <= kRankedCellsMax) {
    std::vector<std::uint8_t> positive(labels.size());
    for (std::size_t k = 0; k < classes; ++k) {
      for (std::size_t i = 0; i < labels.size(); ++i) positive[i] = labels[i] == k;
      body->rankings.push_back(RankDescending(p.subspan(k), classes, positive));
    }
  }
  return Scored(std::move(body));
}

}  // namespace gyre::statistics
