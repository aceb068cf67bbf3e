// What the report of a text import tells a careful person.
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "platform/table/number_text.h"
#include "platform/table/text_import.h"

namespace gyre::table {

// Which of day and month came first, or how numbers are written, when no value shows it, another
// table had it otherwise, or more than digits was read.
void TextImport::NoteFormat(const Column& column) {
  const TextFormat format = column.plan.format;
  if (format == TextFormat::kUsual) {
    // Told by the whole file; what joins the column later may show nothing.
    if (column.plan.type == Type::kDouble && column.plan.decimal_point == ',')
      report_.formats[column.name] = TextFormat::kDecimalComma;
    return;
  }
  report_.formats[column.name] = {format, column.plan.unit};
  if (column.format && !column.as_known) return;
  report_.notes.push_back(IsNumberFormat(format) ? NumberNote(column) : DateNote(column));
  if (report_.notes.back().empty()) report_.notes.pop_back();
}

std::string TextImport::NumberNote(const Column& column) const {
  const TextFormat format = column.plan.format;
  const TextFormat other =
      format == TextFormat::kDecimalComma ? TextFormat::kDecimalPoint : TextFormat::kDecimalComma;
  const std::string note = fmt::format("`{}` was read as {}", column.name, FormatWords(format));
  const std::string remedy = column.given
                                 ? std::string()
                                 : fmt::format(". For {}: --type {}=double:{}", FormatWords(other),
                                               column.name, FormatText(other));
  if (column.as_known) {
    const bool against = !column.shown_by.empty();
    return fmt::format(
        "{}, as in {}: no value shows which of both it is{}{}", note,
        column.given ? column.given_by : options_.known.name,
        against ? fmt::format(", and `{}` is written the other way", column.shown_by) : "",
        against ? remedy : "");
  }
  if (!column.shown_by.empty())
    return fmt::format("{}, because `{}` shows it: no value of its own does{}", note,
                       column.shown_by, remedy);
  const auto known = options_.known.formats.find(column.name);
  if (known == options_.known.formats.end()) {
    return column.plan.unit < 0 ? note
                                : fmt::format("{}; {} is left out", note, kUnits[column.plan.unit]);
  }
  return known->second.text == format ? std::string()
                                      : note + Differs(known->second.text, "numbers");
}

std::string TextImport::DateNote(const Column& column) const {
  const TextFormat format = column.plan.format;
  const auto known = options_.known.formats.find(column.name);
  const bool is_known = known != options_.known.formats.end();
  const std::string note = fmt::format("`{}` was read as {}", column.name, FormatWords(format));
  if (is_known && known->second != format) return note + Differs(known->second.text, "dates");
  if (!column.ambiguous_date) return {};
  if (is_known)
    return fmt::format("{}, as in {}: no value shows which of both it is", note,
                       options_.known.name);
  const TextFormat other =
      format == TextFormat::kMonthFirst ? TextFormat::kDayFirst : TextFormat::kMonthFirst;
  return note + "; no value shows which of both it is" +
         (column.given ? ": write dates as 2024-12-31"
                       : fmt::format(". For {}: --type {}=date:{}", FormatWords(other), column.name,
                                     FormatText(other)));
}

std::string TextImport::Differs(TextFormat known, std::string_view what) const {
  return fmt::format(", whereas {} has {}: look whether these are the same {}", options_.known.name,
                     FormatWords(known), what);
}

std::string UnitNote(std::string_view column, int now, int before, std::string_view by) {
  const auto words = [](int unit) { return unit < 0 ? std::string_view("no unit") : kUnits[unit]; };
  return fmt::format("`{}` has {}, whereas {} has {}: look whether these are the same numbers",
                     column, words(now), by, words(before));
}

// Another unit than before, or one beside some values only.
void TextImport::NoteUnits(const Column& column) {
  const ColumnPlan& plan = column.plan;
  if (column.filled == 0 || (plan.type != Type::kDouble && plan.type != Type::kInt)) return;
  if (plan.unit >= 0 && column.with_unit < column.filled - column.bad) {
    report_.notes.push_back(
        fmt::format("{} of {} values of `{}` have {}, the others have not: look whether these are "
                    "the same numbers",
                    GroupDigits(column.with_unit), GroupDigits(column.filled - column.bad),
                    column.name, kUnits[plan.unit]));
  }
  if (column.given && (!GivenByUser(column) || (column.format && column.format->unit >= 0))) {
    const int before = column.format ? column.format->unit : -1;
    if (before != plan.unit)
      report_.notes.push_back(UnitNote(column.name, plan.unit, before, column.given_by));
    return;
  }
  for (const Field& field : options_.known.schema) {
    if (field.name != column.name || (field.type != Type::kDouble && field.type != Type::kInt))
      continue;
    const auto format = options_.known.formats.find(column.name);
    const int before = format == options_.known.formats.end() ? -1 : format->second.unit;
    if (before != plan.unit)
      report_.notes.push_back(UnitNote(column.name, plan.unit, before, options_.known.name));
  }
}

// Why a column that looks like numbers is text, and how to read it as numbers.
void TextImport::NoteText(const Column& column) {
  if (column.seems.count == 0) {
    if (column.mixed)
      report_.notes.push_back(fmt::format(
          "`{}` was read as text: most of its values are numbers or dates, but not 95 %",
          column.name));
    return;
  }
  const auto& [plan, count, filled, either, with_unit, mixed_units] = column.seems;
  if (mixed_units) {
    report_.notes.push_back(fmt::format(
        "`{}` was read as text: its values look like numbers, but {} of {} have {} and others have "
        "not. Write all of them with the same unit",
        column.name, GroupDigits(with_unit), GroupDigits(filled), kUnits[plan.unit]));
    return;
  }
  const auto type = [&](TextFormat format) {
    return fmt::format("--type {}=double:{}", column.name, FormatText(format));
  };
  if (either) {
    report_.notes.push_back(fmt::format(
        "`{}` was {}: {} values look like numbers, but 1,234 may mean 1234 or 1.234. "
        "Say which: {} or {}{}",
        column.name, column.given ? "not read throughout" : "read as text",
        count < filled ? fmt::format("{} of {}", GroupDigits(count), GroupDigits(filled)) : "its",
        type(TextFormat::kDecimalPoint), type(TextFormat::kDecimalComma),
        count < filled ? ", each with --bad null" : ""));
    return;
  }
  report_.notes.push_back(
      fmt::format("`{}` was read as text: {} of {} values look like {}. To read these: {}{}",
                  column.name, GroupDigits(count), GroupDigits(filled),
                  plan.unit < 0 ? std::string(FormatWords(plan.format))
                                : fmt::format("numbers, some with {}", kUnits[plan.unit]),
                  type(plan.format), count < filled ? " --bad null" : ""));
}

void TextImport::WriteNotes() {
  std::map<std::string, std::pair<std::int64_t, std::vector<std::string>>> tokens;
  for (const Column& column : columns_) {
    for (const auto& [token, count] : column.tokens) {
      tokens[token].first += count;
      tokens[token].second.push_back(column.name);
    }
    NoteText(column);
    NoteFormat(column);
    NoteUnits(column);
    if (column.nested) report_.formats[column.name] = TextFormat::kJson;
  }
  for (const auto& [token, met] : tokens) {
    const auto& [count, names] = met;
    report_.notes.push_back(fmt::format("`{}` was read as missing in {} cells of {}", token,
                                        GroupDigits(count),
                                        names.size() > 4 ? fmt::format("{} columns", names.size())
                                                         : "`" + Join(names, "`, `") + "`"));
  }
  if (report_.cells_nulled > 0) {
    report_.notes.push_back(fmt::format("{} bad cell{} became missing",
                                        GroupDigits(report_.cells_nulled),
                                        report_.cells_nulled == 1 ? "" : "s"));
  }
  if (report_.rows_quarantined > 0) {
    report_.notes.push_back(fmt::format("{} row{} set aside", GroupDigits(report_.rows_quarantined),
                                        report_.rows_quarantined == 1 ? " was" : "s were"));
  }
}

}  // namespace gyre::table
