#include "platform/table/import.h"

#include <algorithm>

#include "base/text.h"
#include "platform/table/append.h"
#include "platform/table/csv_records.h"
#include "platform/table/parquet_columns.h"
#include "platform/table/partitions.h"
#include "platform/table/reader.h"
#include "platform/table/text_import.h"

namespace gyre::table {

namespace {
// By content; a name that ends in csv or tsv wins over a first character that looks like JSON.
Result<FileFormat> GuessFormat(const SourceFile& file) {
  GYRE_TRY(const auto bytes, OpenBytes(file.path, file.name));
  char head[64];
  GYRE_TRY(const std::size_t got, bytes->Read(head, sizeof head));
  std::string_view text(head, got);
  if (text.empty())
    return InvalidArgument("GY2031", "{} is empty", file.name)
        .Fix("add a file with a header line and rows");
  const std::string name = ToLower(file.name);
  // A damaged one is better named than read as text.
  if (text.starts_with("PAR1") || name.ends_with(".parquet")) return FileFormat::kParquet;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (name.find(".csv") != std::string::npos || name.find(".tsv") != std::string::npos)
    return FileFormat::kCsv;
  text = Trim(text);
  if (text.starts_with('{')) return FileFormat::kJson;
  if (text.starts_with('[')) {
    const std::string_view inside = Trim(text.substr(1));
    if (inside.empty() || inside.front() == '{' || inside.front() == ']') return FileFormat::kJson;
  }
  const bool named_json =
      name.find(".json") != std::string::npos || name.find(".ndjson") != std::string::npos;
  return named_json ? FileFormat::kJson : FileFormat::kCsv;
}

bool HasTableEnding(std::string_view name) {
  std::string lower = ToLower(name);
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (lower.ends_with(packed)) lower.resize(lower.size() - packed.size());
  }
  const std::string_view ending = std::string_view(lower).substr(lower.rfind('.') + 1);
  return ending == "txt" || ending == "dat" || ending == "tab" || ParseFileFormat(ending);
}

// A script or a letter parts into no columns either: what only its text says is no table.
Result<> CheckIsTable(const std::vector<SourceFile>& files, const ImportOptions& options,
                      const ImportReport& report) {
  if (options.format || !options.types.empty() || report.schema.size() != 1 ||
      report.schema[0].type != Type::kText)
    return {};
  for (const SourceFile& file : files) {
    if (HasTableEnding(file.name)) continue;
    return InvalidArgument("GY2040", "{} does not look like a table", file.name)
        .Where(file.name + ":1    " + report.schema[0].name.substr(0, 60))
        .Why(
            "nothing parts its lines into columns, and its name does not end in .csv, .tsv, .txt, "
            ".json, .jsonl or .parquet")
        .Fix(options.command + " --format csv    (one column of text)");
  }
  return {};
}

Result<> CheckGiven(const ImportOptions& options, const std::vector<std::string>& names) {
  if (options.types_may_miss) return {};
  for (const Field& given : options.types) {
    if (std::find(names.begin(), names.end(), given.name) != names.end()) continue;
    Error error =
        InvalidArgument("GY2037", "--type names the column `{}`, which is not there", given.name);
    if (const auto close = ClosestMatch(given.name, names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return error;
  }
  return {};
}

// A typed column as another type, through its text.
Result<Column> Cast(const Column& column, const Field& to, const ImportOptions& options,
                    ImportReport* report) {
  ColumnPlan plan;
  plan.type = to.type;
  if (const auto format = options.formats.find(to.name); format != options.formats.end())
    plan.SetFormat(format->second);
  Column out;
  out.name = column.name;
  out.type = to.type;
  std::int64_t bad_count = 0;
  std::string first;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (!column.IsValid(row)) {
      out.PushNull();
      continue;
    }
    const std::string text = CellText(column, row);
    const CellValue value = ParseCell(
        {text.data(), static_cast<std::uint32_t>(text.size()), 0, CellKind::kQuoted}, plan);
    if (to.type == Type::kText) {
      out.PushText(text);
    } else if (value.outcome == CellOutcome::kValue) {
      if (to.type == Type::kDouble) out.PushDouble(value.d);
      if (to.type != Type::kDouble) out.PushInt(value.i);
    } else {
      out.PushNull();
      if (value.outcome == CellOutcome::kBad && bad_count++ == 0) first = text;
    }
  }
  if (bad_count > 0 && options.bad == BadCells::kError) {
    return InvalidArgument("GY2041", "column `{}` is not {} in {} of {} rows", to.name,
                           TypeName(to.type), GroupDigits(bad_count),
                           GroupDigits(static_cast<std::int64_t>(column.size())))
        .Where(fmt::format("\"{}\"", first))
        .Why(fmt::format("{} says that `{}` is {}", options.types_by, to.name, TypeName(to.type)))
        .Fix(options.command + " --bad null    (such cells become missing)");
  }
  report->cells_nulled += bad_count;
  return out;
}

// What DuckDB says of a file names our copy of it and quotes the statement that we asked.
Error OfParquet(const Error& error, const SourceFile& file) {
  if (error.gy() != "GY2002") return Error(error).Context("reading " + file.name);
  std::string said = error.message();
  for (std::size_t at = said.find(file.path); at != std::string::npos;) {
    said.replace(at, file.path.size(), file.name);
    at = said.find(file.path, at + file.name.size());
  }
  return InvalidArgument("GY2039", "{} is a damaged Parquet file, or of a kind that cannot be read",
                         file.name)
      .Why(said)
      .Fix("copy or write the file again, and add that: it may have been cut off on its way");
}

// The columns of all files, which must be alike, and their rows together.
Result<ParquetInfo> InfoOfAll(const std::vector<SourceFile>& files) {
  ParquetInfo all;
  for (const SourceFile& file : files) {
    Result<ParquetInfo> info = ReadParquetInfo({file.path});
    if (!info) return OfParquet(info.error(), file);
    if (all.schema.empty()) all.schema = info->schema;
    if (all.schema != info->schema) {
      return InvalidArgument("GY2038", "{} does not have the columns of {}", file.name,
                             files[0].name)
          .Why("the files of a folder become one table; they must have the same columns and types")
          .Fix("add the files one by one, each under its own --name");
    }
    all.rows += info->rows;
  }
  return all;
}

// Numbers in Parquet have no unit.
void NoteUnits(const ImportOptions& options, ImportReport* report) {
  const bool joins = !options.known.name.empty();
  for (const Field& field : report->schema) {
    const Formats& formats = joins ? options.known.formats : options.formats;
    const auto before = formats.find(field.name);
    if (before == formats.end() || before->second.unit < 0) continue;
    if (field.type != Type::kDouble && field.type != Type::kInt) continue;
    report->notes.push_back(UnitNote(field.name, -1, before->second.unit,
                                     joins ? options.known.name : options.types_by));
  }
}

Result<ImportReport> ImportParquet(const std::vector<SourceFile>& files,
                                   const ImportOptions& options, ImportSink& sink) {
  ImportReport report;
  report.format = "Parquet";
  GYRE_TRY(const ParquetInfo info, InfoOfAll(files));
  report.schema = info.schema;
  const std::int64_t total = info.rows;
  if (total == 0)
    return InvalidArgument("GY2031", "{} has no rows", files[0].name)
        .Fix("add a file that has rows");
  std::vector<std::string> paths;
  for (const SourceFile& file : files) paths.push_back(file.path);
  GYRE_TRY(ParquetColumns planned, PlanParquetColumns(paths, options.types));
  report.notes = std::move(planned.notes);
  for (Field& field : report.schema) {
    const auto type = planned.types.find(field.name);
    if (type != planned.types.end()) field.type = type->second;
  }
  GYRE_TRY(const auto partitions, PartitionColumns::AddTo(&report.schema, files));
  std::vector<std::string> names;
  for (const Field& field : report.schema) names.push_back(field.name);
  GYRE_DO(CheckColumnNames(&names, files[0].name));
  for (std::size_t i = 0; i < names.size(); ++i) report.schema[i].name = names[i];
  GYRE_DO(CheckGiven(options, names));
  for (Field& field : report.schema) {
    for (const Field& given : options.types) {
      if (given.name == field.name) field.type = given.type;
    }
  }
  NoteUnits(options, &report);
  GYRE_DO(sink.Begin(report.schema));
  // About as many rows as fit into a chunk, by a guess of 16 bytes a cell.
  const auto width = static_cast<std::int64_t>(report.schema.size());
  const std::int64_t rows_per_chunk = std::clamp<std::int64_t>(
      options.chunk_bytes_max / (16 * width), 2048, options.chunk_rows_max);
  for (const SourceFile& file : files) {
    ReadOptions read;
    read.cancelled = options.cancelled;
    read.select = planned.select;
    const Result<> done =
        ForEachParquetChunk({file.path}, read, rows_per_chunk, [&](Frame& chunk) -> Result<> {
          if (chunk.rows() == 0) return {};
          partitions.AppendTo(file, &chunk);
          for (std::size_t i = 0; i < chunk.columns.size(); ++i) {
            chunk.columns[i].name = names[i];
            if (chunk.columns[i].type == report.schema[i].type) continue;
            GYRE_TRY(chunk.columns[i], Cast(chunk.columns[i], report.schema[i], options, &report));
          }
          report.rows += static_cast<std::int64_t>(chunk.rows());
          if (options.progress)
            options.progress(static_cast<double>(report.rows) / static_cast<double>(total),
                             report.rows);
          return sink.Chunk(chunk);
        });
    if (!done) return OfParquet(done.error(), file);
  }
  if (report.cells_nulled > 0)
    report.notes.push_back(
        fmt::format("{} bad cells became missing", GroupDigits(report.cells_nulled)));
  return report;
}

class Collector : public ImportSink {
 public:
  Result<> Begin(const Schema& schema) override {
    frame_ = EmptyFrame(schema);
    return {};
  }
  Result<> Chunk(Frame& frame) override {
    if (frame_.rows() == 0) {
      frame_ = std::move(frame);
    } else {
      AppendFrame(frame, &frame_);
    }
    return {};
  }
  Frame Take() { return std::move(frame_); }

 private:
  Frame frame_;
};

Result<ImportReport> ReadFiles(const std::vector<SourceFile>& files, const ImportOptions& options,
                               ImportSink& sink) {
  if (files.empty()) return InvalidArgument("GY2031", "there is no file to read");
  std::vector<FileFormat> formats;
  bool parquet = true, text = true;
  for (const SourceFile& file : files) {
    GYRE_TRY(const FileFormat format,
             options.format ? Result<FileFormat>(*options.format) : GuessFormat(file));
    formats.push_back(format);
    parquet = parquet && format == FileFormat::kParquet;
    text = text && format != FileFormat::kParquet;
  }
  if (parquet) return ImportParquet(files, options, sink);
  if (!text) {
    return InvalidArgument("GY2038", "the folder holds Parquet files and other files")
        .Fix("add the files one by one, each under its own --name");
  }
  GYRE_TRY(ImportReport report, TextImport(files, std::move(formats), options, sink).Run());
  std::vector<std::string> names;
  for (const Field& field : report.schema) names.push_back(field.name);
  GYRE_DO(CheckGiven(options, names));
  GYRE_DO(CheckIsTable(files, options, report));
  return report;
}
}  // namespace

std::optional<FileFormat> ParseFileFormat(std::string_view name) {
  if (name == "csv" || name == "tsv") return FileFormat::kCsv;
  if (name == "json" || name == "jsonl" || name == "ndjson") return FileFormat::kJson;
  if (name == "parquet") return FileFormat::kParquet;
  return std::nullopt;
}

Result<ImportReport> ImportFiles(const std::vector<SourceFile>& files, const ImportOptions& options,
                                 ImportSink& sink) {
  GYRE_TRY(ImportReport report, ReadFiles(files, options, sink));
  NotePartitions(files, &report.notes);
  return report;
}

Result<ImportedFrame> ImportFrame(const std::vector<SourceFile>& files,
                                  const ImportOptions& options) {
  Collector collector;
  GYRE_TRY(ImportReport report, ImportFiles(files, options, collector));
  return ImportedFrame{collector.Take(), std::move(report)};
}

}  // namespace gyre::table
