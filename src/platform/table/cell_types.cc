#include "platform/table/cell_types.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "base/time.h"

namespace gyre::table {

namespace {
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  if (text.size() < 10 || !IsDigit(text[0]) || text.find_first_of("-/") == std::string_view::npos)
    return std::nullopt;
  return ParseTime(text);
}

// Whole number without superfluous zeros, so that ids keep theirs.
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

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

std::optional<bool> ParseBool(std::string_view text) {
  if (text.size() == 4 && EqualsIgnoreCase(text, "true")) return true;
  if (text.size() == 5 && EqualsIgnoreCase(text, "false")) return false;
  return std::nullopt;
}

int BitIndex(KindSet kind) { return __builtin_ctz(kind); }

bool MayBeNumber(const RawCell& cell) { return cell.kind != CellKind::kJsonString; }
}  // namespace

KindSet ClassifyText(std::string_view text, char decimal_point) {
  KindSet kinds = kTextKind;
  if (text.empty()) return kinds;
  if (ParseWhole(text)) return kinds | kIntKind | kDoubleKind;
  const char first = text[0];
  if (first == 't' || first == 'T' || first == 'f' || first == 'F')
    return ParseBool(text) ? kinds | kBoolKind : kinds;
  if (!IsDigit(first) && first != '-' && first != '+' && first != '.' && first != decimal_point &&
      first != 'i' && first != 'I')
    return kinds;
  if (AllDigits(text)) return kinds | kIdKind;
  if (ParseReal(text, decimal_point)) return kinds | kDoubleKind;
  if (ParseDate(text, DateOrder::kYearFirst)) return kinds | kDateKind | kTimestampKind;
  if (ParseDate(text, DateOrder::kMonthFirst)) kinds |= kMonthFirstKind;
  if (ParseDate(text, DateOrder::kDayFirst)) kinds |= kDayFirstKind;
  if (ParseTimestamp(text)) kinds |= kTimestampKind;
  return kinds;
}

bool IsMissingToken(std::string_view text, MissingIn where) {
  if (text.size() > 6) return false;
  if (text == "NA" || text == "N/A" || text == "n/a" || text == "NaN" || text == "nan" ||
      text == "NAN" || text == "NULL" || text == "null" || text == "Null" || text == "?" ||
      text == "#N/A" || text == "<NA>") {
    return true;
  }
  return where == MissingIn::kTyped &&
         (text == "None" || text == "none" || text == "-" || text == "." || text == "na" ||
          text == "NaT" || text.empty());
}

CellValue ParseCell(const RawCell& cell, const ColumnPlan& plan) {
  CellValue value;
  if (cell.kind == CellKind::kMissing) return value;
  const bool quoted = cell.kind == CellKind::kQuoted || cell.kind == CellKind::kJsonString;
  if (plan.type == Type::kText) {
    value.text = quoted ? cell.view() : Trim(cell.view());
    if (!quoted && value.text.empty()) return value;
    value.outcome = CellOutcome::kValue;
    if (!quoted && IsMissingToken(value.text, MissingIn::kText))
      value.outcome = CellOutcome::kMissingToken;
    if (plan.undecided && value.outcome == CellOutcome::kValue &&
        !IsMissingToken(value.text, MissingIn::kTyped))
      value.outcome = CellOutcome::kBad;
    return value;
  }
  const std::string_view text = Trim(cell.view());
  value.outcome = CellOutcome::kValue;
  if (text.empty()) {
    value.outcome = CellOutcome::kMissing;
    return value;
  }
  const bool numbers = MayBeNumber(cell);
  std::optional<std::int64_t> whole;
  switch (plan.type) {
    case Type::kInt:
      whole = numbers ? ParseWhole(text) : std::nullopt;
      break;
    case Type::kDouble:
      if (const auto real = numbers ? ParseReal(text, plan.decimal_point) : std::nullopt) {
        value.d = *real;
        return value;
      }
      break;
    case Type::kBool:
      whole = numbers ? ParseBool(text) : std::nullopt;
      break;
    case Type::kDate:
      whole = ParseDate(text, plan.date_order);
      break;
    case Type::kTimestamp:
      whole = ParseTimestamp(text);
      if (!whole) {
        if (const auto days = ParseDate(text, DateOrder::kYearFirst)) whole = *days * kMicrosPerDay;
      }
      break;
    case Type::kText:
      break;
  }
  if (whole) {
    value.i = *whole;
    return value;
  }
  value.outcome =
      IsMissingToken(text, MissingIn::kTyped) ? CellOutcome::kMissingToken : CellOutcome::kBad;
  return value;
}

void KindCounts::Add(const RawCell& cell, char decimal_point) {
  if (cell.kind == CellKind::kMissing) {
    ++missing;
    return;
  }
  const std::string_view text = Trim(cell.view());
  if (text.empty() || IsMissingToken(text, MissingIn::kTyped)) {
    ++missing;
    return;
  }
  KindSet found = ClassifyText(text, decimal_point);
  if (!MayBeNumber(cell)) found &= kTextKind | kDateKind | kTimestampKind;
  ++filled;
  for (int bit = 0; bit < kKindCount; ++bit)
    kinds[static_cast<std::size_t>(bit)] += (found >> bit) & 1;
}

void KindCounts::AddKnown(KindSet known, std::int64_t count) {
  filled += count;
  for (int bit = 0; bit < kKindCount; ++bit) {
    if ((known >> bit) & 1) kinds[static_cast<std::size_t>(bit)] += count;
  }
}

std::int64_t KindCounts::of(KindSet kind) const {
  return kinds[static_cast<std::size_t>(BitIndex(kind))];
}

KindSet KindsOf(const ColumnPlan& plan) {
  switch (plan.type) {
    case Type::kBool:
      return kTextKind | kBoolKind;
    case Type::kInt:
      return kTextKind | kIntKind | kDoubleKind;
    case Type::kDouble:
      return kTextKind | kDoubleKind;
    case Type::kDate:
      if (plan.date_order == DateOrder::kMonthFirst) return kTextKind | kMonthFirstKind;
      if (plan.date_order == DateOrder::kDayFirst) return kTextKind | kDayFirstKind;
      return kTextKind | kDateKind | kTimestampKind;
    case Type::kTimestamp:
      return kTextKind | kTimestampKind;
    case Type::kText:
      break;
  }
  return kTextKind;
}

Decision Decide(const KindCounts& counts, char decimal_point) {
  Decision decision;
  decision.plan.decimal_point = decimal_point;
  const std::int64_t filled = counts.filled;
  if (filled == 0) {
    decision.plan.undecided = true;
    return decision;
  }
  struct Candidate {
    KindSet kind;
    Type type;
    DateOrder order;
  };
  using Order = DateOrder;
  constexpr Candidate kCandidates[] = {{kBoolKind, Type::kBool, Order::kYearFirst},
                                       {kIntKind, Type::kInt, Order::kYearFirst},
                                       {kDoubleKind, Type::kDouble, Order::kYearFirst},
                                       {kDateKind, Type::kDate, Order::kYearFirst},
                                       {kMonthFirstKind, Type::kDate, Order::kMonthFirst},
                                       {kDayFirstKind, Type::kDate, Order::kDayFirst},
                                       {kTimestampKind, Type::kTimestamp, Order::kYearFirst}};
  const Candidate* best = nullptr;
  for (const Candidate& candidate :
       kCandidates) {  // the narrowest type among those that fit most cells
    if (best == nullptr || counts.of(candidate.kind) > counts.of(best->kind)) best = &candidate;
  }
  // Digits that a number would lose make the column an id.
  const bool id = counts.of(kIdKind) > 0 && counts.of(kIdKind) + counts.of(kDoubleKind) == filled;
  const std::int64_t fitting = counts.of(best->kind);
  if (fitting == 0 || id) return decision;
  if (fitting * 20 < filled * 19) {
    decision.mixed = fitting * 2 >= filled;
    return decision;
  }
  decision.plan.type = best->type;
  decision.plan.date_order = best->order;
  decision.bad = filled - fitting;
  return decision;
}

}  // namespace gyre::table
