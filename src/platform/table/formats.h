// How the text of a column is read where its type alone does not say: which of day and month comes
// first. It belongs to a table's schema and to a model's input, so that 01/02/2024 means the same
// day in every file and request that follows. Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace gyre::table {

enum class DateOrder : unsigned char { kYearFirst, kMonthFirst, kDayFirst };
using Formats = std::map<std::string, DateOrder, std::less<>>;  // by column; kYearFirst is left out

std::string_view FormatText(DateOrder order);  // "%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y"
std::optional<DateOrder> ParseFormat(std::string_view text);
std::string_view FormatWords(DateOrder order);  // "day/month/year"

// `columns`: a schema as JSON, [{"name", "type"}, ...], whose members get "format".
void AddFormats(const Formats& formats, Json* columns);
Formats FormatsOf(const Json& columns);
Json FormatsToJson(const Formats& formats);  // [{"name", "format"}, ...]

// Days since 1970-01-01. kYearFirst: 2011-12-31, 2011/12/31, 31.12.2011, forms with one meaning.
std::optional<std::int64_t> ParseDate(std::string_view text, DateOrder order);

}  // namespace gyre::table
