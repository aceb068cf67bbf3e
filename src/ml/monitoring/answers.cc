#include "ml/monitoring/answers.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/random.h"
#include "base/text.h"
#include "ml/monitoring/estimation.h"
#include "ml/predictors/scorer.h"
#include "platform/exec/files.h"
#include "platform/table/reader.h"

namespace gyre::monitoring {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr int kResamples = 200;
constexpr double kOfAClass = 500;  // rows that a sample has of the rarest one, as far as there are
constexpr std::size_t kPackageBytesMax = std::size_t{1} << 30;
constexpr std::uint32_t kNoClass = 0xffff'ffff;

std::uint32_t ClassOf(const std::vector<std::string>& classes, const std::string& text) {
  const auto found = std::ranges::find(classes, text);
  return found == classes.end() ? kNoClass : static_cast<std::uint32_t>(found - classes.begin());
}

// Numbers stand as text where another model of the endpoint answers with classes.
std::vector<double> Numbers(const table::Column& column) {
  if (column.type != table::Type::kText) return table::AsDoubles(column);
  std::vector<double> numbers(column.size(), std::nan(""));
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    if (column.IsValid(row)) numbers[row] = ParseDouble(column.text[row]).value_or(std::nan(""));
  }
  return numbers;
}

std::vector<std::uint8_t> Bytes(const std::vector<std::uint32_t>& values) {
  return {values.begin(), values.end()};
}

void ReadClasses(const std::vector<std::string>& classes, const table::Frame& frame,
                 const std::vector<std::uint32_t>& rows, Answers* answers) {
  const table::Column* const prediction = frame.Find("prediction");
  std::vector<std::vector<double>> columns;
  for (const std::string& name : classes) {
    const table::Column* const column = frame.Find("probability_" + name);
    columns.push_back(column == nullptr ? std::vector<double>(frame.rows(), std::nan(""))
                                        : table::AsDoubles(*column));
  }
  for (const std::uint32_t row : rows) {
    for (const std::vector<double>& column : columns) answers->p.push_back(column[row]);
    const std::uint32_t decided =
        prediction == nullptr ? kNoClass : ClassOf(classes, table::CellText(*prediction, row));
    answers->decided.push_back(decided == kNoClass ? 0 : decided);
  }
}

void ReadLabels(const std::vector<std::string>& classes, const table::Frame& frame,
                const std::vector<std::uint32_t>& rows, Answers* answers) {
  const table::Column* const label = frame.Find("label");
  const table::Column* const time = frame.Find("label_time");
  const table::Column* const event = frame.Find("event_time");
  answers->delays_us.assign(rows.size(), -1);
  if (label == nullptr) return;
  const std::vector<double> numbers = classes.empty() ? Numbers(*label) : std::vector<double>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!label->IsValid(rows[i])) continue;
    const bool timed = time != nullptr && event != nullptr && time->IsValid(rows[i]);
    answers->delays_us[i] =
        timed ? std::max<std::int64_t>(0, time->ints[rows[i]] - event->ints[rows[i]]) : 0;
    if (classes.empty()) {
      if (!std::isfinite(numbers[rows[i]])) continue;
      answers->truth.push_back(numbers[rows[i]]);
    } else {
      const std::uint32_t k = ClassOf(classes, table::CellText(*label, rows[i]));
      if (k == kNoClass) continue;
      answers->label.push_back(k);
    }
    answers->labelled.push_back(static_cast<std::uint32_t>(i));
  }
}

std::size_t SampleSize(const Answers& answers, std::size_t rows_max) {
  std::map<std::uint32_t, std::size_t> counts;
  for (const std::uint32_t k : answers.label) ++counts[k];
  std::size_t rarest = answers.labelled.size();
  for (const auto& [k, count] : counts) rarest = std::min(rarest, count);
  const auto rows = static_cast<double>(answers.labelled.size());
  const double share =
      std::max(static_cast<double>(rows_max) / rows, kOfAClass / static_cast<double>(rarest));
  return share >= 1 ? answers.labelled.size() : static_cast<std::size_t>(share * rows);
}

// The answers with `size` of their labels.
Answers SampleOf(const Answers& answers, std::size_t size) {
  Answers sample = answers;
  sample.labelled.clear();
  sample.label.clear();
  sample.truth.clear();
  Random random(kSeed);
  std::size_t needed = size, left = answers.labelled.size();
  for (std::size_t i = 0; needed > 0; ++i, --left) {
    if (random.Below(left) >= needed) continue;
    --needed;
    sample.labelled.push_back(answers.labelled[i]);
    if (answers.classes == 0)
      sample.truth.push_back(answers.truth[i]);
    else
      sample.label.push_back(answers.label[i]);
  }
  return sample;
}

}  // namespace

std::vector<double> Answers::scores() const {
  if (classes == 0) return predicted;
  std::vector<double> scores(rows());
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = p[i * classes + classes - 1];
  return scores;
}

Answers AnswersOf(const std::vector<std::string>& classes, const table::Frame& frame,
                  const std::vector<std::uint32_t>& rows) {
  Answers answers;
  answers.classes = classes.size();
  if (classes.empty()) {
    const table::Column* const column = frame.Find("prediction");
    const std::vector<double> all =
        column == nullptr ? std::vector<double>(frame.rows()) : Numbers(*column);
    for (const std::uint32_t row : rows) answers.predicted.push_back(all[row]);
  } else {
    ReadClasses(classes, frame, rows, &answers);
  }
  ReadLabels(classes, frame, rows, &answers);
  return answers;
}

void AppendAnswers(const Answers& from, Answers* to) {
  const auto shift = static_cast<std::uint32_t>(to->rows());
  const auto add = [](const auto& more, auto* all) {
    all->insert(all->end(), more.begin(), more.end());
  };
  to->classes = from.classes;
  for (const std::uint32_t row : from.labelled) to->labelled.push_back(shift + row);
  add(from.predicted, &to->predicted);
  add(from.p, &to->p);
  add(from.decided, &to->decided);
  add(from.delays_us, &to->delays_us);
  add(from.label, &to->label);
  add(from.truth, &to->truth);
}

std::optional<statistics::Scored> ScoredOf(const Answers& answers) {
  if (std::ssize(answers.labelled) < kRowsMin) return std::nullopt;
  std::vector<double> p, predicted;
  std::vector<std::uint32_t> decided;
  for (const std::uint32_t i : answers.labelled) {
    if (answers.classes == 0) {
      predicted.push_back(answers.predicted[i]);
      continue;
    }
    decided.push_back(answers.decided[i]);
    const std::size_t first = answers.classes == 2 ? 1 : 0;
    for (std::size_t k = first; k < answers.classes; ++k)
      p.push_back(answers.p[i * answers.classes + k]);
  }
  Result<statistics::Scored> scored =
      answers.classes == 0 ? statistics::Scored::Regression(answers.truth, predicted)
      : answers.classes == 2
          ? statistics::Scored::Binary(Bytes(answers.label), p, Bytes(decided))
          : statistics::Scored::Multiclass(answers.label, p, answers.classes, decided);
  if (!scored) return std::nullopt;
  return *std::move(scored);
}

std::optional<statistics::IntervalSet> IntervalsOf(const Answers& answers,
                                                   const statistics::Scored& scored,
                                                   std::size_t rows_max) {
  const std::size_t rows = answers.labelled.size(), size = SampleSize(answers, rows_max);
  const auto drawn = size < rows ? ScoredOf(SampleOf(answers, size)) : scored;
  if (!drawn) return std::nullopt;
  auto set = statistics::Bootstrap(*drawn, {.resamples = kResamples});
  if (!set) return std::nullopt;
  if (size >= rows) return *std::move(set);
  const statistics::MetricSet values = scored.Values();
  const double narrower = std::sqrt(static_cast<double>(size) / static_cast<double>(rows));
  for (statistics::MetricInterval& one : set->metrics) {
    const double estimate = values.Find(one.info->name).value_or(one.estimate);
    one.lower = estimate + (one.lower - one.estimate) * narrower;
    one.upper = estimate + (one.upper - one.estimate) * narrower;
    one.estimate = estimate;
  }
  return *std::move(set);
}

std::optional<statistics::MetricSet> EstimateOf(const Answers& answers) {
  if (answers.classes < 2 || static_cast<std::int64_t>(answers.rows()) < kRowsMin)
    return std::nullopt;
  const std::vector<double> scores = answers.scores();
  auto metrics = answers.classes == 2
                     ? EstimateBinary(scores, scores, Bytes(answers.decided))
                     : EstimateMulticlass(answers.p, answers.p, answers.decided, answers.classes);
  if (!metrics) return std::nullopt;
  return *std::move(metrics);
}

std::optional<Measured> EstimatedInterval(const Answers& answers, std::string_view metric,
                                          double value) {
  const auto ends = IntervalOfEstimate(answers.p, answers.decided, answers.classes, metric, kSeed);
  if (!ends) return std::nullopt;
  return Measured{value, ends->lower, ends->upper};
}

std::optional<statistics::MetricSet> EstimateOfReference(const Reference& reference) {
  const std::size_t size = reference.predictions.size();
  if (size != 3) return std::nullopt;  // the class, and the probability of each of two
  const ReferenceColumn& column = reference.predictions.back();
  std::vector<double> p;
  std::vector<std::uint8_t> decided;
  for (std::size_t i = 0; i + 1 < column.bins.edges.size(); ++i) {
    // Rows spread evenly in their bin keep the estimate from seeing ties where there are none.
    const double low = column.bins.edges[i], width = column.bins.edges[i + 1] - low;
    const std::uint64_t count = column.counts.counts[i + 1];
    for (std::uint64_t k = 0; k < count; ++k) {
      p.push_back(low + width * (static_cast<double>(k) + 0.5) / static_cast<double>(count));
      decided.push_back(p.back() >= 0.5);
    }
  }
  auto metrics = EstimateBinary(p, p, decided);
  if (!metrics) return std::nullopt;
  return *std::move(metrics);
}

std::optional<statistics::MetricSet> EstimateOfHeldOut(const std::string& package,
                                                       const std::string& holdout) {
  if (package.empty() || holdout.empty()) return std::nullopt;
  const auto bytes = exec::ReadFile(package, kPackageBytesMax);
  const auto scorer = bytes ? predictors::Scorer::Load(*bytes) : bytes.error();
  if (!scorer) return std::nullopt;
  table::ReadOptions options;
  for (const table::Field& field : (*scorer)->input()) options.columns.push_back(field.name);
  const auto frame = table::ReadParquet({holdout}, options);
  if (!frame) return std::nullopt;
  auto scores = (*scorer)->Score(*frame);
  if (!scores) return std::nullopt;
  Answers answers;
  answers.classes = (*scorer)->classes().size();
  answers.p = std::move(scores->probabilities);
  answers.decided = std::move(scores->label);
  answers.delays_us.assign(scores->rows, -1);
  return EstimateOf(answers);
}

const statistics::MetricInfo* PrimaryOf(std::string_view named, std::size_t classes) {
  const statistics::MetricInfo* const info = statistics::FindMetric(named);
  if (info != nullptr) return info;
  return statistics::FindMetric(classes == 0 ? "rmse" : classes == 2 ? "auc" : "accuracy");
}

}  // namespace gyre::monitoring
