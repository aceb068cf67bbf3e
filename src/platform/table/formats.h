// How the text of a column is read where its type alone does not say: which of day and month comes
// first, and which of comma and point sets off decimals. It belongs to a table's schema and to a
// model's input, so that 01/02/2024 means the same day in every file and request that follows, and
// 1.234 the same number in every file. Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace gyre::table {

enum class TextFormat : unsigned char {
  kUsual,  // dates with the year first, numbers without signs of thousands
  kMonthFirst,
  kDayFirst,
  kDecimalComma,  // 1.234,5
  kDecimalPoint,  // 1,234.5
  kJson,          // text of which some was an object or a list in JSON
};
// Of one column: with numbers also the unit beside them, for 12.5% is not 0.125.
struct ColumnFormat {
  // NOLINTNEXTLINE(google-explicit-constructor): most formats have no unit
  constexpr ColumnFormat(TextFormat of_text = TextFormat::kUsual, int of_unit = -1)
      : text(of_text), unit(of_unit) {}
  TextFormat text;
  int unit;  // place in kUnits, -1 without one
  friend bool operator==(const ColumnFormat&, const ColumnFormat&) = default;
};
constexpr std::string_view kUnits[] = {"%", "$", "€", "£"};
constexpr int kUnitCount = 4;
using Formats = std::map<std::string, ColumnFormat, std::less<>>;  // by column, without kUsual

// "%Y-%m-%d" (kUsual, that of dates), "%m/%d/%Y", "%d/%m/%Y", "1.234,5", "1,234.5", "1,234.5%",
// "json"
std::string FormatText(ColumnFormat format);
std::optional<ColumnFormat> ParseFormat(std::string_view text);
bool IsNumberFormat(TextFormat format);
bool IsDateFormat(TextFormat format);             // day and month with slashes
std::string_view FormatWords(TextFormat format);  // "day/month/year"

// `columns`: a schema as JSON, [{"name", "type"}, ...], whose members get "format".
void AddFormats(const Formats& formats, Json* columns);
Formats FormatsOf(const Json& columns);
Json FormatsToJson(const Formats& formats);  // [{"name", "format"}, ...]

// The number that a text means, a unit left out; nothing when it could be two numbers.
std::optional<double> NumberMeant(std::string_view text, TextFormat format);

// Days since 1970-01-01. kUsual: 2011-12-31, 2011/12/31, 31.12.2011, forms with one meaning. By
// what is no format of dates, nothing is one.
std::optional<std::int64_t> ParseDate(std::string_view text, TextFormat format);
// Microseconds since then: ISO 8601 (a blank may part date and time, and a plain date is its
// midnight), and with the day written 31.12.2011.
std::optional<std::int64_t> ParseTimestamp(std::string_view text);

}  // namespace gyre::table
