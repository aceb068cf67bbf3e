// Writes frames: Parquet through DuckDB, CSV and JSON lines as text.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "platform/table/frame.h"

namespace gyre::table {

struct ParquetOptions {
  std::int64_t row_group_rows = 122'880;
  int compression_level = 3;  // zstd
};
// One Parquet file (zstd). The same frame gives the same bytes. The file is not synced: the blob
// store does that. Errors: kNotFound GY1320, kOutOfSpace, kInvalidArgument GY2005 for a frame
// without columns.
Result<> WriteParquet(const Frame& frame, const std::string& path,
                      const ParquetOptions& options = {});

// Several Parquet files into one, without loading them at once.
Result<> MergeParquet(const std::vector<std::string>& paths, const std::string& out_path);

// RFC 4180 text with a header line: quotes only where needed, missing values empty, empty text ""
// in quotes.
void AppendCsvHeader(const Schema& schema, std::string* out);
void AppendCsvRows(const Frame& frame, std::string* out);
// One JSON object a line; missing values are null.
void AppendJsonLines(const Frame& frame, std::string* out);
// One value as JSON: dates and timestamps as text.
void AppendJsonCell(const Column& column, std::size_t row, std::string* out);
// {"columns": [{"name","type"}], "rows": [[...], ...]}; NaN and infinities as "NaN", "Infinity" and
// "-Infinity"
Json FrameToJson(const Frame& frame);

}  // namespace gyre::table
