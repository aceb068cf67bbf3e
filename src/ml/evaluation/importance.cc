#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "base/time.h"
#include "ml/evaluation/judged.h"

namespace gyre::evaluation {
namespace {

constexpr std::size_t kRowsFew = 200;
constexpr std::size_t kCellsMax =
    60'000;  // rows x columns shuffled per repeat: wide tables use fewer rows

// An even sample of positions, in order.
std::vector<std::uint32_t> EvenSample(std::size_t rows, std::size_t wanted) {
  std::vector<std::uint32_t> positions;
  const std::size_t count = std::min(rows, wanted);
  for (std::size_t k = 0; k < count; ++k)
    positions.push_back(static_cast<std::uint32_t>(k * rows / count));
  return positions;
}

Result<double> ValueOf(const predictors::Scorer& scorer, const table::Frame& frame,
                       const Truth& truth, const statistics::MetricInfo& info) {
  GYRE_TRY(const predictors::Scores scores, scorer.Score(frame));
  GYRE_TRY(const statistics::Scored scored, Join(scorer, scores, truth));
  return scored.Values().Find(info.name).value_or(NAN);
}

// As many rows as can be scored `times` over in the time that there is; never fewer than a few.
Result<std::size_t> RowsInTime(const predictors::Scorer& scorer, const table::Frame& frame,
                               const Truth& truth, const EvaluateOptions& options, double times) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  if (!(options.importance_seconds_max > 0) || truth.rows.size() <= kRowsFew) return kAll;
  std::vector<std::uint32_t> probe(truth.rows.begin(),
                                   truth.rows.begin() + static_cast<std::ptrdiff_t>(kRowsFew));
  const table::Frame rows = frame.Select(probe);
  const std::int64_t start_us = SystemClock().MonotonicMicros();
  GYRE_TRY([[maybe_unused]] const predictors::Scores scores, scorer.Score(rows));
  const double took = static_cast<double>(SystemClock().MonotonicMicros() - start_us) * 1e-6;
  const double fit = options.importance_seconds_max / (took * times + 1e-9);
  if (fit * static_cast<double>(kRowsFew) >= static_cast<double>(truth.rows.size())) return kAll;
  return std::max(kRowsFew, static_cast<std::size_t>(fit * static_cast<double>(kRowsFew)));
}

}  // namespace

Result<std::vector<Importance>> MeasureImportance(const predictors::Scorer& scorer,
                                                  const table::Frame& frame, const Judged& judged,
                                                  const statistics::MetricInfo& primary,
                                                  const EvaluateOptions& options) {
  const std::size_t columns = scorer.input().size();
  const int repeats = std::max(options.importance_repeats, 1);
  const std::size_t rows_max = std::min<std::size_t>(
      static_cast<std::size_t>(std::max(options.importance_rows_max, 10)),
      std::max<std::size_t>(kRowsFew, kCellsMax / std::max<std::size_t>(columns, 1)));
  GYRE_TRY(const std::size_t rows_in_time, RowsInTime(scorer, frame, judged.truth, options,
                                                      static_cast<double>(columns) * repeats));
  const Judged sample =
      judged.Select(EvenSample(judged.truth.rows.size(), std::min(rows_max, rows_in_time)), scorer);
  table::Frame work;
  for (const table::Field& field : scorer.input()) {
    const table::Column* column = frame.Find(field.name);
    if (column != nullptr) work.columns.push_back(column->Select(sample.truth.rows));
  }
  GYRE_TRY(const double whole, ValueOf(scorer, work, sample.truth, primary));
  std::vector<Importance> found;
  if (std::isnan(whole)) return found;
  Random random(options.bootstrap.seed);
  std::vector<std::uint32_t> order(sample.truth.rows.size());
  for (table::Column& column : work.columns) {
    GYRE_DO(CheckCancelled(options));
    const table::Column kept = column;
    std::vector<double> falls;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
      random.Shuffle(order);
      column = kept.Select(order);
      GYRE_TRY(const double shuffled, ValueOf(scorer, work, sample.truth, primary));
      falls.push_back(statistics::Gain(primary, whole, shuffled));
    }
    column = kept;
    Importance importance{kept.name, 0, 0};
    for (const double fall : falls) importance.mean += fall / repeats;
    for (const double fall : falls)
      importance.deviation += (fall - importance.mean) * (fall - importance.mean) / repeats;
    importance.deviation = std::sqrt(importance.deviation);
    found.push_back(std::move(importance));
    Tell(options, 0.6 + 0.4 * static_cast<double>(found.size()) / static_cast<double>(columns),
         "importance of columns");
  }
  std::ranges::stable_sort(
      found, [](const Importance& a, const Importance& b) { return a.mean > b.mean; });
  return found;
}

}  // namespace gyre::evaluation
