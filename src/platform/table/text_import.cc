#include "platform/table/text_import.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/shell.h"
#include "base/text.h"
#include "platform/table/append.h"
#include "platform/table/csv_records.h"
#include "platform/table/json_records.h"
#include "platform/table/partitions.h"

namespace gyre::table {

namespace {
constexpr std::size_t kQuarantineMax = 10'000;
constexpr std::size_t kTokensMax = 16;

std::int64_t FileSize(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

std::string_view NounOf(Type type) {
  switch (type) {
    case Type::kInt:
      return "a whole number";
    case Type::kDouble:
      return "a number";
    case Type::kBool:
      return "true or false";
    case Type::kDate:
      return "a date";
    case Type::kTimestamp:
      return "a time";
    case Type::kText:
      break;
  }
  return "text";
}

std::string PlanWords(const ColumnPlan& plan) {
  const bool slash = plan.type == Type::kDate && plan.format != TextFormat::kUsual;
  return slash ? fmt::format("a date as {}", FormatWords(plan.format))
               : std::string(TypeName(plan.type));
}

std::string Shown(std::string_view text) {
  std::string out;
  AppendJsonString(text.substr(0, 60), &out);
  return out;
}
}  // namespace

TextImport::TextImport(const std::vector<SourceFile>& files, std::vector<FileFormat> formats,
                       const ImportOptions& options, ImportSink& sink)
    : files_(files),
      formats_(std::move(formats)),
      options_(options),
      sink_(sink),
      encodings_(files.size()) {
  for (const SourceFile& file : files) sizes_.push_back(FileSize(file.path));
}

Result<ImportReport> TextImport::Run() {
  for (const std::int64_t size : sizes_) report_.bytes += size;
  // One pass when the first guess holds, a second one when not, and again when a file turns out to
  // be in another encoding.
  for (std::size_t attempt = 0; attempt < 3 + files_.size(); ++attempt) {
    Result<> pass = Pass();
    if (!pass) return pass.error();
    if (!counting_) break;
    rows_total_ = rows_;
    for (Column& column : columns_) {
      if (column.given) ApplyGiven(&column);
      Settle(&column);
    }
    AgreeOnForm();
    decided_ = true;
  }
  if (rows_ == 0) {
    return InvalidArgument("GY2031", "{} has no rows that can be read",
                           files_.size() == 1 ? files_[0].name : "the folder");
  }
  GYRE_DO(Flush());
  for (const Column& column : columns_) report_.schema.push_back({column.name, column.plan.type});
  report_.rows = rows_ - report_.rows_quarantined;
  WriteNotes();
  return std::move(report_);
}

// Reads everything once. Leaves counting_ set when the plan did not hold.
Result<> TextImport::Pass() {
  rows_ = 0;
  size_before_ = 0;
  counting_ = std::exchange(from_start_, false);
  report_.quarantine.clear();
  report_.rows_quarantined = report_.cells_nulled = 0;
  for (Column& column : columns_) {
    column.counts = {};
    column.good = 0;
    column.nested = false;
    column.tokens.clear();
  }
  pending_ = {};
  origins_.clear();
  if (decided_) {
    Schema schema;
    for (const Column& column : columns_) schema.push_back({column.name, column.plan.type});
    pending_ = EmptyFrame(schema);
    GYRE_DO(sink_.Begin(schema));
  }
  for (std::size_t i = 0; i < files_.size(); ++i) {
    Result<> read = ReadFile(i);
    if (!read && read.error().gy() == "GY2030" && !encodings_[i]) {
      encodings_[i] = Encoding::kWindows1252;
      columns_.clear();
      planned_ = decided_ = false;
      report_.notes.push_back(
          fmt::format("{} is not UTF-8 throughout and was read as Windows-1252", files_[i].name));
      return Pass();
    }
    if (!read) return read.error();
    if (from_start_) return Pass();
    size_before_ += sizes_[i];
  }
  return {};
}

Result<std::unique_ptr<RecordSource>> TextImport::Open(std::size_t file) {
  CsvOptions csv;
  csv.encoding = encodings_[file];
  csv.delimiter = options_.delimiter;
  csv.header = options_.header;
  csv.command = options_.command;
  if (options_.bad == BadCells::kNull) csv.ragged = Ragged::kPad;
  if (options_.bad == BadCells::kQuarantine) csv.ragged = Ragged::kSetAside;
  const auto open = formats_[file] == FileFormat::kJson ? OpenJson : OpenCsv;
  GYRE_TRY(auto source, open(files_[file].path, files_[file].name, csv));
  return WithPartitions(std::move(source), PartitionsOf(files_[file].name));
}

Result<> TextImport::ReadFile(std::size_t file) {
  GYRE_TRY(const auto source, Open(file));
  file_ = static_cast<std::uint32_t>(file);
  if (file == 0) {
    decimal_point_ = source->decimal_point();
    comma_parts_ = source->delimiter() == ',';
    report_.format = source->Description();
  }
  RecordBatch batch;
  for (;;) {
    if (options_.cancelled && options_.cancelled())
      return MakeError(Code::kCancelled, "GY2003", "the import was cancelled");
    GYRE_TRY(const bool more, source->Next(&batch));
    GYRE_DO(SetAside(*source));
    if (!more) break;
    GYRE_TRY(const auto map, MapColumns(*source, file));
    if (!planned_) {
      PlanFromFirst(batch, map);
      planned_ = true;
      Schema schema;
      for (const Column& column : columns_) schema.push_back({column.name, column.plan.type});
      pending_ = EmptyFrame(schema);
      GYRE_DO(sink_.Begin(schema));
    }
    GYRE_DO(TakeBatch(*source, batch, map));
    if (from_start_) return {};
    rows_ += static_cast<std::int64_t>(batch.rows());
    Progress(*source);
  }
  return {};
}

Result<> TextImport::AddColumn(const std::string& name) {
  Column column;
  column.name = name;
  column.plan.undecided = true;
  column.plan.decimal_point = decimal_point_;
  const auto give = [&](const Field& field, const Formats& formats, const std::string& by) {
    column.given = true;
    column.given_by = by;
    column.plan.undecided = false;
    column.plan.type = field.type;
    const auto format = formats.find(name);
    if (format == formats.end()) return;
    column.format = format->second;
    column.plan.SetFormat(format->second);
    column.plan.unit_always = column.plan.unit >= 0;  // else another unit would go unseen
  };
  if (options_.bad == BadCells::kQuarantine) {
    for (const Field& known : options_.known.held) {
      if (known.name == name) give(known, options_.known.formats, options_.known.name);
    }
  }
  for (const Field& given : options_.types) {
    if (given.name == name) give(given, options_.formats, options_.types_by);
  }
  columns_.push_back(std::move(column));
  return {};
}

// Position of each of the source's columns in ours. New ones come in only from JSON, or from the
// first CSV file.
Result<std::vector<std::size_t>> TextImport::MapColumns(const RecordSource& source,
                                                        std::size_t file) {
  std::vector<std::size_t> map;
  const std::size_t before = columns_.size();
  for (const std::string& name : source.columns()) {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const Column& column) { return column.name == name; });
    map.push_back(static_cast<std::size_t>(found - columns_.begin()));
    if (found == columns_.end()) GYRE_DO(AddColumn(name));
  }
  const bool csv = formats_[file] == FileFormat::kCsv;
  if (csv && file > 0 && (columns_.size() != before || map.size() != before)) {
    return InvalidArgument("GY2038", "{} does not have the columns of {}", files_[file].name,
                           files_[0].name)
        .Why("the files of a folder become one table; they must have the same columns")
        .Fix("add the files one by one, each under its own --name");
  }
  if (columns_.size() != before) {
    std::vector<std::string> names;
    for (const Column& column : columns_) names.push_back(column.name);
    std::vector<std::string> checked = names;
    GYRE_DO(CheckColumnNames(&checked, source.file()));
    for (std::size_t i = 0; i < checked.size(); ++i) {
      if (checked[i] != names[i])
        return InvalidArgument("GY2032", "{} has a member without a name", source.file())
            .Fix("give it a name");
    }
    if (planned_ && !counting_) StartCounting();
  }
  return map;
}

void TextImport::PlanFromFirst(const RecordBatch& batch, const std::vector<std::size_t>& map) {
  for (std::size_t i = 0; i < map.size(); ++i) {
    Column& column = columns_[map[i]];
    for (std::size_t row = 0; row < batch.rows(); ++row)
      column.counts.Add(batch.cells[row * batch.width + i], decimal_point_);
    if (column.given && column.plan.format == TextFormat::kDecimalComma && StandsAsItIs(column))
      ApplyGiven(&column);
    Settle(&column);
    if (!IsNumberFormat(column.plan.format)) column.plan.decimal_point = decimal_point_;
  }
  AgreeOnForm();
  for (Column& column : columns_) column.counts = {};
}

// By the column's own cells, and the table that they join.
void TextImport::Settle(Column* column) {
  const KindCounts& counts = column->counts;
  if (!column->given) {
    Decision decision = Decide(counts, decimal_point_);
    column->plan = decision.plan;
    column->bad = decision.bad;
    column->mixed = decision.mixed;
    column->seems = decision.seems;
  }
  column->filled = counts.filled;
  column->ambiguous_date = counts.of(kDayFirstKind) == counts.of(kMonthFirstKind);
  ApplyKnown(column);
}

bool TextImport::GivenByUser(const Column& column) const {
  return column.given && column.given_by == ImportOptions().types_by;
}

// Who parts cells by commas writes decimal points: 1.196 is what it looks like there, although
// another file of the table had decimal commas.
bool TextImport::StandsAsItIs(const Column& column) const {
  const KindCounts& counts = column.counts;
  return comma_parts_ && !GivenByUser(column) && counts.filled > 0 &&
         counts.of(kDoubleKind) == counts.filled;
}

void TextImport::ApplyGiven(Column* column) const {
  const KindCounts& counts = column->counts;
  auto form = column->format ? std::optional(column->format->text) : std::nullopt;
  if (form == TextFormat::kDecimalComma && StandsAsItIs(*column)) form = TextFormat::kUsual;
  column->plan = PlanGiven(counts, column->plan.type, form, decimal_point_);
  column->bad = BadCount(counts, column->plan);
  column->seems = {};
  const bool unread = counts.of(kPointKind) > counts.of(kDoubleKind);
  if (column->plan.type == Type::kDouble && !column->format && unread && FitsEitherWay(counts))
    column->seems = {.plan = column->plan,
                     .count = counts.of(kPointKind),
                     .filled = counts.filled,
                     .either = true};
}

// Day and month, or comma and point, fit both ways: the table that the rows join says which is
// which.
void TextImport::ApplyKnown(Column* column) const {
  column->as_known = column->given && column->format && IsNumberFormat(column->plan.format) &&
                     !GivenByUser(*column) && FitsEitherWay(column->counts);
  const auto known = options_.known.formats.find(column->name);
  if (known == options_.known.formats.end() || column->given) return;
  const bool slash = column->plan.type == Type::kDate && IsDateFormat(column->plan.format);
  if (slash && column->ambiguous_date && IsDateFormat(known->second.text))
    column->plan.format = known->second.text;
  if (known->second.text == TextFormat::kDecimalComma && StandsAsItIs(*column)) return;
  if (IsNumberFormat(known->second.text) && FitsEitherWay(column->counts))
    column->as_known = ReadAs(known->second.text, column);
}

// False when too many cells would not be numbers.
bool TextImport::ReadAs(TextFormat form, Column* column) const {
  const KindCounts& counts = column->counts;
  ColumnPlan plan = PlanGiven(counts, Type::kDouble, form, decimal_point_);
  const std::int64_t bad = BadCount(counts, plan);
  if (counts.of(kIdKind) > 0 || bad * 20 > counts.filled) return false;
  const std::int64_t with_unit = plan.unit < 0 ? 0 : counts.of(kUnitKind << plan.unit);
  if (with_unit > 0 && with_unit + bad != counts.filled) return false;
  plan.unit_always = with_unit > 0;
  column->plan = plan;
  column->bad = bad;
  column->seems = {};
  column->mixed = false;
  return true;
}

// Numbers that fit both ways are read as other columns of the file show it.
void TextImport::AgreeOnForm() {
  const Column *comma = nullptr, *point = nullptr;
  for (const Column& column : columns_) {
    const auto shown = ShownForm(column.counts);
    if (shown == TextFormat::kDecimalComma && comma == nullptr) comma = &column;
    if (shown == TextFormat::kDecimalPoint && point == nullptr) point = &column;
  }
  for (Column& column : columns_) {
    column.shown_by.clear();
    ReadAsShown(comma, point, &column);
    const int unit = column.plan.unit;
    column.with_unit = unit < 0 ? 0 : column.counts.of(kUnitKind << unit);
  }
}

void TextImport::ReadAsShown(const Column* comma, const Column* point, Column* column) const {
  const ColumnPlan& plan = column->plan;
  const bool number = plan.type == Type::kDouble || column->seems.count > 0;
  if (!number || GivenByUser(*column) || !FitsEitherWay(column->counts)) return;
  const bool by_comma = plan.decimal_point == ',';
  if (column->as_known) {  // the file does not outweigh it, but may say otherwise
    const Column* other = by_comma ? point : comma;
    if (other != nullptr && (by_comma ? comma : point) == nullptr) column->shown_by = other->name;
    return;
  }
  if (comma != nullptr && point != nullptr && !column->given) {
    column->seems = {.plan = plan,
                     .count = column->counts.of(kPointKind),
                     .filled = column->counts.filled,
                     .either = true};
    column->plan = {};
    column->bad = 0;
    return;
  }
  if ((comma == nullptr) == (point == nullptr)) return;
  const Column* shown = comma != nullptr ? comma : point;
  if (plan.type == Type::kDouble && by_comma == (comma != nullptr)) return;
  if (ReadAs(comma != nullptr ? TextFormat::kDecimalComma : TextFormat::kDecimalPoint, column))
    column->shown_by = shown->name;
}

Result<> TextImport::TakeBatch(const RecordSource& source, const RecordBatch& batch,
                               const std::vector<std::size_t>& map) {
  if (!counting_ && !decided_ && !Fits(batch, map)) {
    // How numbers are written is said by all of them together: a plan does not tell what the first
    // ones could be besides.
    from_start_ = rows_ > 0 && std::any_of(columns_.begin(), columns_.end(), [](const Column& c) {
                    return c.plan.type == Type::kDouble || c.seems.count > 0;
                  });
    if (from_start_) return {};
    StartCounting();
  }
  if (counting_) {
    Count(batch, map);
    return {};
  }
  return Convert(source, batch, map);
}

bool TextImport::Fits(const RecordBatch& batch, const std::vector<std::size_t>& map) {
  for (std::size_t i = 0; i < map.size(); ++i) {
    Column& column = columns_[map[i]];
    const ColumnPlan& plan = column.plan;
    if (column.seems.count > 0 && rows_ > 0) return false;
    if (plan.type == Type::kText && !plan.undecided) continue;  // everything is text
    ColumnPlan other = plan;
    other.format =
        plan.format == TextFormat::kDayFirst ? TextFormat::kMonthFirst : TextFormat::kDayFirst;
    const bool slash = plan.type == Type::kDate && plan.format != TextFormat::kUsual;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      const RawCell& cell = batch.cells[row * batch.width + i];
      if (ParseCell(cell, plan).outcome == CellOutcome::kBad) return false;
      if (slash && column.ambiguous_date)
        column.ambiguous_date = ParseCell(cell, other).outcome != CellOutcome::kBad;
    }
  }
  return true;
}

void TextImport::StartCounting() {
  counting_ = true;
  pending_ = {};
  origins_.clear();
  for (Column& column : columns_) {
    // Cells of a text column were not looked at closely, but the first of them were no numbers: it
    // stays text.
    KindSet known = KindsOf(column.plan);
    if (column.ambiguous_date && (known & (kMonthFirstKind | kDayFirstKind)) != 0)
      known |= kMonthFirstKind | kDayFirstKind;
    column.counts.AddKnown(known, column.good);
  }
}

void TextImport::Count(const RecordBatch& batch, const std::vector<std::size_t>& map) {
  for (std::size_t i = 0; i < map.size(); ++i) {
    KindCounts& counts = columns_[map[i]].counts;
    for (std::size_t row = 0; row < batch.rows(); ++row)
      counts.Add(batch.cells[row * batch.width + i], decimal_point_);
  }
}

// For --bad quarantine: a row is kept when each of its cells can be read.
std::vector<unsigned char> TextImport::RowsToKeep(const RecordSource& source,
                                                  const RecordBatch& batch,
                                                  const std::vector<std::size_t>& map) {
  std::vector<unsigned char> keep(batch.rows(), 1);
  for (std::size_t i = 0; i < map.size(); ++i) {
    const Column& column = columns_[map[i]];
    if (column.bad == 0) continue;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      const RawCell& cell = batch.cells[row * batch.width + i];
      if (keep[row] == 0 || ParseCell(cell, column.plan).outcome != CellOutcome::kBad) continue;
      keep[row] = 0;
      Quarantine({source.file(), batch.lines[row],
                  fmt::format("`{}` is not {}: {}", column.name, NounOf(column.plan.type),
                              Shown(cell.view())),
                  std::string(batch.texts[row].substr(0, 4096))});
    }
  }
  return keep;
}

Result<> TextImport::Convert(const RecordSource& source, const RecordBatch& batch,
                             const std::vector<std::size_t>& map) {
  std::vector<unsigned char> keep;
  if (options_.bad == BadCells::kQuarantine && decided_) keep = RowsToKeep(source, batch, map);
  std::vector<unsigned char> filled(columns_.size(), 0);
  for (std::size_t i = 0; i < map.size(); ++i) {
    Column& column = columns_[map[i]];
    table::Column& out = pending_.columns[map[i]];
    filled[map[i]] = 1;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (!keep.empty() && keep[row] == 0) continue;
      const RawCell& cell = batch.cells[row * batch.width + i];
      const CellValue value = ParseCell(cell, column.plan);
      if (value.outcome == CellOutcome::kValue) {
        ++column.good;
        if (column.plan.type == Type::kText) {
          out.PushText(value.text);
          column.nested = column.nested || (cell.kind == CellKind::kJsonOther &&
                                            (value.text[0] == '{' || value.text[0] == '['));
        } else if (column.plan.type == Type::kDouble) {
          out.PushDouble(value.d);
        } else {
          out.PushInt(value.i);
        }
        continue;
      }
      if (value.outcome == CellOutcome::kBad && !column.plan.undecided) {
        if (options_.bad == BadCells::kError) return BadCell(source, batch, row, cell, column);
        ++report_.cells_nulled;
      }
      if (value.outcome == CellOutcome::kMissingToken) {
        const std::string_view token = Trim(cell.view());
        const auto found = column.tokens.find(token);
        if (found != column.tokens.end()) {
          ++found->second;
        } else if (column.tokens.size() < kTokensMax) {
          column.tokens.emplace(token, 1);
        }
      }
      out.PushNull();
    }
  }
  const std::size_t rows = keep.empty()
                               ? batch.rows()
                               : static_cast<std::size_t>(std::count(keep.begin(), keep.end(), 1));
  for (std::size_t i = 0; i < columns_.size(); ++i) {  // JSON: members that this file does not have
    if (filled[i] != 0) continue;
    for (std::size_t row = 0; row < rows; ++row) pending_.columns[i].PushNull();
  }
  if (options_.bad == BadCells::kQuarantine) {
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (keep.empty() || keep[row] != 0) origins_.push_back({file_, batch.lines[row]});
    }
  }
  const bool full = static_cast<std::int64_t>(pending_.rows()) >= options_.chunk_rows_max ||
                    FrameBytes(pending_) >= options_.chunk_bytes_max;
  return full ? Flush() : Result<>();
}

Result<> TextImport::Flush() {
  if (pending_.rows() == 0) return {};
  const Schema schema = pending_.schema();
  sink_.Origins(std::exchange(origins_, {}));
  GYRE_DO(sink_.Chunk(pending_));
  pending_ = EmptyFrame(schema);
  return {};
}

void TextImport::Quarantine(BadRow row) {
  ++report_.rows_quarantined;
  if (report_.quarantine.size() < kQuarantineMax) report_.quarantine.push_back(std::move(row));
}

// Records that the source itself could not fit.
Result<> TextImport::SetAside(RecordSource& source) {
  for (BadRecord& record : source.TakeBadRecords()) {
    if (options_.bad == BadCells::kNull && formats_[0] == FileFormat::kCsv) {
      ++report_.cells_nulled;
      continue;
    }
    Quarantine({source.file(), record.line, std::move(record.reason), std::move(record.text)});
    ++rows_;  // counted as seen; subtracted again as quarantined
  }
  return {};
}

Error TextImport::BadCell(const RecordSource& source, const RecordBatch& batch, std::size_t row,
                          const RawCell& cell, const Column& column) const {
  std::int64_t line = batch.lines[row];
  std::int64_t at = 1;
  for (const char c : batch.texts[row].substr(0, cell.at)) {
    if (c == '\n') {
      ++line;
      at = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++at;  // characters, not bytes
    }
  }
  const std::string shown_rows = GroupDigits(rows_total_), shown_bad = GroupDigits(column.bad);
  const std::string& command = options_.command;
  std::string why = column.given ? fmt::format("{} says that `{}` is {}", column.given_by,
                                               column.name, PlanWords(column.plan))
                                 : fmt::format("the other {} values are, so `{}` was read as {}",
                                               GroupDigits(column.filled - column.bad), column.name,
                                               TypeName(column.plan.type));
  return InvalidArgument("GY2041", "column `{}` is not {} in {} of {} rows", column.name,
                         NounOf(column.plan.type), shown_bad, shown_rows)
      .Where(fmt::format("{}:{}:{}    {}", source.file(), line, at, Shown(Trim(cell.view()))))
      .Why(std::move(why))
      .Fix(fmt::format("{} --bad null          ({} {} missing)", command, shown_bad,
                       column.bad == 1 ? "cell becomes" : "cells become"))
      .Fix(
          fmt::format("{} --bad quarantine    (such rows are set aside, with the reason)", command))
      .Fix(fmt::format("{} --type {}     (keep it as text)", command,
                       ShellWord(column.name + "=text")));
}

void TextImport::Progress(const RecordSource& source) {
  if (!options_.progress || report_.bytes == 0) return;
  const double done =
      static_cast<double>(size_before_ + source.bytes_read()) / static_cast<double>(report_.bytes);
  // A pass that only counts is the first half of two.
  const double fraction = counting_ ? done / 2 : decided_ ? 0.5 + done / 2 : done;
  options_.progress(std::min(1.0, fraction), rows_);
}

}  // namespace gyre::table
