#include "platform/table/cell_types.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "platform/table/number_text.h"

namespace gyre::table {

namespace {
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

std::optional<bool> ParseBool(std::string_view text) {
  if (text.size() == 4 && EqualsIgnoreCase(text, "true")) return true;
  if (text.size() == 5 && EqualsIgnoreCase(text, "false")) return false;
  return std::nullopt;
}

bool MayBeNumber(const RawCell& cell) { return cell.kind != CellKind::kJsonString; }

bool MayBeginNumber(char c, char decimal_point) {
  // The last two begin € and £ in UTF-8.
  return IsDigit(c) || c == '-' || c == '+' || c == '.' || c == decimal_point || c == 'i' ||
         c == 'I' || c == '$' || c == '\xE2' || c == '\xC2';
}

// What a text says as 1.234,5 and as 1,234.5. `real`: what it is as a plain number.
KindSet WrittenKinds(std::string_view text, char decimal_point, std::optional<double> real) {
  int unit = -1;
  const auto read = [&](char point) {
    return real && point == decimal_point ? real : ParseWritten(text, point, &unit);
  };
  const auto comma = read(','), point = read('.');
  KindSet kinds = 0;
  if (comma) kinds |= kCommaKind;
  if (point) kinds |= kPointKind;
  if (comma && point && *comma != *point) kinds |= kEitherKind;
  if (comma && !point && text.find(',') != std::string_view::npos) kinds |= kShowsCommaKind;
  if (point && !comma) kinds |= kShowsPointKind;
  if (kinds != 0 && unit >= 0) kinds |= kUnitKind << unit;
  return kinds;
}

std::optional<double> ParseNumber(const RawCell& cell, std::string_view text,
                                  const ColumnPlan& plan) {
  if (!MayBeNumber(cell)) return std::nullopt;
  if (cell.kind == CellKind::kJsonOther) return ParseReal(text, '.');
  if (!IsNumberFormat(plan.format)) return ParseReal(text, plan.decimal_point);
  int unit = -1;
  const auto value = ParseWritten(text, plan.decimal_point, &unit);
  const bool fits = unit == plan.unit || (unit < 0 && !plan.unit_always);
  return fits ? value : std::nullopt;
}
}  // namespace

KindSet ClassifyText(std::string_view text, char decimal_point) {
  KindSet kinds = kTextKind;
  if (text.empty()) return kinds;
  if (ParseWhole(text)) return kinds | kIntKind | kDoubleKind | kCommaKind | kPointKind;
  const char first = text[0];
  if (first == 't' || first == 'T' || first == 'f' || first == 'F')
    return ParseBool(text) ? kinds | kBoolKind : kinds;
  if (!MayBeginNumber(first, decimal_point)) return kinds;
  if (AllDigits(text)) return kinds | kIdKind;
  const auto real = ParseReal(text, decimal_point);
  kinds |= WrittenKinds(text, decimal_point, real);
  if (real) return kinds | kDoubleKind;
  if (ParseDate(text, TextFormat::kUsual)) return kinds | kDateKind | kTimestampKind;
  if (ParseDate(text, TextFormat::kMonthFirst)) kinds |= kMonthFirstKind;
  if (ParseDate(text, TextFormat::kDayFirst)) kinds |= kDayFirstKind;
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
    if (value.text.empty() && (!quoted || plan.undecided)) return value;
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
      if (const auto real = ParseNumber(cell, text, plan)) {
        value.d = *real;
        return value;
      }
      break;
    case Type::kBool:
      whole = numbers ? ParseBool(text) : std::nullopt;
      break;
    case Type::kDate:
      whole = ParseDate(text, plan.format);
      break;
    case Type::kTimestamp:
      whole = ParseTimestamp(text);
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
  if (cell.kind == CellKind::kJsonOther && (found & kDoubleKind) != 0) {  // has one meaning
    found &= ~(kEitherKind | kShowsCommaKind | kShowsPointKind);
    found |= kCommaKind | kPointKind;
  }
  AddKnown(found, 1);
}

void KindCounts::AddKnown(KindSet known, std::int64_t count) {
  filled += count;
  for (; known != 0; known &= known - 1)
    kinds[static_cast<std::size_t>(std::countr_zero(known))] += count;
}

std::int64_t KindCounts::of(KindSet kind) const {
  return kinds[static_cast<std::size_t>(std::countr_zero(kind))];
}

KindSet KindsOf(const ColumnPlan& plan) {
  switch (plan.type) {
    case Type::kBool:
      return kTextKind | kBoolKind;
    case Type::kInt:
      return kTextKind | kIntKind | kDoubleKind | kCommaKind | kPointKind;
    case Type::kDouble:
      return kTextKind | kDoubleKind | (plan.decimal_point == ',' ? kCommaKind : kPointKind);
    case Type::kDate:
      if (plan.format == TextFormat::kMonthFirst) return kTextKind | kMonthFirstKind;
      if (plan.format == TextFormat::kDayFirst) return kTextKind | kDayFirstKind;
      return kTextKind | kDateKind | kTimestampKind;
    case Type::kTimestamp:
      return kTextKind | kTimestampKind;
    case Type::kText:
      break;
  }
  return kTextKind;
}

void ColumnPlan::SetFormat(ColumnFormat to) {
  format = to.text;
  unit = to.unit;
  if (IsNumberFormat(format)) decimal_point = format == TextFormat::kDecimalComma ? ',' : '.';
}

KindSet KindFor(const ColumnPlan& plan) {
  switch (plan.type) {
    case Type::kBool:
      return kBoolKind;
    case Type::kInt:
      return kIntKind;
    case Type::kDouble:
      if (plan.format == TextFormat::kDecimalComma) return kCommaKind;
      return plan.format == TextFormat::kDecimalPoint ? kPointKind : kDoubleKind;
    case Type::kDate:
      if (plan.format == TextFormat::kMonthFirst) return kMonthFirstKind;
      return plan.format == TextFormat::kDayFirst ? kDayFirstKind : kDateKind;
    case Type::kTimestamp:
      return kTimestampKind;
    case Type::kText:
      break;
  }
  return kTextKind;
}

namespace {
// With the unit that most cells have.
ColumnPlan WrittenPlan(const KindCounts& counts, TextFormat format) {
  ColumnPlan plan;
  plan.type = Type::kDouble;
  plan.SetFormat(format);
  for (int unit = 0; unit < kUnitCount; ++unit) {
    const std::int64_t count = counts.of(kUnitKind << unit);
    if (count > 0 && (plan.unit < 0 || count > counts.of(kUnitKind << plan.unit))) plan.unit = unit;
  }
  return plan;
}

// How the column's numbers are written when all its cells agree in it and in their unit, and no
// other way would give other numbers.
std::optional<ColumnPlan> Written(const KindCounts& counts) {
  const std::int64_t filled = counts.filled;
  const bool comma = counts.of(kCommaKind) == filled && counts.of(kShowsCommaKind) > 0;
  const bool point = counts.of(kPointKind) == filled &&
                     (counts.of(kShowsPointKind) > 0 || counts.of(kEitherKind) == 0);
  if (!comma && !point) return std::nullopt;
  ColumnPlan plan =
      WrittenPlan(counts, comma ? TextFormat::kDecimalComma : TextFormat::kDecimalPoint);
  plan.unit_always = plan.unit >= 0;
  if (plan.unit_always && counts.of(kUnitKind << plan.unit) != filled) return std::nullopt;
  return plan;
}
}  // namespace

std::int64_t BadCount(const KindCounts& counts, const ColumnPlan& plan) {
  std::int64_t bad = counts.filled - counts.of(KindFor(plan));
  for (int unit = 0; IsNumberFormat(plan.format) && unit < kUnitCount; ++unit) {
    if (unit != plan.unit) bad += counts.of(kUnitKind << unit);
  }
  return std::min(bad, counts.filled);
}

bool FitsEitherWay(const KindCounts& counts) {
  return counts.of(kEitherKind) > 0 && counts.of(kShowsCommaKind) == 0 &&
         counts.of(kShowsPointKind) == 0;
}

std::optional<TextFormat> ShownForm(const KindCounts& counts) {
  const bool comma = counts.of(kShowsCommaKind) > 0, point = counts.of(kShowsPointKind) > 0;
  if (comma == point) return std::nullopt;
  if (counts.of(comma ? kCommaKind : kPointKind) * 2 < counts.filled) return std::nullopt;
  return comma ? TextFormat::kDecimalComma : TextFormat::kDecimalPoint;
}

ColumnPlan PlanGiven(const KindCounts& counts, Type type, std::optional<TextFormat> format,
                     char decimal_point) {
  ColumnPlan best;
  best.type = type;
  best.decimal_point = decimal_point;
  std::int64_t best_bad = counts.filled + 1;
  const auto try_plan = [&](const ColumnPlan& plan) {
    const std::int64_t bad = BadCount(counts, plan);
    if (bad >= best_bad) return;
    best = plan;
    best_bad = bad;
  };
  const auto with = [&](TextFormat chosen) {
    if (IsNumberFormat(chosen)) return WrittenPlan(counts, chosen);
    ColumnPlan plan;
    plan.type = type;
    plan.decimal_point = decimal_point;
    plan.SetFormat(chosen);
    return plan;
  };
  // With a format, a date may else only have the form that has a single meaning.
  if (format) try_plan(with(*format));
  try_plan(with(TextFormat::kUsual));
  if (type == Type::kDate && !format) {
    for (const auto way : {TextFormat::kMonthFirst, TextFormat::kDayFirst}) try_plan(with(way));
  }
  if (type == Type::kDouble && (format || !FitsEitherWay(counts))) {
    for (const auto way : {TextFormat::kDecimalPoint, TextFormat::kDecimalComma})
      try_plan(with(way));
  }
  return best;
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
    TextFormat format;
  };
  using Format = TextFormat;
  constexpr Candidate kCandidates[] = {{kBoolKind, Type::kBool, Format::kUsual},
                                       {kIntKind, Type::kInt, Format::kUsual},
                                       {kDoubleKind, Type::kDouble, Format::kUsual},
                                       {kDateKind, Type::kDate, Format::kUsual},
                                       {kMonthFirstKind, Type::kDate, Format::kMonthFirst},
                                       {kDayFirstKind, Type::kDate, Format::kDayFirst},
                                       {kTimestampKind, Type::kTimestamp, Format::kUsual}};
  const Candidate* best = nullptr;
  for (const Candidate& candidate :
       kCandidates) {  // the narrowest type among those that fit most cells
    if (best == nullptr || counts.of(candidate.kind) > counts.of(best->kind)) best = &candidate;
  }
  // Digits that a number would lose make the column an id.
  const bool id = counts.of(kIdKind) > 0 && counts.of(kIdKind) + counts.of(kDoubleKind) == filled;
  const std::int64_t fitting = counts.of(best->kind);
  if (id) return decision;
  if (fitting < filled) {
    if (const auto written = Written(counts)) {
      decision.plan = *written;
      return decision;
    }
    const bool comma = counts.of(kCommaKind) > counts.of(kPointKind);
    const ColumnPlan seems =
        WrittenPlan(counts, comma ? TextFormat::kDecimalComma : TextFormat::kDecimalPoint);
    const std::int64_t count = filled - BadCount(counts, seems);
    if (count > counts.of(kDoubleKind) && count * 2 >= filled)
      decision.seems = {
          .plan = seems, .count = count, .filled = filled, .either = FitsEitherWay(counts)};
    if (seems.unit >= 0) {
      decision.seems.with_unit = counts.of(kUnitKind << seems.unit);
      decision.seems.mixed_units = decision.seems.with_unit < counts.of(KindFor(seems));
    }
  }
  if (fitting * 20 < filled * 19) {
    decision.mixed = fitting > 0 && fitting * 2 >= filled;
    return decision;
  }
  decision.plan.type = best->type;
  decision.plan.format = best->format;
  decision.bad = filled - fitting;
  return decision;
}

}  // namespace gyre::table
