#include "platform/table/writer.h"

#include <cmath>

#include "base/time.h"
#include "platform/table/append.h"
#include "platform/table/duckdb_session.h"

namespace gyre::table {

namespace {
std::string CopyOptions(const ParquetOptions& options) {
  return fmt::format("(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {}, ROW_GROUP_SIZE {})",
                     options.compression_level, options.row_group_rows);
}

void AppendCsvText(std::string_view text, std::string* out) {
  if (!text.empty() && text.find_first_of(",\"\n\r") == std::string_view::npos &&
      text.front() != ' ' && text.back() != ' ') {
    out->append(text);
    return;
  }
  *out += '"';
  for (const char c : text) {
    if (c == '"') *out += '"';
    *out += c;
  }
  *out += '"';
}

// Everything that is written the same in CSV and JSON: numbers and booleans.
void AppendPlain(const Column& column, std::size_t row, std::string* out) {
  if (column.type == Type::kBool) {
    *out += column.ints[row] != 0 ? "true" : "false";
  } else {
    fmt::format_to(std::back_inserter(*out), "{}", column.ints[row]);
  }
}
}  // namespace

Result<> WriteParquet(const Frame& frame, const std::string& path, const ParquetOptions& options) {
  if (frame.columns.empty())
    return InvalidArgument("GY2005", "a table without columns cannot be written");
  GYRE_TRY(const auto db, DuckDb::Open({}));
  GYRE_DO(db->RegisterFrame("gyre_frame", &frame));
  return db->Execute(fmt::format("COPY (SELECT * FROM gyre_frame()) TO {} {}", SqlString(path),
                                 CopyOptions(options)));
}

Result<> MergeParquet(const std::vector<std::string>& paths, const std::string& out_path) {
  GYRE_TRY(const auto db, DuckDb::Open({}));
  return db->Execute(fmt::format("COPY (SELECT * FROM read_parquet({})) TO {} {}",
                                 SqlStringList(paths), SqlString(out_path), CopyOptions({})));
}

void AppendCsvHeader(const Schema& schema, std::string* out) {
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (i > 0) *out += ',';
    AppendCsvText(schema[i].name, out);
  }
  *out += '\n';
}

void AppendCsvRows(const Frame& frame, std::string* out) {
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    for (std::size_t i = 0; i < frame.columns.size(); ++i) {
      if (i > 0) *out += ',';
      const Column& column = frame.columns[i];
      if (!column.IsValid(row)) continue;
      if (column.type == Type::kText) {
        AppendCsvText(column.text[row], out);
      } else if (column.type == Type::kDouble) {
        fmt::format_to(std::back_inserter(*out), "{}", column.doubles[row]);
      } else if (column.type == Type::kDate) {
        *out += DateText(column.ints[row]);
      } else if (column.type == Type::kTimestamp) {
        *out += FormatTime(column.ints[row]);
      } else {
        AppendPlain(column, row, out);
      }
    }
    *out += '\n';
  }
}

void AppendJsonCell(const Column& column, std::size_t row, std::string* out) {
  if (!column.IsValid(row)) {
    *out += "null";
  } else if (column.type == Type::kText) {
    AppendJsonString(column.text[row], out);
  } else if (column.type == Type::kDouble) {
    AppendJsonNumber(column.doubles[row], out);
  } else if (column.type == Type::kDate) {
    AppendJsonString(DateText(column.ints[row]), out);
  } else if (column.type == Type::kTimestamp) {
    AppendJsonString(FormatTime(column.ints[row]), out);
  } else {
    AppendPlain(column, row, out);
  }
}

void AppendJsonLines(const Frame& frame, std::string* out) {
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    *out += '{';
    for (std::size_t i = 0; i < frame.columns.size(); ++i) {
      if (i > 0) *out += ',';
      AppendJsonString(frame.columns[i].name, out);
      *out += ':';
      AppendJsonCell(frame.columns[i], row, out);
    }
    *out += "}\n";
  }
}

namespace {
// JSON has no numbers for these; metrics are sent by the same words.
Json DoubleJson(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json CellJson(const Column& column, std::size_t row) {
  if (!column.IsValid(row)) return nullptr;
  switch (column.type) {
    case Type::kBool:
      return column.ints[row] != 0;
    case Type::kInt:
      return column.ints[row];
    case Type::kDouble:
      return DoubleJson(column.doubles[row]);
    case Type::kText:
      return column.text[row];
    case Type::kDate:
      return DateText(column.ints[row]);
    case Type::kTimestamp:
      break;
  }
  return FormatTime(column.ints[row]);
}
}  // namespace

Json FrameToJson(const Frame& frame) {
  Json rows = Json::Arr();
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    Json cells = Json::Arr();
    for (const Column& column : frame.columns) cells.Push(CellJson(column, row));
    rows.Push(std::move(cells));
  }
  return Json::Obj({{"columns", SchemaToJson(frame.schema())}, {"rows", std::move(rows)}});
}

}  // namespace gyre::table
