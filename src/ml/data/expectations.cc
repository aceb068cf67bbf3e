#include "ml/data/expectations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_set>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/data/sketches.h"
#include "platform/table/append.h"
#include "platform/table/reader.h"

namespace gyre::data {

namespace {
constexpr std::size_t kExamples = 5;

struct Kind {
  std::string_view name;
  bool needs_column, by_row;
  std::vector<std::string_view> members;  // beside kind, column, mostly
};
const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {{"column_exists", true, false, {}},
                                          {"column_type", true, false, {"type"}},
                                          {"no_other_columns", false, false, {"columns"}},
                                          {"rows_between", false, false, {"min", "max"}},
                                          {"missing_at_most", true, false, {"fraction"}},
                                          {"not_missing", true, true, {}},
                                          {"between", true, true, {"min", "max"}},
                                          {"in_set", true, true, {"values"}},
                                          {"unique", true, true, {}},
                                          {"length_between", true, true, {"min", "max"}}};
  return kinds;
}

const Kind* FindKind(std::string_view name) {
  for (const Kind& kind : Kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

Result<> CheckMembers(const Json& item, const Kind& kind) {
  for (const auto& [key, value] : item.members()) {
    const bool known =
        key == "kind" || key == "column" || (key == "mostly" && kind.by_row) ||
        std::find(kind.members.begin(), kind.members.end(), key) != kind.members.end();
    if (!known)
      return InvalidArgument("GY2110", "the expectation `{}` has no member `{}`", kind.name, key);
  }
  if (kind.needs_column && !item["column"].is_string())
    return InvalidArgument("GY2111", "the expectation `{}` needs a `column`", kind.name);
  if (item.Has("mostly") && (!item["mostly"].is_number() || item["mostly"].AsDouble() < 0 ||
                             item["mostly"].AsDouble() > 1)) {
    return InvalidArgument("GY2111", "`mostly` of `{}` must be a share between 0 and 1", kind.name);
  }
  const auto wants = [&](std::string_view name) {
    return std::find(kind.members.begin(), kind.members.end(), name) != kind.members.end();
  };
  if (wants("min")) {
    if (!item.Has("min") && !item.Has("max"))
      return InvalidArgument("GY2111", "the expectation `{}` needs `min` or `max`", kind.name);
    for (const std::string_view bound : {"min", "max"}) {
      const Json& value = item[bound];
      const bool time = value.is_string() && kind.name == "between" && ParseTime(value.AsString());
      if (item.Has(bound) && !value.is_number() && !time) {
        return InvalidArgument("GY2111", "`{}` of `{}` must be a number, a date or a time", bound,
                               kind.name);
      }
    }
  }
  if (wants("type") && !table::ParseType(item["type"].AsString())) {
    return InvalidArgument("GY2111", "`type` of `column_type` is `{}`", item["type"].AsString())
        .Fix("bool, int, double, text, date or timestamp");
  }
  if (wants("values") && (!item["values"].is_array() || item["values"].size() == 0))
    return InvalidArgument("GY2111", "`values` of `in_set` must be a list");
  if (wants("columns") && !item["columns"].is_array())
    return InvalidArgument("GY2111", "`columns` of `no_other_columns` must be a list");
  const double fraction = item["fraction"].AsDouble(-1);
  if (wants("fraction") && (fraction < 0 || fraction > 1))
    return InvalidArgument("GY2111", "`fraction` of `missing_at_most` must be between 0 and 1");
  return {};
}

// A bound as a number of the column: days or microseconds for dates and times.
std::optional<double> Bound(const Json& value, table::Type type) {
  if (value.is_number()) return value.AsDouble();
  if (!value.is_string()) return std::nullopt;
  const auto time = ParseTime(value.AsString());
  if (!time) return std::nullopt;
  if (type == table::Type::kDate)
    return std::floor(static_cast<double>(*time) / static_cast<double>(kMicrosPerDay));
  return static_cast<double>(*time);
}

std::string Suggestion(const std::string& column, const table::Schema& schema) {
  std::vector<std::string> names;
  for (const table::Field& field : schema) names.push_back(field.name);
  const auto close = ClosestMatch(column, names);
  return close ? fmt::format(": did you mean `{}`?", *close) : "";
}

std::string SetText(const Json& value) {
  return value.is_string() ? value.AsString() : value.Dump();
}

double Number(const table::Column& column, std::size_t row) {
  return column.type == table::Type::kDouble ? column.doubles[row]
                                             : static_cast<double>(column.ints[row]);
}
}  // namespace

Result<> CheckSuite(const Json& suite) {
  if (!suite["expectations"].is_array())
    return InvalidArgument("GY2111", "a suite is {{\"expectations\": [...]}}");
  for (const Json& item : suite["expectations"].items()) {
    const std::string& name = item["kind"].AsString();
    const Kind* kind = FindKind(name);
    if (kind == nullptr) {
      std::vector<std::string> names;
      for (const Kind& known : Kinds()) names.emplace_back(known.name);
      Error error = InvalidArgument("GY2110", "there is no expectation `{}`", name);
      if (const auto close = ClosestMatch(name, names))
        return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
      return std::move(error).Fix("one of " + Join(names, ", "));
    }
    GYRE_DO(CheckMembers(item, *kind));
  }
  return {};
}

std::vector<std::string> ColumnsNotThere(const Json& suite, const table::Schema& schema) {
  std::vector<std::string> sentences;
  for (const Json& item : suite["expectations"].items()) {
    if (!item.Has("column")) continue;
    const std::string& name = item["column"].AsString();
    if (std::ranges::find(schema, name, &table::Field::name) != schema.end()) continue;
    std::string sentence = fmt::format("has no column `{}`{}", name, Suggestion(name, schema));
    if (std::ranges::find(sentences, sentence) == sentences.end())
      sentences.push_back(std::move(sentence));
  }
  return sentences;
}

Json StrictRules(const Json& suite) {
  Json list = Json::Arr();
  for (const Json& rule : suite["expectations"].items()) {
    const Kind* kind = FindKind(rule["kind"].AsString());
    if (kind != nullptr && kind->by_row && rule["mostly"].AsDouble(1) >= 1) list.Push(rule);
  }
  return Json::Obj({{"expectations", std::move(list)}});
}

namespace {
Json RangeOf(const ColumnProfile& column) {
  const double room = std::max((column.max - column.min) / 2,
                               column.max == column.min ? std::fabs(column.max) / 2 : 0.0);
  double low = column.min - room, high = column.max + room;
  if (column.min >= 0) low = std::max(low, 0.0);  // what was never negative stays so
  Json json = Json::Obj({{"kind", "between"}, {"column", column.name}});
  if (column.type == table::Type::kDate) {
    // Time goes on: only the past is bounded.
    return json.Set("min", table::DateText(static_cast<std::int64_t>(column.min - room)));
  }
  if (column.type == table::Type::kTimestamp)
    return json.Set("min", FormatTime(static_cast<std::int64_t>(column.min - room)));
  if (column.type == table::Type::kInt && std::fabs(low) < 9e15 && std::fabs(high) < 9e15) {
    json.Set("min", static_cast<std::int64_t>(std::floor(low)));
    return json.Set("max", static_cast<std::int64_t>(std::ceil(high)));
  }
  json.Set("min", low);
  return json.Set("max", high);
}
}  // namespace

Json SuggestSuite(const Profile& profile) {
  Json list = Json::Arr();
  list.Push(
      Json::Obj({{"kind", "rows_between"}, {"min", std::max<std::int64_t>(1, profile.rows / 2)}}));
  for (const ColumnProfile& column : profile.columns) {
    const std::int64_t filled = column.rows - column.missing;
    list.Push(Json::Obj({{"kind", "column_exists"}, {"column", column.name}}));
    list.Push(Json::Obj({{"kind", "column_type"},
                         {"column", column.name},
                         {"type", table::TypeName(column.type)}}));
    if (column.missing == 0) {
      list.Push(Json::Obj({{"kind", "not_missing"}, {"column", column.name}}));
    } else if (filled > 0) {
      const double fraction =
          static_cast<double>(column.missing) / static_cast<double>(column.rows);
      list.Push(Json::Obj({{"kind", "missing_at_most"},
                           {"column", column.name},
                           {"fraction", std::min(1.0, std::ceil(200 * fraction + 1) / 100)}}));
    }
    const bool exact = column.distinct_method == "distinct.exact";
    const bool id = exact && column.distinct == column.rows && column.rows >= 50 &&
                    (column.increasing || column.mean_words == 1);
    if (id) list.Push(Json::Obj({{"kind", "unique"}, {"column", column.name}}));
    if (column.type == table::Type::kText) {
      if (exact && column.distinct > 0 &&
          column.distinct <= static_cast<std::int64_t>(column.top.size()) &&
          filled >= 20 * column.distinct) {
        Json values = Json::Arr();
        for (const ValueCount& value : column.top) values.Push(value.value);
        list.Push(Json::Obj(
            {{"kind", "in_set"}, {"column", column.name}, {"values", std::move(values)}}));
      }
    } else if (column.type != table::Type::kBool && std::isfinite(column.min) &&
               !(id && column.increasing)) {
      list.Push(RangeOf(column));
    }
  }
  return Json::Obj({{"expectations", std::move(list)}});
}

struct SuiteCheck::State {
  struct Item {
    Json expectation;
    const Kind* kind = nullptr;
    std::size_t column = 0;  // index in the schema; npos = not there
    double min = -std::numeric_limits<double>::infinity(),
           max = std::numeric_limits<double>::infinity();
    std::unordered_set<std::string> values;
    CountTable seen;  // for unique
    std::int64_t looked_at = 0, bad = 0, missing = 0;
    Json examples = Json::Arr();
  };
  table::Schema schema;
  std::vector<Item> items;
  std::int64_t rows = 0, rows_broken = 0;
};

namespace {
constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);

std::uint64_t KeyOf(const table::Column& column, std::size_t row) {
  if (column.type == table::Type::kText) return MixBits(Xxh3(column.text[row]));
  if (column.type == table::Type::kDouble)
    return MixBits(__builtin_bit_cast(std::uint64_t, column.doubles[row] + 0.0));
  return MixBits(static_cast<std::uint64_t>(column.ints[row]));
}

// Why a value is bad; empty when it is good.
template <class ItemState>
std::string Complaint(ItemState& item, const table::Column& column, std::size_t row) {
  const std::string_view kind = item.kind->name;
  const bool valid = column.IsValid(row);
  if (kind == "not_missing") return valid ? "" : fmt::format("`{}` is missing", column.name);
  if (!valid) return {};
  ++item.looked_at;
  if (kind == "between") {
    if (column.type == table::Type::kText) return fmt::format("`{}` is no number", column.name);
    const double value = Number(column, row);
    if (value >= item.min && value <= item.max) return {};
    return fmt::format(
        "`{}` is {}, outside {}", column.name, table::CellText(column, row),
        fmt::format("{}..{}", item.expectation.Has("min") ? SetText(item.expectation["min"]) : "",
                    item.expectation.Has("max") ? SetText(item.expectation["max"]) : ""));
  }
  if (kind == "in_set") {
    const std::string text = table::CellText(column, row);
    return item.values.contains(text)
               ? ""
               : fmt::format("`{}` is \"{}\", which is not one of the {} known values", column.name,
                             text.substr(0, 60), item.values.size());
  }
  if (kind == "unique") {
    const std::size_t before = item.seen.size();
    item.seen.Add(KeyOf(column, row), 0, std::numeric_limits<std::size_t>::max());
    return item.seen.size() > before ? ""
                                     : fmt::format("`{}` is {} once more", column.name,
                                                   table::CellText(column, row).substr(0, 60));
  }
  const auto length = static_cast<double>(table::CellText(column, row).size());
  return length >= item.min && length <= item.max
             ? ""
             : fmt::format("`{}` has {} characters", column.name, length);
}
}  // namespace

SuiteCheck::SuiteCheck(const Json& suite, const table::Schema& schema)
    : state_(std::make_unique<State>()) {
  state_->schema = schema;
  for (const Json& expectation : suite["expectations"].items()) {
    State::Item item;
    item.expectation = expectation;
    item.kind = FindKind(expectation["kind"].AsString());
    item.column = kNoColumn;
    for (std::size_t i = 0; i < schema.size(); ++i) {
      if (schema[i].name == expectation["column"].AsString()) item.column = i;
    }
    const table::Type type =
        item.column == kNoColumn ? table::Type::kInt : schema[item.column].type;
    if (const auto low = Bound(expectation["min"], type)) item.min = *low;
    if (const auto high = Bound(expectation["max"], type)) item.max = *high;
    for (const Json& value : expectation["values"].items()) item.values.insert(SetText(value));
    state_->items.push_back(std::move(item));
  }
}
SuiteCheck::~SuiteCheck() = default;
SuiteCheck::SuiteCheck(SuiteCheck&&) noexcept = default;
SuiteCheck& SuiteCheck::operator=(SuiteCheck&&) noexcept = default;

std::vector<std::string> SuiteCheck::Add(const table::Frame& chunk) {
  std::vector<std::string> complaints;
  for (State::Item& item : state_->items) {
    if (item.column == kNoColumn) continue;
    const table::Column& column = chunk.columns[item.column];
    for (std::size_t row = 0; row < column.size(); ++row) {
      if (!column.IsValid(row)) ++item.missing;
      if (!item.kind->by_row) continue;
      std::string complaint = Complaint(item, column, row);
      if (complaint.empty()) continue;
      ++item.bad;
      if (item.examples.size() < kExamples) {
        item.examples.Push(Json::Obj({{"row", state_->rows + static_cast<std::int64_t>(row)},
                                      {"value", table::CellText(column, row).substr(0, 200)}}));
      }
      if (complaints.empty()) complaints.resize(chunk.rows());
      if (complaints[row].empty()) complaints[row] = std::move(complaint);
    }
  }
  state_->rows += static_cast<std::int64_t>(chunk.rows());
  state_->rows_broken +=
      std::ranges::count_if(complaints, [](const std::string& text) { return !text.empty(); });
  return complaints;
}

Json SuiteCheck::Finish() const {
  Json results = Json::Arr();
  std::int64_t failed = 0;
  for (const State::Item& item : state_->items) {
    const std::string_view kind = item.kind->name;
    Json result = item.expectation;
    bool success = true;
    if (kind == "no_other_columns") {
      Json others = Json::Arr();
      for (const table::Field& field : state_->schema) {
        const Json::Array& allowed = item.expectation["columns"].items();
        const bool known = std::any_of(allowed.begin(), allowed.end(), [&](const Json& name) {
          return name.AsString() == field.name;
        });
        if (!known) others.Push(field.name);
      }
      success = others.size() == 0;
      result.Set("observed", std::move(others));
    } else if (kind == "rows_between") {
      success = static_cast<double>(state_->rows) >= item.min &&
                static_cast<double>(state_->rows) <= item.max;
      result.Set("observed", state_->rows);
    } else if (item.column == kNoColumn) {
      success = false;
      const std::string& name = item.expectation["column"].AsString();
      result.Set("observed", "no such column" + Suggestion(name, state_->schema));
    } else if (kind == "column_type") {
      const std::string_view type = table::TypeName(state_->schema[item.column].type);
      success = type == item.expectation["type"].AsString();
      result.Set("observed", type);
    } else if (kind == "missing_at_most") {
      const double fraction =
          state_->rows > 0 ? static_cast<double>(item.missing) / static_cast<double>(state_->rows)
                           : 0;
      success = fraction <= item.expectation["fraction"].AsDouble();
      result.Set("observed", fraction);
    } else if (item.kind->by_row) {
      const std::int64_t among = kind == "not_missing" ? state_->rows : item.looked_at;
      const double mostly = item.expectation["mostly"].AsDouble(1);
      success = item.bad == 0 ||
                static_cast<double>(among - item.bad) >= mostly * static_cast<double>(among);
      result.Set("bad_rows", item.bad);
      if (item.bad > 0) result.Set("examples", item.examples);
    }
    result.Set("success", success);
    failed += success ? 0 : 1;
    results.Push(std::move(result));
  }
  return Json::Obj({{"success", failed == 0},
                    {"failed", failed},
                    {"rows", state_->rows},
                    {"rows_broken", state_->rows_broken},
                    {"results", std::move(results)}});
}

}  // namespace gyre::data
