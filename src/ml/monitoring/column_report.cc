#include "ml/monitoring/column_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/text.h"
#include "base/time.h"
#include "ml/statistics/moments.h"
#include "ml/statistics/quantiles.h"
#include "ml/statistics/two_samples.h"
#include "platform/table/append.h"

namespace gyre::monitoring {
namespace {

using statistics::Drift;
using statistics::DriftScore;
using table::Field;
using table::Type;

constexpr std::size_t kBins = 30;
constexpr std::size_t kCategoriesOfIntsMax = 10;  // whole numbers with so few values are classes
constexpr std::size_t kValuesShown = 12;          // the rest as one
constexpr std::int64_t kTextDistinctMin = 10;     // fewer values are classes in any case
constexpr double kMissingGrows = 0.1;             // a share that is worth a word
constexpr std::size_t kShownBytes = 80;

std::string_view KindName(bool number) { return number ? "number" : "category"; }

Json Sides(Json reference, Json current) {
  return Json::Obj({{"reference", std::move(reference)}, {"current", std::move(current)}});
}

// A value of a column as its type writes it.
Json ValueJson(Type type, double value) {
  if (type == Type::kDate) return table::DateText(static_cast<std::int64_t>(std::floor(value)));
  if (type == Type::kTimestamp) return FormatTime(static_cast<std::int64_t>(value));
  if (type == Type::kInt && value == std::floor(value) && std::abs(value) < 0x1p53)
    return static_cast<std::int64_t>(value);
  return value;
}

Json Summary(Type type, std::span<const double> sorted) {
  if (sorted.empty()) return nullptr;
  const auto at = [&](double q) { return ValueJson(type, statistics::SortedQuantile(sorted, q)); };
  return Json::Obj(
      {{"mean", ValueJson(type == Type::kInt ? Type::kDouble : type, statistics::MeanOf(sorted))},
       {"min", at(0)},
       {"q25", at(0.25)},
       {"median", at(0.5)},
       {"q75", at(0.75)},
       {"max", at(1)}});
}

// Where a picture begins and ends: far outliers would leave one bar and much air.
std::pair<double, double> ShownRange(std::span<const double> a, std::span<const double> b) {
  constexpr double kTail = 0.005, kAir = 3;
  const double low = std::min(a.front(), b.front()), high = std::max(a.back(), b.back());
  const double inner_low = std::min(statistics::SortedQuantile(a, kTail),
                                    statistics::SortedQuantile(b, kTail)),
               inner_high = std::max(statistics::SortedQuantile(a, 1 - kTail),
                                     statistics::SortedQuantile(b, 1 - kTail));
  const double span = inner_high - inner_low;
  if (span <= 0 || high - low <= kAir * span) return {low, high};
  return {std::max(low, inner_low - span / 2), std::min(high, inner_high + span / 2)};
}

std::vector<double> PictureEdges(const Field& field, std::span<const double> a,
                                 std::span<const double> b) {
  auto [low, high] = ShownRange(a, b);
  std::size_t bins = kBins;
  if (low == high) {
    low -= 0.5;
    high += 0.5;
    bins = 1;
  } else if (field.type == Type::kInt) {
    // As many whole numbers in each bin, or a comb would show where there is none.
    const double width = std::ceil((std::floor(high) - std::ceil(low) + 1) / kBins);
    low = std::ceil(low) - 0.5;
    bins = static_cast<std::size_t>(std::ceil((std::floor(high) + 0.5 - low) / width));
    high = low + width * static_cast<double>(bins);
  }
  std::vector<double> edges;
  for (std::size_t i = 0; i <= bins; ++i)
    edges.push_back(low + (high - low) * static_cast<double>(i) / static_cast<double>(bins));
  return edges;
}

Json CountsJson(std::span<const std::uint64_t> counts) {
  Json json = Json::Arr();
  for (const std::uint64_t count : counts) json.Push(count);
  return json;
}

Json Histogram(const Field& field, std::span<const double> reference,
               std::span<const double> current) {
  const std::vector<double> edges = PictureEdges(field, reference, current);
  const auto below = [&](std::span<const double> side) {
    return std::lower_bound(side.begin(), side.end(), edges.front()) - side.begin();
  };
  const auto above = [&](std::span<const double> side) {
    return side.end() - std::upper_bound(side.begin(), side.end(), edges.back());
  };
  Json edges_json = Json::Arr();
  for (const double edge : edges) edges_json.Push(edge);
  return Json::Obj({{"edges", std::move(edges_json)},
                    {"reference", CountsJson(statistics::CountSorted(reference, edges))},
                    {"current", CountsJson(statistics::CountSorted(current, edges))},
                    {"below", Sides(below(reference), below(current))},
                    {"above", Sides(above(reference), above(current))}});
}

// Categories of both sides with the counts of each.
struct Categories {
  std::vector<std::string> names;
  std::vector<std::uint64_t> reference, current;
};

// The most frequent ones, by the larger of both shares; whole numbers in their own order.
Json Values(const Categories& categories, bool ordered) {
  const auto sum = [](const std::vector<std::uint64_t>& counts) {
    return std::max(
        1.0, static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0})));
  };
  const double in_reference = sum(categories.reference), in_current = sum(categories.current);
  std::vector<std::size_t> order(categories.names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto by_share = [&](std::size_t i) {
    return std::max(static_cast<double>(categories.reference[i]) / in_reference,
                    static_cast<double>(categories.current[i]) / in_current);
  };
  if (!ordered) std::ranges::stable_sort(order, std::greater<>(), by_share);
  Json values = Json::Arr();
  std::uint64_t other_reference = 0, other_current = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const std::size_t i = order[rank];
    if (rank >= kValuesShown) {
      other_reference += categories.reference[i];
      other_current += categories.current[i];
      continue;
    }
    std::string name = categories.names[i];
    if (name.size() > kShownBytes) {
      std::size_t cut = kShownBytes;
      while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;
      name.resize(cut);
      name += "…";
    }
    values.Push(Json::Obj({{"value", std::move(name)},
                           {"reference", categories.reference[i]},
                           {"current", categories.current[i]}}));
  }
  if (order.size() > kValuesShown) {
    values.Push(Json::Obj({{"value", nullptr},
                           {"of", order.size() - kValuesShown},
                           {"reference", other_reference},
                           {"current", other_current}}));
  }
  return values;
}

Categories ByValue(std::span<const double> reference, std::span<const double> current) {
  Categories categories;
  const auto take = [](std::span<const double> of, std::size_t* at, double value) {
    const auto end =
        std::upper_bound(of.begin() + static_cast<std::ptrdiff_t>(*at), of.end(), value);
    const auto count = static_cast<std::uint64_t>(end - of.begin()) - *at;
    *at += count;
    return count;
  };
  for (std::size_t i = 0, j = 0; i < reference.size() || j < current.size();) {
    const double value = i == reference.size() ? current[j]
                         : j == current.size() ? reference[i]
                                               : std::min(reference[i], current[j]);
    categories.names.push_back(fmt::format("{}", static_cast<std::int64_t>(value)));
    categories.reference.push_back(take(reference, &i, value));
    categories.current.push_back(take(current, &j, value));
  }
  return categories;
}

// Stops counting where there are more than kCategoriesOfIntsMax.
bool HasFewValues(std::span<const double> reference, std::span<const double> current) {
  std::vector<double> met;
  for (const std::span<const double> side : {reference, current}) {
    for (auto at = side.begin(); at != side.end() && met.size() <= kCategoriesOfIntsMax;) {
      if (std::ranges::find(met, *at) == met.end()) met.push_back(*at);
      at = std::upper_bound(at, side.end(), *at);
    }
  }
  return met.size() <= kCategoriesOfIntsMax;
}

Categories Together(const table::ValueCounts& reference, const table::ValueCounts& current) {
  std::map<std::string_view, std::pair<std::uint64_t, std::uint64_t>> by_name;
  for (const auto& [name, count] : reference.values)
    by_name[name].first = static_cast<std::uint64_t>(count);
  for (const auto& [name, count] : current.values)
    by_name[name].second = static_cast<std::uint64_t>(count);
  Categories categories;
  for (const auto& [name, counts] : by_name) {
    categories.names.emplace_back(name);
    categories.reference.push_back(counts.first);
    categories.current.push_back(counts.second);
  }
  return categories;
}

std::int64_t Filled(const table::ValueCounts& counts) {
  std::int64_t filled = 0;
  for (const auto& [value, count] : counts.values) filled += count;
  return filled;
}
// Ids and free text: frequencies of values that hardly occur twice say nothing.
bool IsFreeText(const table::ValueCounts& counts) {
  const auto distinct = static_cast<std::int64_t>(counts.values.size());
  return counts.cut_off || (distinct > kTextDistinctMin && 2 * distinct > Filled(counts));
}

Json Begin(const Field& field, std::string_view kind) {
  return Json::Obj(
      {{"name", field.name}, {"type", table::TypeName(field.type)}, {"kind", std::string(kind)}});
}

void SetRows(std::int64_t reference_missing, std::int64_t current_missing, ColumnReport* report) {
  const auto share = [](std::int64_t missing, std::int64_t values) {
    return missing + values == 0
               ? 0.0
               : static_cast<double>(missing) / static_cast<double>(missing + values);
  };
  report->document
      .Set("rows", Sides(report->reference_values + reference_missing,
                         report->current_values + current_missing))
      .Set("missing", Sides(share(reference_missing, report->reference_values),
                            share(current_missing, report->current_values)));
}

// False, with the status written, where one side holds nothing.
bool BothFilled(ColumnReport* report) {
  const bool reference = report->reference_values > 0, current = report->current_values > 0;
  if (reference && current) return true;
  const std::string_view status = !reference && !current ? "both_empty"
                                  : reference            ? "current_empty"
                                                         : "reference_empty";
  report->document.Set("status", status);
  report->document.Set("reason", !reference && !current ? "neither table has a value in it"
                                 : reference            ? "the current table has no value in it"
                                                        : "the reference has no value in it");
  return false;
}

void SetCategories(const Categories& categories, Type type, const statistics::DriftOptions& options,
                   ColumnReport* report) {
  report->document.Set("distinct", categories.names.size())
      .Set("values", Values(categories, type == Type::kInt));
  if (!BothFilled(report)) return;
  report->drift = statistics::DriftOfCounts(categories.reference, categories.current, options);
}

std::string Number(double value) { return fmt::format("{:.3g}", value); }
std::string Probability(double p) {
  constexpr double kShownMin = 1e-12;
  return p < kShownMin ? "p < 1e-12" : fmt::format("p = {:.2g}", p);
}

std::string EffectText(const Drift& drift) {
  return drift.effect_method.starts_with("wasserstein")
             ? fmt::format("{} standard deviations", Number(drift.effect))
             : fmt::format("a Jensen-Shannon distance of {}", Number(drift.effect));
}

std::string CalibratedReason(const Drift& drift, std::size_t corrected_for) {
  const std::string p = (corrected_for > 1 ? "corrected " : "") + Probability(drift.compared);
  if (drift.drifted)
    return fmt::format("moved by {}, which is no chance ({})", EffectText(drift), p);
  if (drift.compared > drift.threshold) return fmt::format("no more than chance explains ({})", p);
  return fmt::format("moved by {}, too little to matter (from {} on it does; {})",
                     EffectText(drift), Number(statistics::kEffectMin), p);
}

std::string NamedReason(const Drift& drift) {
  if (drift.score == DriftScore::kPValue) {
    return fmt::format("{} is {} the threshold {}", Probability(drift.compared),
                       drift.drifted ? "at or below" : "above", Number(drift.threshold));
  }
  return fmt::format("{} is {} the threshold {}", Number(drift.compared),
                     drift.drifted ? "at or above" : "below", Number(drift.threshold));
}

std::string MissingText(const Json& missing) {
  const double reference = missing["reference"].AsDouble(), current = missing["current"].AsDouble();
  if (std::abs(reference - current) < kMissingGrows) return {};
  return fmt::format("; missing values {:.1f} % -> {:.1f} %", 100 * reference, 100 * current);
}

}  // namespace

ColumnReport ReportOfNumbers(const Field& field, table::NumberColumn* reference,
                             table::NumberColumn* current, const statistics::DriftOptions& options,
                             statistics::SortScratch* scratch) {
  ColumnReport report;
  const auto in_reference = static_cast<std::int64_t>(reference->values.size()),
             in_current = static_cast<std::int64_t>(current->values.size());
  statistics::SortFinite(&reference->values, scratch);
  statistics::SortFinite(&current->values, scratch);
  report.reference_values = static_cast<std::int64_t>(reference->values.size());
  report.current_values = static_cast<std::int64_t>(current->values.size());
  const bool whole = field.type == Type::kInt;
  const bool number = !whole || !HasFewValues(reference->values, current->values);
  report.document = Begin(field, KindName(number));
  // NaN and infinities count as missing.
  SetRows(reference->missing + in_reference - report.reference_values,
          current->missing + in_current - report.current_values, &report);
  report.document.Set("summary", Sides(Summary(field.type, reference->values),
                                       Summary(field.type, current->values)));
  if (!number) {
    SetCategories(ByValue(reference->values, current->values), field.type, options, &report);
    return report;
  }
  if (!BothFilled(&report)) return report;
  report.document.Set("histogram", Histogram(field, reference->values, current->values));
  // A column with missing values is real to pandas, and so to the tools that define the bins.
  const bool all_whole = whole && reference->missing + current->missing == 0;
  report.drift =
      statistics::DriftOfNumbers({reference->values, current->values, all_whole}, options);
  return report;
}

ColumnReport ReportOfValues(const Field& field, const table::ValueCounts& reference,
                            const table::ValueCounts& current,
                            const statistics::DriftOptions& options) {
  ColumnReport report;
  report.reference_values = Filled(reference);
  report.current_values = Filled(current);
  if (IsFreeText(reference) || IsFreeText(current)) {
    return ReportOfStatus(field, "not_comparable",
                          "nearly every value occurs once (ids or free text): there are no "
                          "frequencies to compare");
  }
  report.document = Begin(field, KindName(false));
  SetRows(reference.missing, current.missing, &report);
  SetCategories(Together(reference, current), field.type, options, &report);
  return report;
}

ColumnReport ReportOfStatus(const Field& field, std::string_view status, std::string reason) {
  ColumnReport report;
  const bool number = field.type != Type::kText && field.type != Type::kBool;
  report.document = Begin(field, status == "not_comparable" ? "text" : KindName(number));
  report.document.Set("status", status).Set("reason", std::move(reason));
  return report;
}

void WriteVerdict(ColumnReport* report, std::size_t corrected_for) {
  Json& document = report->document;
  if (!report->drift) {
    for (const char* name : {"method", "statistic", "p_value", "threshold", "drifted"})
      document.Set(name, Json());
    return;
  }
  const Drift& drift = *report->drift;
  document.Set("status", "compared")
      .Set("method", drift.method)
      .Set("statistic", drift.statistic)
      .Set("p_value", drift.p_value ? Json(*drift.p_value) : Json())
      .Set("threshold", drift.threshold)
      .Set("drifted", drift.drifted);
  if (drift.calibrated) {
    document.Set("p_corrected", drift.compared)
        .Set("effect", Json::Obj({{"method", drift.effect_method},
                                  {"value", drift.effect},
                                  {"threshold", statistics::kEffectMin}}));
  }
  document.Set("reason",
               (drift.calibrated ? CalibratedReason(drift, corrected_for) : NamedReason(drift)) +
                   MissingText(document["missing"]));
}

}  // namespace gyre::monitoring
