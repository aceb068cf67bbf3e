// Reads tables from files into frames: Parquet through DuckDB (loaded at the first call), CSV and
// JSON lines through our own scanners. For worker tasks and tests: the process that answers
// requests does not call these. Functions are thread-safe; each call stands alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/table/frame.h"

namespace gyre::table {

struct ReadOptions {
  std::vector<std::string> columns = {};  // only these, in this order; empty = all
  std::string select = {};                // SQL of ours in the place of column names
  std::int64_t rows_max = -1;             // stop after so many rows; negative = all
  std::function<bool()> cancelled =
      {};  // asked between chunks; true ends the call with kCancelled GY2003
  std::int64_t memory_bytes_max = 1 << 30;  // of DuckDB's own buffers, beside the frame
};

// The rows of all files in the order of `paths`. Types beyond table::Type are mapped: other
// integers to int (int128 to double), decimal and float to double, every timestamp to timestamp
// (UTC), everything else (lists, structs, times, enums, uuids) to its text. Errors: kNotFound
// GY1320 DuckDB is not installed, kInvalidArgument GY2002 not a readable Parquet file or a column
// that is not there, kNotFound GY2004 no such file.
Result<Frame> ReadParquet(const std::vector<std::string>& paths, const ReadOptions& options = {});

// The same, at most `rows_per_chunk` rows at a time, in constant memory.
using ChunkCallback = std::function<Result<>(Frame& chunk)>;
Result<> ForEachParquetChunk(const std::vector<std::string>& paths, const ReadOptions& options,
                             std::int64_t rows_per_chunk, const ChunkCallback& callback);

struct ParquetInfo {
  std::int64_t rows = 0;
  Schema schema;
};
Result<ParquetInfo> ReadParquetInfo(const std::vector<std::string>& paths);
Result<std::int64_t> ParquetRowCount(const std::vector<std::string>& paths);

// Reads a column of any numeric kind (bool, int, double, date as days, timestamp as microseconds)
// as doubles; missing and text give NaN.
std::vector<double> AsDoubles(const Column& column);
// The text of one value as a person would write it: "12", "0.5", "2011-01-01", "true"; "" when
// missing.
std::string CellText(const Column& column, std::size_t row);
// One number per row from the values of all columns, in their order.
std::vector<std::uint64_t> RowHashes(const Frame& frame);

}  // namespace gyre::table
