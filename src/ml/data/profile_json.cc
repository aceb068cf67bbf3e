#include <cmath>

#include "base/text.h"
#include "base/time.h"
#include "ml/data/profile.h"
#include "platform/table/append.h"

namespace gyre::data {

namespace {
// A date or time between values of a column, as text.
Json TimeJson(table::Type type, double value) {
  if (!std::isfinite(value)) return nullptr;
  const auto whole = static_cast<std::int64_t>(value);
  return type == table::Type::kDate ? Json(table::DateText(whole)) : Json(FormatTime(whole));
}

// An end of the range, exactly.
Json EndJson(table::Type type, double value, std::int64_t whole) {
  if (!std::isfinite(value)) return nullptr;
  if (type == table::Type::kInt) return whole;
  if (type == table::Type::kDate) return table::DateText(whole);
  if (type == table::Type::kTimestamp) return FormatTime(whole);
  return value;
}

Json ColumnJson(const ColumnProfile& column) {
  Json json = Json::Obj(
      {{"name", column.name}, {"type", table::TypeName(column.type)}, {"missing", column.missing}});
  json.Set("missing_fraction",
           column.rows > 0 ? static_cast<double>(column.missing) / static_cast<double>(column.rows)
                           : 0.0);
  json.Set("distinct", column.distinct);
  json.Set("distinct_method", column.distinct_method);
  const table::Type type = column.type;
  if (type == table::Type::kText) {
    json.Set("length", Json::Obj({{"min", column.length_min},
                                  {"max", column.length_max},
                                  {"mean", column.mean_length}}));
    json.Set("mean_words", column.mean_words);
    json.Set("empty", column.empty);
  } else {
    const bool time = type == table::Type::kDate || type == table::Type::kTimestamp;
    json.Set("min", EndJson(type, column.min, column.whole_min));
    json.Set("max", EndJson(type, column.max, column.whole_max));
    json.Set("mean", time ? TimeJson(type, column.mean) : Json(column.mean));
    if (!time) {
      json.Set("deviation", column.deviation);
      json.Set("zeros", column.zeros);
      json.Set("negative", column.negative);
    }
    if (column.not_finite > 0) json.Set("not_finite", column.not_finite);
    json.Set("increasing", column.increasing);
    Json quantiles = Json::Obj();
    for (std::size_t i = 0; i < column.quantiles.size(); ++i) {
      quantiles.Set(fmt::format("{}", kQuantiles[i]),
                    time ? TimeJson(type, column.quantiles[i]) : Json(column.quantiles[i]));
    }
    json.Set("quantiles", std::move(quantiles));
    Json edges = Json::Arr(), counts = Json::Arr();
    for (const double edge : column.edges) edges.Push(time ? TimeJson(type, edge) : Json(edge));
    for (const std::int64_t count : column.counts) counts.Push(count);
    json.Set("histogram", Json::Obj({{"edges", std::move(edges)}, {"counts", std::move(counts)}}));
  }
  Json top = Json::Arr();
  for (const ValueCount& value : column.top)
    top.Push(Json::Obj({{"value", value.value}, {"count", value.count}}));
  json.Set("top", std::move(top));
  return json;
}

Json Warning(Severity severity, std::string_view kind, std::string_view column,
             std::string message) {
  return Json::Obj({{"severity", SeverityName(severity)},
                    {"kind", kind},
                    {"column", column},
                    {"message", std::move(message)}});
}

void AddColumnWarnings(const ColumnProfile& column, Json::Array* high, Json::Array* low) {
  const std::int64_t filled = column.rows - column.missing;
  const double missing =
      column.rows > 0 ? static_cast<double>(column.missing) / static_cast<double>(column.rows) : 0;
  if (missing >= 0.5 && column.distinct > 1) {  // of one value only: said with that
    low->push_back(Warning(
        Severity::kLow, "missing", column.name,
        fmt::format("`{}` is missing in {} of the rows", column.name, PercentText(missing))));
  }
  if (column.not_finite > 0) {
    high->push_back(Warning(Severity::kHigh, "not_finite", column.name,
                            fmt::format("`{}` holds {} infinite or NaN values", column.name,
                                        GroupDigits(column.not_finite))));
  }
  if (column.type == table::Type::kText && column.mean_words < 2 && column.distinct > 100 &&
      column.distinct * 2 > filled && column.distinct < filled) {
    low->push_back(Warning(
        Severity::kLow, "many_values", column.name,
        fmt::format("`{}` has {} different values in the {} rows that have one: {:.1f} rows "
                    "for each",
                    column.name, GroupDigits(column.distinct), GroupDigits(filled),
                    static_cast<double>(filled) / static_cast<double>(column.distinct))));
  }
  if (!column.top.empty() && filled > 100 && column.distinct > 1 &&
      column.top[0].count * 1000 > filled * 995) {
    low->push_back(Warning(
        Severity::kLow, "almost_constant", column.name,
        fmt::format(
            "`{}` is \"{}\" in {} of the rows{}", column.name, column.top[0].value,
            PercentText(static_cast<double>(column.top[0].count) / static_cast<double>(filled)),
            column.missing > 0 ? " that have a value" : "")));
  }
}
}  // namespace

Json ProfileToJson(const Profile& profile) {
  Json columns = Json::Arr();
  for (const ColumnProfile& column : profile.columns) columns.Push(ColumnJson(column));
  const bool sampled = profile.sampled_rows < profile.rows;
  return Json::Obj(
      {{"rows", profile.rows},
       {"sampled_rows", profile.sampled_rows},
       {"methods", Json::Obj({{"quantiles", sampled ? "quantile.r7.even_sample" : "quantile.r7"},
                              {"histogram", sampled ? "histogram.equal_width.even_sample"
                                                    : "histogram.equal_width"},
                              {"moments", "moments.chan"}})},
       {"columns", std::move(columns)}});
}

Json ProfileWarnings(const Profile& profile, const std::vector<LeakWarning>& leaks) {
  Json::Array high, low;
  for (const LeakWarning& leak : leaks)
    (leak.severity == Severity::kHigh ? high : low).push_back(LeakWarningToJson(leak));
  for (const ColumnProfile& column : profile.columns) AddColumnWarnings(column, &high, &low);
  for (Json& warning : low) high.push_back(std::move(warning));
  return high;
}

}  // namespace gyre::data
