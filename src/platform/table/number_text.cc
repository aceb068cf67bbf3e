#include "platform/table/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/text.h"

namespace gyre::table {

namespace {
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t DigitsAt(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  return end - at;
}

// 1.234 and 1.234,5: one to three digits without a zero before them, then threes.
std::optional<double> ParseGrouped(std::string_view text, char decimal_point) {
  const char group = decimal_point == ',' ? '.' : ',';
  char buffer[64];
  const std::size_t head = DigitsAt(text, 0);
  if (head == 0 || head > 3 || text[0] == '0' || head == text.size() || text[head] != group ||
      text.size() > sizeof buffer)
    return std::nullopt;
  char* out = std::copy_n(text.data(), head, buffer);
  std::size_t at = head;
  while (at < text.size() && text[at] == group) {
    if (DigitsAt(text, at + 1) != 3) return std::nullopt;
    out = std::copy_n(text.data() + at + 1, 3, out);
    at += 4;
  }
  if (at < text.size()) {
    const std::size_t decimals = DigitsAt(text, at + 1);
    if (text[at] != decimal_point || decimals == 0 || at + 1 + decimals != text.size())
      return std::nullopt;
    *out++ = '.';
    out = std::copy_n(text.data() + at + 1, decimals, out);
  }
  double value = 0;
  std::from_chars(buffer, out, value);
  return value;
}

// Blanks, also those that keep a number and its unit on one line.
void SkipBlanks(std::string_view* text) {
  for (std::size_t before = 0; before != text->size();) {
    before = text->size();
    *text = Trim(*text);
    for (const std::string_view blank : {"\xC2\xA0", "\xE2\x80\xAF"}) {
      if (text->starts_with(blank)) text->remove_prefix(blank.size());
      if (text->ends_with(blank)) text->remove_suffix(blank.size());
    }
  }
}

int TakeUnit(std::string_view* text) {
  for (int i = 0; i < kUnitCount; ++i) {
    const std::string_view unit = kUnits[i];
    if (text->ends_with(unit)) {
      text->remove_suffix(unit.size());
    } else if (i > 0 && text->starts_with(unit)) {
      text->remove_prefix(unit.size());
    } else {
      continue;
    }
    SkipBlanks(text);
    return i;
  }
  return -1;
}

bool TakeSign(std::string_view* text) {
  const bool negative = text->starts_with('-');
  if (negative || text->starts_with('+')) text->remove_prefix(1);
  return negative;
}
}  // namespace

std::optional<std::int64_t> ParseWhole(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  const std::string_view digits = text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || !IsDigit(digits[0]) || (digits.size() > 1 && digits[0] == '0'))
    return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseReal(std::string_view text, char decimal_point) {
  if (text.empty()) return std::nullopt;
  if (text[0] == '+' && text.size() > 1 && (IsDigit(text[1]) || text[1] == '.'))
    text.remove_prefix(1);
  const char first = text[0];
  if (!IsDigit(first) && first != '-' && first != '.' && first != decimal_point && first != 'i' &&
      first != 'I')
    return std::nullopt;
  double value = 0;
  if (decimal_point == '.') {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size()) return std::nullopt;
    if (error == std::errc())
      return std::isnan(value) ? std::nullopt : std::optional<double>(value);
    return ParseDouble(text);  // out of range: infinity or zero
  }
  char buffer[64];
  if (text.size() >= sizeof buffer || text.find('.') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer);
  std::replace(buffer, buffer + text.size(), decimal_point, '.');
  return ParseReal({buffer, text.size()}, '.');
}

std::optional<double> ParseWritten(std::string_view text, char decimal_point, int* unit) {
  *unit = -1;
  if (const auto real = ParseReal(text, decimal_point)) return real;
  bool negative = TakeSign(&text);
  *unit = TakeUnit(&text);
  if (*unit >= 0 && !negative) negative = TakeSign(&text);  // -$5 and $-5
  if (text.empty() || !IsDigit(text[0])) return std::nullopt;
  auto value = ParseGrouped(text, decimal_point);
  // Digits that an id would keep are not worth an amount either.
  const bool id = text.size() > 1 && text[0] == '0' && IsDigit(text[1]);
  if (!value && *unit >= 0 && !id) value = ParseReal(text, decimal_point);
  if (value && negative) return -*value;
  return value;
}

}  // namespace gyre::table
