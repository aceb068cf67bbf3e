// SQL that a person wrote, over tables that we chose: one SELECT, in a DuckDB that may open exactly
// the named files and nothing else. No other files, no network, no settings, no writing. Run it in
// a worker process: the memory limit is DuckDB's own, not the system's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/table/frame.h"

namespace gyre::table {

struct SqlTable {
  std::string name;  // in FROM; quoted there when it is not a plain word: FROM "churn:v2"
  std::vector<std::string> paths;  // Parquet files
};

struct SqlOptions {
  std::int64_t rows_max = 10'000;            // of the answer; more rows are cut off and said so
  std::int64_t result_bytes_max = 64 << 20;  // of the answer in memory; cut off too
  std::int64_t memory_bytes_max = 1 << 30;
  std::int64_t timeout_ms = 60'000;
  int threads = 1;
  std::string scratch_directory = {};  // for spilling; empty = memory only
  std::function<bool()> cancelled = {};
};

struct SqlResult {
  Frame frame;             // sums of whole numbers are exact: int, or text beyond 64 bits
  bool truncated = false;  // rows_max or result_bytes_max was reached
};

// Errors: kInvalidArgument GY2010 empty, GY2011 not exactly one SELECT, GY2002 what DuckDB says of
// it; kPermissionDenied GY2013 other files; kResourceExhausted GY2012 out of memory;
// kPermissionDenied GY2018 settings and
// catalogue; kInvalidArgument GY2017 no such table; kDeadlineExceeded GY2016; kCancelled GY2003.
Result<SqlResult> RunSql(const std::vector<SqlTable>& tables, const std::string& sql,
                         const SqlOptions& options);

}  // namespace gyre::table
