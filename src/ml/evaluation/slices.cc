#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "base/time.h"
#include "ml/evaluation/judged.h"
#include "ml/statistics/quantiles.h"

namespace gyre::evaluation {
namespace {

constexpr std::size_t kColumnsMax = 100, kDistinctMax = 2000, kValuesPerColumnMax = 20,
                      kFewNumbers = 10;
constexpr double kSliceDrawsMax = 2e8;

struct Candidate {
  std::string value;
  std::vector<std::uint32_t> positions;  // into the judged rows
};

std::string NumberText(const table::Column& column, double value) {
  if (column.type == table::Type::kDate)
    return FormatTime(static_cast<std::int64_t>(value) * kMicrosPerDay).substr(0, 10);
  if (column.type == table::Type::kTimestamp) return FormatTime(static_cast<std::int64_t>(value));
  if (column.type == table::Type::kBool) return value != 0 ? "true" : "false";
  return fmt::format("{:.6g}", value);
}

double NumberAt(const table::Column& column, std::size_t row) {
  return column.type == table::Type::kDouble ? column.doubles[row]
                                             : static_cast<double>(column.ints[row]);
}

// The most frequent values with enough rows; none for free text.
std::vector<Candidate> ByText(const table::Column& column, const std::vector<std::uint32_t>& rows,
                              std::size_t rows_min) {
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> groups;
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    if (!column.IsValid(rows[i])) continue;
    groups[column.text[rows[i]]].push_back(i);
    if (groups.size() > kDistinctMax) return {};
  }
  std::vector<Candidate> candidates;
  for (auto& [value, positions] : groups) {
    if (positions.size() >= rows_min)
      candidates.push_back({std::string(value), std::move(positions)});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return a.positions.size() != b.positions.size() ? a.positions.size() > b.positions.size()
                                                    : a.value < b.value;
  });
  if (candidates.size() > kValuesPerColumnMax) candidates.resize(kValuesPerColumnMax);
  return candidates;
}

// Each value where there are few, quarters of the rows where there are many.
std::vector<Candidate> ByNumber(const table::Column& column,
                                const std::vector<std::uint32_t>& rows) {
  std::map<double, std::vector<std::uint32_t>> few;
  std::vector<double> values;
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    if (!column.IsValid(rows[i])) continue;
    const double value = NumberAt(column, rows[i]);
    if (std::isnan(value)) continue;
    values.push_back(value);
    if (few.size() <= kFewNumbers) few[value].push_back(i);
  }
  std::vector<Candidate> candidates;
  if (few.size() <= kFewNumbers) {
    for (auto& [value, positions] : few)
      candidates.push_back({NumberText(column, value), std::move(positions)});
    return candidates;
  }
  constexpr double kQuarters[] = {0, 0.25, 0.5, 0.75, 1};
  std::vector<double> edges = statistics::Quantiles(values, kQuarters);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  if (edges.size() < 2) return {};
  candidates.resize(edges.size() - 1);
  for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
    candidates[k].value =
        fmt::format("[{}, {}{}", NumberText(column, edges[k]), NumberText(column, edges[k + 1]),
                    k + 2 == edges.size() ? "]" : ")");
  }
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    if (!column.IsValid(rows[i]) || std::isnan(NumberAt(column, rows[i]))) continue;
    const auto after =
        std::upper_bound(edges.begin() + 1, edges.end() - 1, NumberAt(column, rows[i]));
    candidates[static_cast<std::size_t>(after - edges.begin()) - 1].positions.push_back(i);
  }
  return candidates;
}

std::vector<Candidate> CandidatesOf(const table::Column& column,
                                    const std::vector<std::uint32_t>& rows, std::size_t rows_min) {
  std::vector<Candidate> candidates =
      column.type == table::Type::kText ? ByText(column, rows, rows_min) : ByNumber(column, rows);
  Candidate missing{"(missing)", {}};
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    if (!column.IsValid(rows[i])) missing.positions.push_back(i);
  }
  candidates.push_back(std::move(missing));
  // A slice of all rows is no slice.
  std::erase_if(candidates, [&](const Candidate& c) {
    return c.positions.size() < rows_min || c.positions.size() == rows.size();
  });
  return candidates;
}

bool SurelyWorse(const statistics::MetricInfo& info, const statistics::MetricInterval& metric,
                 double whole) {
  return info.better == statistics::Better::kHigher ? metric.upper < whole : metric.lower > whole;
}

}  // namespace

Result<std::vector<Slice>> FindSlices(const predictors::Scorer& scorer, const table::Frame& frame,
                                      const Judged& judged, const statistics::MetricInfo& primary,
                                      double whole, const EvaluateOptions& options,
                                      std::size_t* examined) {
  const std::size_t columns = std::min(frame.columns.size(), kColumnsMax),
                    rows = judged.truth.rows.size();
  const auto rows_min = static_cast<std::size_t>(std::max(options.slice_rows_min, 2));
  statistics::BootstrapOptions bootstrap = options.bootstrap;
  const double affordable =
      kSliceDrawsMax / (static_cast<double>(rows) * static_cast<double>(columns));
  bootstrap.resamples = std::clamp(static_cast<int>(std::min(affordable, 1e6)), 50,
                                   std::max(options.slice_resamples, 50));
  std::vector<Slice> slices;
  for (std::size_t c = 0; c < columns; ++c) {
    const table::Column& column = frame.columns[c];
    if (column.name == scorer.package().target) continue;
    GYRE_DO(CheckCancelled(options));
    for (const Candidate& candidate : CandidatesOf(column, judged.truth.rows, rows_min)) {
      const Judged part = judged.Select(candidate.positions, scorer);
      GYRE_TRY(const statistics::Scored scored, Join(scorer, part.scores, part.truth));
      GYRE_TRY(const statistics::IntervalSet set, statistics::Bootstrap(scored, bootstrap));
      const statistics::MetricInterval* metric = set.Find(primary.name);
      if (metric == nullptr) continue;
      ++*examined;
      slices.push_back({column.name, candidate.value, candidate.positions.size(), *metric,
                        -statistics::Gain(primary, metric->estimate, whole),
                        SurelyWorse(primary, *metric, whole)});
    }
  }
  std::ranges::stable_sort(slices, [](const Slice& a, const Slice& b) {
    return a.surely_worse != b.surely_worse ? a.surely_worse : a.gap > b.gap;
  });
  if (slices.size() > static_cast<std::size_t>(std::max(options.slices_max, 0)))
    slices.resize(static_cast<std::size_t>(std::max(options.slices_max, 0)));
  return slices;
}

}  // namespace gyre::evaluation
