#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ml/monitoring/signals.h"
#include "ml/statistics/two_samples.h"

namespace gyre::monitoring {
namespace {

using statistics::Drift;
using statistics::DriftMethod;
using statistics::DriftScore;

constexpr double kClearShare = 0.8;  // of the threshold that begins an alert
constexpr double kDeviationMin = 1e-12;
constexpr std::size_t kNamed = 5;
constexpr double kPredictionRate = 0.01;
constexpr double kSmallest = 1e-300;  // p-values have a logarithm

std::string Named(const std::vector<std::string>& columns) {
  if (columns.size() <= kNamed) return Join(columns, ", ");
  const std::vector<std::string> first(columns.begin(),
                                       columns.begin() + static_cast<std::ptrdiff_t>(kNamed));
  return fmt::format("{} and {} more", Join(first, ", "), columns.size() - kNamed);
}

bool IsTime(table::Type type) {
  return type == table::Type::kDate || type == table::Type::kTimestamp;
}

// A constant has no spread: a value off it is as far as can be.
double InDeviations(const Bins& bins, const BinDistance& distance) {
  return bins.deviation > kDeviationMin ? distance.wasserstein / bins.deviation : distance.ks;
}

Drift CalibratedNumbers(const Bins& bins, const BinCounts& reference, const BinCounts& current) {
  const BinDistance distance = Compare(bins, reference, current);
  Drift drift{.method = kBinnedKs,
              .statistic = distance.ks,
              .effect_method = kBinnedWasserstein,
              .effect = InDeviations(bins, distance),
              .threshold = statistics::kFalseDiscoveryRate,
              .score = DriftScore::kPValue,
              .calibrated = true};
  drift.p_value = drift.compared =
      statistics::KsTwoSampleP(distance.ks, reference.present(), current.present());
  return drift;
}

void Judge(Drift* drift) {
  drift->drifted = drift->score == DriftScore::kPValue ? drift->compared <= drift->threshold
                                                       : drift->compared >= drift->threshold;
}

Drift NamedNumbers(const Bins& bins, const BinCounts& reference, const BinCounts& current,
                   const statistics::DriftOptions& options) {
  const std::string_view name = options.method->name;
  Drift drift;
  if (name == "ks" || name == "wasserstein") {
    drift = CalibratedNumbers(bins, reference, current);
    if (name == "wasserstein") {
      drift.method = kBinnedWasserstein;
      drift.statistic = drift.compared = drift.effect;
      drift.p_value.reset();
    }
    drift.calibrated = false;
    drift.effect_method = {};
    drift.effect = 0;
    drift.score = options.method->score;
    drift.threshold = options.threshold.value_or(options.method->threshold);
    Judge(&drift);
    return drift;
  }
  drift = statistics::DriftOfCounts(InTenths(bins, reference), InTenths(bins, current), options);
  drift.method = name == "psi" ? kBinnedPsi : name == "js" ? kBinnedJs : kBinnedLInfinity;
  return drift;
}

// Without what neither side holds, which no other table would have.
Drift OfValues(const BinCounts& reference, const BinCounts& current,
               const statistics::DriftOptions& options) {
  std::vector<std::uint64_t> before, now;
  for (std::size_t i = 0; i < reference.counts.size(); ++i) {
    if (reference.counts[i] + current.counts[i] == 0) continue;
    before.push_back(reference.counts[i]);
    now.push_back(current.counts[i]);
  }
  return statistics::DriftOfCounts(before, now, options);
}

std::string DescriptionOf(const Bins& bins, const Drift& drift) {
  if (!drift.calibrated) {
    const std::string_view name = drift.method.substr(0, drift.method.find('.'));
    return drift.p_value ? fmt::format("{} p {:.1g} (drifted up to {:.2g})", name, drift.compared,
                                       drift.threshold)
                         : fmt::format("{} {:.2g} (drifted from {:.2g} on)", name, drift.compared,
                                       drift.threshold);
  }
  if (drift.effect_method == kBinnedWasserstein && bins.deviation > kDeviationMin)
    return fmt::format("{:.2g} standard deviations away (p {:.1g})", drift.effect, drift.compared);
  return fmt::format("distance {:.2g} (p {:.1g})", drift.effect, drift.compared);
}

// From 1 on it has drifted.
double InThresholds(const Drift& drift, double effect_min, bool significant) {
  double times = 0;
  if (drift.calibrated) {
    if (significant && effect_min > 0) times = drift.effect / effect_min;
  } else if (drift.score == DriftScore::kDistance) {
    if (drift.threshold > 0) times = drift.compared / drift.threshold;
  } else if (drift.threshold > 0 && drift.threshold < 1) {
    times = std::log(std::max(drift.compared, kSmallest)) / std::log(drift.threshold);
  }
  return drift.drifted ? std::max(1.0, times) : times;
}

// All windows are compared with the same few rows that training held out: where those are off by
// chance, every window is.
double SignificanceOf(std::string_view name) {
  return name == kPredictionDrift ? kPredictionRate : statistics::kFalseDiscoveryRate;
}

// Verdicts, words, order and the score of the signal.
void JudgeColumns(const std::vector<const Bins*>& bins, double effect_min, DriftFindings* found) {
  Signal& signal = found->signal;
  const double significance = SignificanceOf(signal.name);
  const bool named = std::ranges::any_of(
      found->columns, [](const ColumnDrift& column) { return !column.drift.calibrated; });
  signal.raise = named ? 1 : effect_min;
  signal.clear = signal.raise * kClearShare;
  for (std::size_t i = 0; i < found->columns.size(); ++i) {
    ColumnDrift& column = found->columns[i];
    Drift& drift = column.drift;
    const bool significant = drift.calibrated && drift.compared <= significance;
    if (drift.calibrated) drift.drifted = significant && drift.effect >= effect_min;
    column.what = DescriptionOf(*bins[i], drift);
    column.far = named ? InThresholds(drift, effect_min, significant) : drift.effect;
    if (named || significant) signal.score = std::max(signal.score, column.far);
  }
  std::ranges::stable_sort(found->columns, [](const ColumnDrift& a, const ColumnDrift& b) {
    if (a.drift.drifted != b.drift.drifted) return a.drift.drifted;
    return a.far > b.far;
  });
  for (const ColumnDrift& column : found->columns) {
    if (column.drift.drifted) signal.columns.push_back(column.column);
  }
}

}  // namespace

std::string DriftedText(std::string_view signal, std::size_t columns) {
  if (signal == kPredictionDrift) return "predictions drifted";
  return fmt::format("{} {} drifted", columns, columns == 1 ? "column" : "columns");
}

Drift DriftOfColumn(const Bins& bins, const BinCounts& reference, const BinCounts& current,
                    const statistics::DriftOptions& options) {
  if (!bins.is_number) return OfValues(reference, current, options);
  const bool named = options.method != nullptr && !options.method->of_numbers.empty();
  return named ? NamedNumbers(bins, reference, current, options)
               : CalibratedNumbers(bins, reference, current);
}

DriftFindings DriftOf(std::string_view name, std::span<const ReferenceColumn> reference,
                      std::span<const BinCounts> current, const DriftRules& rules,
                      std::string_view than) {
  DriftFindings found;
  std::vector<const Bins*> bins;
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const ReferenceColumn& column = reference[i];
    if (column.counts.present() == 0 || current[i].present() == 0) continue;
    if (IsTime(column.bins.type)) continue;
    rows = std::max(rows, current[i].present());
    const statistics::DriftOptions& options = rules.Of(column.bins.name);
    found.columns.push_back(
        {.column = column.bins.name,
         .drift = DriftOfColumn(column.bins, column.counts, current[i], options)});
    bins.push_back(&column.bins);
  }
  std::vector<Drift*> drifts;
  for (ColumnDrift& column : found.columns) drifts.push_back(&column.drift);
  statistics::CorrectForColumns(drifts);
  Signal& signal = found.signal;
  signal.name = std::string(name);
  JudgeColumns(bins, rules.effect_min, &found);
  if (rows >= static_cast<std::uint64_t>(kRowsMin))
    signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  if (!signal.columns.empty())
    signal.what = fmt::format("{} from {}: {}", DriftedText(name, signal.columns.size()), than,
                              Named(signal.columns));
  return found;
}

}  // namespace gyre::monitoring
