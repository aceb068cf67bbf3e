// Files that people have -> typed frames. CSV (any usual dialect, UTF-8, UTF-16, Windows-1252),
// JSON lines or an array, Parquet; plain, gzip or zstd. Types are decided by all rows: a type
// guessed from the first rows that a later row contradicts is decided anew from the whole file,
// which is then read a second time, and a third time where it holds real numbers: how these are
// written is said by all rows, and all columns, together. Constant memory. For worker tasks.
//
// Types: bool (true, false), int, double (where all of a column agree also 1.234,5 and 1,234.5,
// with the same %, $, € or £), date (2011-12-31, 2011/12/31, 31.12.2011, 12/31/2011), timestamp
// (ISO 8601, 31.12.2011 10:00; without a zone it is UTC), text. Whole numbers with leading zeros or
// beyond 64 bits are ids and stay text. Empty cells and the words NA, N/A, NaN, NULL, ? are missing
// (in typed columns also None, - and .); a quoted word in a text column is a value. The report says
// which were met.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/table/formats.h"
#include "platform/table/frame.h"

namespace gyre::table {

enum class FileFormat : unsigned char { kCsv, kJson, kParquet };
std::optional<FileFormat> ParseFileFormat(
    std::string_view name);  // csv, tsv, json, jsonl, ndjson, parquet

struct SourceFile {
  std::string path;
  std::string name;  // shown in messages: "sales.csv"
};

// What becomes of a cell that is not of its column's type, and of a row with another number of
// cells.
enum class BadCells : unsigned char {
  kError,       // GY2041 / GY2034
  kNull,        // missing
  kQuarantine,  // the row is set aside, with the reason
};

// The table that the new rows join. Its columns' formats hold where the file itself does not say;
// with kQuarantine the types of `held` hold too, so that one bad row does not turn a column into
// text.
struct KnownTable {
  std::string name;  // "sales:v3"
  Schema schema;
  Formats formats;
  Schema held;
};

struct ImportOptions {
  std::optional<FileFormat> format = {};  // empty = by content
  BadCells bad = BadCells::kError;
  Schema types = {};     // columns whose type is given
  Formats formats = {};  // of columns with a given type: how their text is read
  KnownTable known = {};
  bool types_may_miss = false;  // a given column that the file lacks is no error
  std::optional<char> delimiter = {};
  std::optional<bool> header = {};
  std::int64_t chunk_rows_max = 1'000'000;
  std::int64_t chunk_bytes_max = 128 << 20;
  std::string types_by = "--type";        // who gave `types`, for errors
  std::string command = "gyre add FILE";  // what fixes repeat, with another option
  std::function<void(double fraction, std::int64_t rows)> progress = {};
  std::function<bool()> cancelled = {};
};

struct BadRow {
  std::string file;
  std::int64_t line = 0;
  std::string reason;  // "`age` is not int: \"thirty-one\""
  std::string text;    // as it stood in the file, at most 4 KiB
};

struct ImportReport {
  Schema schema;
  Formats formats;
  std::int64_t rows = 0, bytes = 0;
  std::string format;              // "CSV, comma separated, UTF-8"
  std::vector<std::string> notes;  // what a careful person would want to know about how it was read
  std::int64_t cells_nulled = 0;   // bad cells that became missing
  std::int64_t rows_quarantined = 0;
  std::vector<BadRow> quarantine;  // the first 10,000
};

struct RowOrigin {
  std::uint32_t file = 0;  // index among the files
  std::int64_t line = 0;
};

class ImportSink {
 public:
  virtual ~ImportSink() = default;
  // With kQuarantine, before each chunk of a text file: where its rows begin.
  virtual void Origins(std::vector<RowOrigin> /*rows*/) {}
  // Before the first chunk; called again when the reading begins anew: forget what came before.
  virtual Result<> Begin(const Schema& schema) = 0;
  virtual Result<> Chunk(Frame& frame) = 0;
};

// Errors: kInvalidArgument GY2030 to GY2041 (GY2040: one column of text that nothing calls a table)
// with file, line and column; kNotFound GY2004; kCancelled GY2003; those of the sink.
Result<ImportReport> ImportFiles(const std::vector<SourceFile>& files, const ImportOptions& options,
                                 ImportSink& sink);

// All rows in one frame.
struct ImportedFrame {
  Frame frame;
  ImportReport report;
};
Result<ImportedFrame> ImportFrame(const std::vector<SourceFile>& files,
                                  const ImportOptions& options);

}  // namespace gyre::table
