#include "ml/training/reference_profile.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "ml/data/profile.h"
#include "platform/table/reader.h"

namespace gyre::training {
namespace {

constexpr std::size_t kBins = 256;
constexpr std::size_t kValues = 1'000;      // kept when there are no more
constexpr std::size_t kValuesOfMany = 100;  // else
constexpr std::size_t kValueBytesMax = 200;
constexpr std::int64_t kValueRowsMin = 5;  // a value of fewer rows may point to a person

std::vector<double> EdgesOf(const std::vector<double>& sorted) {
  std::vector<double> edges;
  for (std::size_t i = 0; i <= kBins; ++i) edges.push_back(sorted[i * (sorted.size() - 1) / kBins]);
  edges.erase(std::ranges::unique(edges).begin(), edges.end());
  if (edges.size() == 1) edges.push_back(edges[0]);
  return edges;
}

void BinNumbers(std::vector<double> values, Json* json) {
  const std::size_t rows = values.size();
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  json->Set("missing", rows - values.size());
  Json edges = Json::Arr(), counts = Json::Arr();
  if (!values.empty()) {
    std::ranges::sort(values);
    const std::vector<double> bounds = EdgesOf(values);
    std::vector<std::int64_t> held(bounds.size() - 1);
    for (const double value : values) {
      const auto after = std::ranges::upper_bound(bounds, value) - bounds.begin();
      ++held[std::min<std::size_t>(static_cast<std::size_t>(after) - 1, held.size() - 1)];
    }
    for (const double bound : bounds) edges.Push(bound);
    for (const std::int64_t count : held) counts.Push(count);
  }
  json->Set("edges", std::move(edges));
  json->Set("counts", std::move(counts));
}

void CountValues(const table::Column& column, Json* json) {
  std::unordered_map<std::string, std::int64_t> counts;
  std::int64_t missing = 0, kept = 0;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (!column.IsValid(row)) {
      ++missing;
      continue;
    }
    ++counts[table::CellText(column, row)];
  }
  std::vector<std::pair<std::int64_t, std::string>> ranked;
  for (const auto& [value, count] : counts) {
    if (value.size() <= kValueBytesMax && count >= kValueRowsMin)
      ranked.emplace_back(-count, value);
  }
  std::ranges::sort(ranked);
  if (counts.size() > kValues) ranked.resize(std::min(ranked.size(), kValuesOfMany));
  Json values = Json::Arr();
  for (const auto& [minus_count, value] : ranked) {
    values.Push(Json::Obj({{"value", value}, {"count", -minus_count}}));
    kept -= minus_count;
  }
  json->Set("missing", missing);
  json->Set("values", std::move(values));
  json->Set("other", static_cast<std::int64_t>(column.size()) - missing - kept);
}

Json Numbers(std::string_view name, std::vector<double> values) {
  Json json = Json::Obj({{"name", name}, {"type", "double"}, {"rows", values.size()}});
  BinNumbers(std::move(values), &json);
  return json;
}

Json Predictions(const predictors::Scorer& scorer, const predictors::Scores& scores) {
  Json columns = Json::Arr();
  const std::vector<std::string>& classes = scorer.classes();
  if (classes.empty()) {
    columns.Push(Numbers("prediction", scores.prediction));
  } else {
    table::Column decided;
    decided.name = "prediction";
    for (const std::uint32_t label : scores.label) decided.PushText(classes[label]);
    columns.Push(BinnedColumn(decided));
  }
  for (std::size_t k = 0; k < classes.size(); ++k) {
    std::vector<double> p;
    for (std::size_t row = 0; row < scores.rows; ++row)
      p.push_back(scores.probabilities[row * classes.size() + k]);
    columns.Push(Numbers("probability of " + classes[k], std::move(p)));
  }
  return Json::Obj(
      {{"rows", scores.rows}, {"rows_used", "held out"}, {"columns", std::move(columns)}});
}

}  // namespace

Json BinnedColumn(const table::Column& column) {
  Json json = Json::Obj(
      {{"name", column.name}, {"type", table::TypeName(column.type)}, {"rows", column.size()}});
  if (column.type == table::Type::kText || column.type == table::Type::kBool) {
    CountValues(column, &json);
  } else {
    BinNumbers(table::AsDoubles(column), &json);
  }
  return json;
}

Result<Json> ReferenceProfile(const table::Frame& train, const table::Frame& held_out,
                              const predictors::Scorer& scorer) {
  GYRE_TRY(const predictors::Scores scores, scorer.Score(held_out));
  Json columns = Json::Arr();
  for (const table::Column& column : train.columns) columns.Push(BinnedColumn(column));
  return Json::Obj({{"schema", "gyre.reference.v1"},
                    {"rows", train.rows()},
                    {"profile", data::ProfileToJson(data::ProfileFrame(train))},
                    {"columns", std::move(columns)},
                    {"predictions", Predictions(scorer, scores)}});
}

}  // namespace gyre::training
