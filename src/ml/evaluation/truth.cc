#include "ml/evaluation/truth.h"

#include <cmath>
#include <map>
#include <optional>

#include "base/text.h"
#include "base/time.h"

namespace gyre::evaluation {
namespace {

// The texts by which a value may stand in a model's list of classes: its own first, then other
// spellings of the same value.
std::vector<std::string> Spellings(const table::Column& column, std::size_t row) {
  switch (column.type) {
    case table::Type::kText:
      return {std::string(column.text[row])};
    case table::Type::kBool: {
      if (column.ints[row] != 0) return {"true", "1", "True", "TRUE"};
      return {"false", "0", "False", "FALSE"};
    }
    case table::Type::kInt:
      return {fmt::format("{}", column.ints[row]), fmt::format("{}.0", column.ints[row])};
    case table::Type::kDouble: {
      const double value = column.doubles[row];
      std::vector<std::string> texts = {fmt::format("{}", value)};
      if (std::nearbyint(value) == value && std::fabs(value) < 1e15) {
        texts.push_back(fmt::format("{}", static_cast<std::int64_t>(value)));
        texts.push_back(fmt::format("{}.0", static_cast<std::int64_t>(value)));
      }
      return texts;
    }
    case table::Type::kDate:
      return {FormatTime(column.ints[row] * kMicrosPerDay).substr(0, 10)};
    case table::Type::kTimestamp:
      return {FormatTime(column.ints[row])};
  }
  return {};
}

using ClassIndex = std::map<std::string, std::uint32_t, std::less<>>;

std::optional<std::uint32_t> FindClass(const ClassIndex& index, const table::Column& column,
                                       std::size_t row) {
  if (column.type == table::Type::kText) {
    const auto it = index.find(column.text[row]);
    if (it == index.end()) return std::nullopt;
    return it->second;
  }
  for (const std::string& text : Spellings(column, row)) {
    if (const auto it = index.find(text); it != index.end()) return it->second;
  }
  return std::nullopt;
}

std::optional<double> NumberAt(const table::Column& column, std::size_t row) {
  double value = 0;
  if (column.type == table::Type::kDouble) {
    value = column.doubles[row];
  } else if (column.type == table::Type::kText) {
    value = ParseDouble(column.text[row]).value_or(NAN);
  } else {
    value = static_cast<double>(column.ints[row]);
  }
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

Result<Truth> ReadTruth(const predictors::ModelPackage& package, const table::Frame& frame) {
  const table::Column* column = frame.Find(package.target);
  if (column == nullptr) {
    return InvalidArgument("GY3701", "the data has no column `{}`", package.target)
        .Why(
            "an evaluation compares the model's answers with the target column that it was trained "
            "on");
  }
  ClassIndex index;
  for (std::uint32_t k = 0; k < package.classes.size(); ++k) index[package.classes[k]] = k;
  Truth truth;
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    if (!column->IsValid(row)) {
      ++truth.without_target;
      continue;
    }
    if (package.task == predictors::Task::kRegression) {
      const std::optional<double> value = NumberAt(*column, row);
      if (!value) {
        ++truth.without_target;
        continue;
      }
      truth.value.push_back(*value);
    } else {
      const std::optional<std::uint32_t> label = FindClass(index, *column, row);
      if (!label) {
        ++truth.of_unknown_class;
        continue;
      }
      truth.label.push_back(*label);
    }
    truth.rows.push_back(static_cast<std::uint32_t>(row));
  }
  if (truth.rows.empty()) {
    return InvalidArgument("GY3701", "none of {} rows has a usable value in `{}`", frame.rows(),
                           package.target)
        .Why(fmt::format("{} rows have none, {} have a class that the model does not know",
                         truth.without_target, truth.of_unknown_class));
  }
  return truth;
}

Result<statistics::Scored> Join(const predictors::Scorer& scorer, const predictors::Scores& scores,
                                const Truth& truth) {
  const std::size_t rows = truth.rows.size(), classes = scorer.classes().size();
  switch (scorer.task()) {
    case predictors::Task::kRegression:
      return statistics::Scored::Regression(truth.value, scores.prediction);
    case predictors::Task::kMulticlass:
      return statistics::Scored::Multiclass(truth.label, scores.probabilities, classes,
                                            scores.label);
    case predictors::Task::kBinary:
      break;
  }
  std::vector<std::uint8_t> labels(rows), decided(rows);
  std::vector<double> p(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    labels[i] = static_cast<std::uint8_t>(truth.label[i]);
    decided[i] = static_cast<std::uint8_t>(scores.label[i]);
    p[i] = scores.probabilities[i * classes + 1];
  }
  return statistics::Scored::Binary(labels, p, decided);
}

}  // namespace gyre::evaluation
