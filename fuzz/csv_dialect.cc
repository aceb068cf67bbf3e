// Bytes that somebody calls a table: detection and import may refuse them, but never crash, and
// what was read reads back as the same.
#include "platform/table/csv_dialect.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "platform/exec/files.h"
#include "platform/table/import.h"
#include "platform/table/reader.h"
#include "platform/table/writer.h"

namespace gyre::table {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void TryDialect(std::string_view text) {
  for (const bool cut : {false, true}) {
    const CsvDialect dialect = DetectDialect(text, cut);
    Require(std::string_view(",;\t|").find(dialect.delimiter) != std::string_view::npos);
    SplitSample(text, dialect, 50);
  }
}

const SourceFile& File() {
  static const SourceFile file = {"/dev/shm/gyre-fuzz-" + std::to_string(getpid()), "fuzz"};
  return file;
}

Result<ImportedFrame> Read(std::string_view bytes, const ImportOptions& options) {
  Require(exec::WriteFile(File().path, bytes).has_value());
  return ImportFrame({File()}, options);
}

void TryImport(std::string_view bytes, BadCells bad) {
  ImportOptions options;
  options.bad = bad;
  options.format = bytes.size() % 2 == 0 ? FileFormat::kCsv : FileFormat::kJson;
  options.chunk_rows_max = 3;
  const auto imported = Read(bytes, options);
  if (!imported) {
    Require(imported.error().code() == Code::kInvalidArgument);
    return;
  }
  const Frame& frame = imported->frame;
  Require(static_cast<std::int64_t>(frame.rows()) == imported->report.rows &&
          frame.schema() == imported->report.schema);
  // With its types given, the table written as CSV is the same table.
  std::string csv;
  AppendCsvHeader(frame.schema(), &csv);
  AppendCsvRows(frame, &csv);
  ImportOptions again;
  again.format = FileFormat::kCsv;
  again.types = frame.schema();
  again.delimiter = ',';
  again.header = true;
  const auto back = Read(csv, again);
  if (frame.columns.size() < 2 || !back)
    return;  // one empty column is a blank line, which CSV cannot tell from nothing
  Require(back->frame.rows() == frame.rows());
  for (std::size_t i = 0; i < frame.columns.size(); ++i) {
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      if (frame.columns[i].type == Type::kText) continue;
      Require(CellText(frame.columns[i], row) == CellText(back->frame.columns[i], row));
    }
  }
}

}  // namespace
}  // namespace gyre::table

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  gyre::table::TryDialect(text);
  gyre::table::TryImport(
      text, size % 3 == 0 ? gyre::table::BadCells::kQuarantine : gyre::table::BadCells::kNull);
  return 0;
}
