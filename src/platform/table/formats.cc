#include "platform/table/formats.h"

#include "base/time.h"
#include "platform/table/number_text.h"

namespace gyre::table {

namespace {
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// One or two digits, or exactly four.
bool TakeNumber(std::string_view* text, std::size_t digits_min, std::size_t digits_max, int* out) {
  std::size_t n = 0;
  int value = 0;
  while (n < text->size() && n < digits_max && IsDigit((*text)[n]))
    value = value * 10 + ((*text)[n++] - '0');
  if (n < digits_min) return false;
  text->remove_prefix(n);
  *out = value;
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

std::optional<std::int64_t> Days(int year, int month, int day) {
  constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > kLengths[month - 1] + (month == 2 && leap ? 1 : 0)) return std::nullopt;
  return DaysFromCivil(year, month, day);
}

// 2011-12-31, 2011/12/31, 31.12.2011: forms with one meaning.
std::optional<std::int64_t> ParsePlainDate(std::string_view text) {
  int a = 0, b = 0, c = 0;
  if (text.size() >= 8 && text.size() <= 10 && IsDigit(text[2]) && TakeNumber(&text, 4, 4, &a)) {
    const char separator = text.empty() ? ' ' : text.front();
    if (separator != '-' && separator != '/') return std::nullopt;
    if (!TakeChar(&text, separator) || !TakeNumber(&text, 1, 2, &b) ||
        !TakeChar(&text, separator) || !TakeNumber(&text, 1, 2, &c)) {
      return std::nullopt;
    }
    return text.empty() ? Days(a, b, c) : std::nullopt;
  }
  if (!TakeNumber(&text, 1, 2, &a) || !TakeChar(&text, '.') || !TakeNumber(&text, 1, 2, &b) ||
      !TakeChar(&text, '.') || !TakeNumber(&text, 4, 4, &c) || !text.empty()) {
    return std::nullopt;
  }
  return Days(c, b, a);
}

std::optional<std::int64_t> ParseSlashDate(std::string_view text, bool month_first) {
  int a = 0, b = 0, year = 0;
  if (!TakeNumber(&text, 1, 2, &a) || !TakeChar(&text, '/') || !TakeNumber(&text, 1, 2, &b) ||
      !TakeChar(&text, '/') || !TakeNumber(&text, 4, 4, &year) || !text.empty()) {
    return std::nullopt;
  }
  return month_first ? Days(year, a, b) : Days(year, b, a);
}
}  // namespace

std::string FormatText(ColumnFormat format) {
  const std::string unit(format.unit < 0 ? std::string_view() : kUnits[format.unit]);
  switch (format.text) {
    case TextFormat::kUsual:
      break;
    case TextFormat::kMonthFirst:
      return "%m/%d/%Y";
    case TextFormat::kDayFirst:
      return "%d/%m/%Y";
    case TextFormat::kDecimalComma:
      return "1.234,5" + unit;
    case TextFormat::kDecimalPoint:
      return "1,234.5" + unit;
    case TextFormat::kJson:
      return "json";
  }
  return "%Y-%m-%d";
}

std::optional<ColumnFormat> ParseFormat(std::string_view text) {
  for (const auto format :
       {TextFormat::kUsual, TextFormat::kMonthFirst, TextFormat::kDayFirst,
        TextFormat::kDecimalComma, TextFormat::kDecimalPoint, TextFormat::kJson}) {
    for (int unit = -1; unit < (IsNumberFormat(format) ? kUnitCount : 0); ++unit) {
      if (text == FormatText({format, unit})) return ColumnFormat(format, unit);
    }
  }
  return std::nullopt;
}

std::optional<double> NumberMeant(std::string_view text, TextFormat format) {
  int unit = -1;
  const auto comma = ParseWritten(text, ',', &unit), point = ParseWritten(text, '.', &unit);
  if (format == TextFormat::kDecimalComma && comma) return comma;
  if (format == TextFormat::kDecimalPoint && point) return point;
  if (comma && point && *comma != *point) return std::nullopt;
  return point ? point : comma;
}

bool IsNumberFormat(TextFormat format) {
  return format == TextFormat::kDecimalComma || format == TextFormat::kDecimalPoint;
}

bool IsDateFormat(TextFormat format) {
  return format == TextFormat::kMonthFirst || format == TextFormat::kDayFirst;
}

std::string_view FormatWords(TextFormat format) {
  switch (format) {
    case TextFormat::kUsual:
      break;
    case TextFormat::kMonthFirst:
      return "month/day/year";
    case TextFormat::kDayFirst:
      return "day/month/year";
    case TextFormat::kDecimalComma:
      return "numbers like 1.234,5";
    case TextFormat::kDecimalPoint:
      return "numbers like 1,234.5";
    case TextFormat::kJson:
      return "text of JSON";
  }
  return "year-month-day";
}

void AddFormats(const Formats& formats, Json* columns) {
  Json out = Json::Arr();
  for (Json column : columns->items()) {
    const auto found = formats.find(column["name"].AsString());
    if (found != formats.end()) column.Set("format", FormatText(found->second));
    out.Push(std::move(column));
  }
  *columns = std::move(out);
}

Formats FormatsOf(const Json& columns) {
  Formats formats;
  for (const Json& column : columns.items()) {
    const auto format = ParseFormat(column["format"].AsString());
    if (format) formats[column["name"].AsString()] = *format;
  }
  return formats;
}

Json FormatsToJson(const Formats& formats) {
  Json columns = Json::Arr();
  for (const auto& [column, format] : formats)
    columns.Push(Json::Obj({{"name", column}, {"format", FormatText(format)}}));
  return columns;
}

std::optional<std::int64_t> ParseDate(std::string_view text, TextFormat format) {
  if (format == TextFormat::kUsual) return ParsePlainDate(text);
  if (!IsDateFormat(format)) return std::nullopt;
  return ParseSlashDate(text, format == TextFormat::kMonthFirst);
}

std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  if (const auto time = ParseTime(text)) return time;
  const std::size_t blank = text.find(' ');
  const auto days = ParsePlainDate(text.substr(0, blank));
  if (!days) return std::nullopt;
  if (blank == std::string_view::npos) return *days * kMicrosPerDay;
  // The time of day is read as that of the first of all days.
  const auto time = ParseTime("1970-01-01" + std::string(text.substr(blank)));
  if (!time) return std::nullopt;
  return *days * kMicrosPerDay + *time;
}

}  // namespace gyre::table
