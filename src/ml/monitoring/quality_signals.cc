#include <algorithm>
#include <cmath>

#include "ml/monitoring/signals.h"

namespace gyre::monitoring {
namespace {

constexpr double kClearShare = 0.8;  // of the threshold that begins an alert
// Of a share: as many more rows as matter, and more than chance gives.
constexpr double kShareRise = 0.05;
constexpr double kOutsideMin = 0.1;
constexpr double kSure = 5;  // standard errors

double ShareOf(std::uint64_t part, double whole) {
  return whole > 0 ? static_cast<double>(part) / whole : 0;
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

}  // namespace

Quality QualityOf(std::span<const ReferenceColumn> reference, std::span<const BinCounts> current) {
  Quality quality;
  Signal& signal = quality.signal;
  signal.name = kDataQuality;
  signal.raise = 1;
  signal.clear = kClearShare;
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

}  // namespace gyre::monitoring
