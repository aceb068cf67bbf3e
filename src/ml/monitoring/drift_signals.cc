#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ml/monitoring/signals.h"
#include "ml/statistics/two_samples.h"

namespace gyre::monitoring {
namespace {

constexpr double kClearShare = 0.8;  // of the threshold that begins an alert
constexpr double kDeviationMin = 1e-12;
constexpr std::size_t kNamed = 5;
// Of a share: as many more rows as matter, and more than chance gives.
constexpr double kShareRise = 0.05;
constexpr double kOutsideMin = 0.1;
constexpr double kSure = 5;  // standard errors
constexpr double kPredictionRate = 0.01;

double ShareOf(std::uint64_t part, double whole) {
  return whole > 0 ? static_cast<double>(part) / whole : 0;
}

statistics::Drift BinnedDrift(const Bins& bins, const BinCounts& reference,
                              const BinCounts& current) {
  const BinDistance distance = Compare(bins, reference, current);
  statistics::Drift drift;
  drift.method = kBinnedKs;
  drift.statistic = distance.ks;
  drift.p_value = drift.compared =
      statistics::KsTwoSampleP(distance.ks, reference.present(), current.present());
  drift.effect_method = kBinnedWasserstein;
  // A constant has no spread: a value off it is as far as can be.
  drift.effect =
      bins.deviation > kDeviationMin ? distance.wasserstein / bins.deviation : distance.ks;
  drift.threshold = statistics::kFalseDiscoveryRate;
  drift.score = statistics::DriftScore::kPValue;
  drift.calibrated = true;
  return drift;
}

std::string DescriptionOf(const Bins& bins, const statistics::Drift& drift) {
  if (drift.effect_method == kBinnedWasserstein && bins.deviation > kDeviationMin)
    return fmt::format("{:.2g} standard deviations away (p {:.1g})", drift.effect, drift.compared);
  return fmt::format("distance {:.2g} (p {:.1g})", drift.effect, drift.compared);
}

std::string Named(const std::vector<std::string>& columns) {
  if (columns.size() <= kNamed) return Join(columns, ", ");
  const std::vector<std::string> first(columns.begin(),
                                       columns.begin() + static_cast<std::ptrdiff_t>(kNamed));
  return fmt::format("{} and {} more", Join(first, ", "), columns.size() - kNamed);
}

bool IsTime(table::Type type) {
  return type == table::Type::kDate || type == table::Type::kTimestamp;
}

struct QualityRule {
  std::string_view kind;
  double share = 0, reference_share = 0, rise_min = 0;
  std::string what;
};

bool Surely(const QualityRule& rule, double rows, double reference_rows) {
  const double rise = rule.share - rule.reference_share;
  if (rise < rule.rise_min) return false;
  const double pooled = (rule.share * rows + rule.reference_share * reference_rows) /
                        std::max(1.0, rows + reference_rows);
  const double error = std::sqrt(pooled * (1 - pooled) *
                                 (1 / std::max(1.0, rows) + 1 / std::max(1.0, reference_rows)));
  return rise >= kSure * error;
}

std::vector<QualityRule> RulesOf(const ReferenceColumn& column, const BinCounts& now) {
  const auto rows = static_cast<double>(now.rows), before = static_cast<double>(column.counts.rows);
  const auto present = static_cast<double>(now.present());
  const std::string& name = column.bins.name;
  std::vector<QualityRule> rules;
  const double missing = ShareOf(static_cast<std::uint64_t>(now.missing), rows);
  const double missed = ShareOf(static_cast<std::uint64_t>(column.counts.missing), before);
  rules.push_back({"missing", missing, missed, kShareRise,
                   fmt::format("{} is missing in {:.0f} % of the rows, {:.0f} % before", name,
                               100 * missing, 100 * missed)});
  if (IsTime(column.bins.type)) {
    // Time goes on: it is always later than what the model has seen.
  } else if (column.bins.is_number) {
    const double outside = ShareOf(now.counts.front() + now.counts.back(), present);
    rules.push_back({"out_of_range", outside, 0, kOutsideMin,
                     fmt::format("{:.0f} % of {} lie outside the range that the model has seen",
                                 100 * outside, name)});
  } else {
    const double unseen = ShareOf(now.counts.back(), present);
    const double other =
        ShareOf(column.counts.counts.back(), static_cast<double>(column.counts.present()));
    rules.push_back({"unseen", unseen, other, kShareRise,
                     fmt::format("{:.0f} % of {} are values that the model has not seen or hardly, "
                                 "{:.0f} % before",
                                 100 * unseen, name, 100 * other)});
  }
  return rules;
}

void Thresholds(double raise, Signal* signal) {
  signal->raise = raise;
  signal->clear = raise * kClearShare;
}

}  // namespace

std::string DriftedText(std::string_view signal, std::size_t columns) {
  if (signal == kPredictionDrift) return "predictions drifted";
  return fmt::format("{} {} drifted", columns, columns == 1 ? "column" : "columns");
}

Quality QualityOf(std::span<const ReferenceColumn> reference, std::span<const BinCounts> current) {
  Quality quality;
  Signal& signal = quality.signal;
  signal.name = kDataQuality;
  Thresholds(1, &signal);
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    rows = std::max(rows, current[i].rows);
    for (QualityRule& rule : RulesOf(reference[i], current[i])) {
      if (!Surely(rule, static_cast<double>(current[i].rows),
                  static_cast<double>(reference[i].counts.rows)))
        continue;
      signal.broken_input |= rule.kind == "missing";
      quality.findings.push_back({reference[i].bins.name, std::string(rule.kind), rule.share,
                                  rule.reference_share, std::move(rule.what)});
    }
  }
  for (const QualityFinding& finding : quality.findings) {
    if (std::ranges::find(signal.columns, finding.column) == signal.columns.end())
      signal.columns.push_back(finding.column);
  }
  signal.score = static_cast<double>(quality.findings.size());
  if (rows >= kRowsMin) signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  if (quality.findings.empty()) return quality;
  signal.what = quality.findings[0].what;
  if (quality.findings.size() > 1)
    signal.what += fmt::format("; and {} more", quality.findings.size() - 1);
  return quality;
}

DriftFindings DriftOf(std::string_view name, std::span<const ReferenceColumn> reference,
                      std::span<const BinCounts> current, double effect_min,
                      std::string_view than) {
  // All windows are compared with the same few rows that training held out: where those are off by
  // chance, every window is.
  const double significance =
      name == kPredictionDrift ? kPredictionRate : statistics::kFalseDiscoveryRate;
  DriftFindings found;
  std::vector<const Bins*> bins;
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const ReferenceColumn& column = reference[i];
    if (column.counts.present() == 0 || current[i].present() == 0) continue;
    if (IsTime(column.bins.type)) continue;
    rows = std::max(rows, current[i].present());
    found.columns.push_back(
        {column.bins.name,
         column.bins.is_number
             ? BinnedDrift(column.bins, column.counts, current[i])
             : statistics::DriftOfCounts(column.counts.counts, current[i].counts, {}),
         {}});
    bins.push_back(&column.bins);
  }
  std::vector<statistics::Drift*> drifts;
  for (ColumnDrift& column : found.columns) drifts.push_back(&column.drift);
  statistics::CorrectForColumns(drifts);
  Signal& signal = found.signal;
  signal.name = std::string(name);
  Thresholds(effect_min, &signal);
  for (std::size_t i = 0; i < found.columns.size(); ++i) {
    ColumnDrift& column = found.columns[i];
    const bool significant = column.drift.compared <= significance;
    column.drift.drifted = significant && column.drift.effect >= effect_min;
    column.what = DescriptionOf(*bins[i], column.drift);
    if (significant) signal.score = std::max(signal.score, column.drift.effect);
  }
  std::ranges::stable_sort(found.columns, [](const ColumnDrift& a, const ColumnDrift& b) {
    if (a.drift.drifted != b.drift.drifted) return a.drift.drifted;
    return a.drift.effect > b.drift.effect;
  });
  for (const ColumnDrift& column : found.columns) {
    if (column.drift.drifted) signal.columns.push_back(column.column);
  }
  if (rows >= static_cast<std::uint64_t>(kRowsMin))
    signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  if (!signal.columns.empty())
    signal.what = fmt::format("{} from {}: {}", DriftedText(name, signal.columns.size()), than,
                              Named(signal.columns));
  return found;
}

}  // namespace gyre::monitoring
