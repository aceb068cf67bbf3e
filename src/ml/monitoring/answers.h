// What a model answered in some rows of the log, and what turned out to be true. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ml/monitoring/signals.h"
#include "ml/statistics/bootstrap.h"
#include "ml/statistics/metrics.h"
#include "platform/table/frame.h"

namespace gyre::monitoring {

struct Answers {
  std::size_t classes = 0;             // 0: a regression
  std::vector<double> predicted = {};  // regression
  std::vector<double> p = {};          // rows x classes
  std::vector<std::uint32_t> decided = {};
  std::vector<std::int64_t> delays_us = {};  // of the label; -1 = none yet
  std::vector<std::uint32_t> labelled = {};  // rows that have one which the model knows
  std::vector<std::uint32_t> label = {};     // of those
  std::vector<double> truth = {};            // of those, regression
  std::size_t rows() const { return delays_us.size(); }
  // One number a row: the prediction, or how probable the last class is.
  std::vector<double> scores() const;
};
// `rows` of the frame, of one model version that answers with these classes; none: with numbers.
Answers AnswersOf(const std::vector<std::string>& classes, const table::Frame& frame,
                  const std::vector<std::uint32_t>& rows);

// Both answer with the same classes.
void AppendAnswers(const Answers& from, Answers* to);

// The labelled rows; nothing where there are too few.
std::optional<statistics::Scored> ScoredOf(const Answers& answers);
// All metrics of them, each with its interval. Of more than about `rows_max` the intervals come
// from that many, drawn at random but the same each time, and are narrowed by the root of their
// share; so many more are drawn that each class has some hundreds.
constexpr std::size_t kIntervalRows = 50'000;
std::optional<statistics::IntervalSet> IntervalsOf(const Answers& answers,
                                                   const statistics::Scored& scored,
                                                   std::size_t rows_max = kIntervalRows);
// All rows, by their scores alone; nothing for a regression.
std::optional<statistics::MetricSet> EstimateOf(const Answers& answers);
std::optional<Measured> EstimatedInterval(const Answers& answers, std::string_view metric,
                                          double value);

// How good the same estimate found the rows that training held out, from the bins of their
// probabilities; nothing unless there are two classes.
std::optional<statistics::MetricSet> EstimateOfReference(const Reference& reference);

// The same of more classes: their probabilities hang together, so the rows are scored again.
std::optional<statistics::MetricSet> EstimateOfHeldOut(const std::string& package,
                                                       const std::string& holdout);

// The metric that a task is judged by when nobody named one.
const statistics::MetricInfo* PrimaryOf(std::string_view named, std::size_t classes);

}  // namespace gyre::monitoring
