// RAII over DuckDB's C API, and its values as ours. Private to platform/table.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "platform/table/duckdb_api.h"
#include "platform/table/frame.h"

namespace gyre::table {

// 'it''s' and "a""b": the only two ways that a value or a name enters SQL text.
std::string SqlString(std::string_view text);
std::string SqlName(std::string_view name);
std::string SqlStringList(const std::vector<std::string>& texts);  // ['a', 'b']

class DuckDb {
 public:
  struct Options {
    int threads = 1;
    std::int64_t memory_bytes_max = 1 << 30;
    std::string temp_directory = {};  // empty = no spilling
  };
  // An in-memory database with one connection; about 8 ms.
  static Result<std::unique_ptr<DuckDb>> Open(const Options& options);
  ~DuckDb();
  DuckDb(const DuckDb&) = delete;
  DuckDb& operator=(const DuckDb&) = delete;

  const DuckDbApi& api() const { return api_; }
  duckdb_connection connection() const { return connection_; }
  void Interrupt() { api_.duckdb_interrupt(connection_); }

  // Our own statements, without rows.
  Result<> Execute(const std::string& sql);

  struct QueryOptions {
    std::function<bool()> cancelled = {};
    bool select_only = false;  // for SQL that a person wrote: exactly one SELECT without parameters
    // Where given, columns of whole numbers that may lie beyond 64 bits come as text and are named
    // here; else they are doubles.
    std::vector<std::size_t>* wide = nullptr;
  };
  // Streams the answer in frames of at most 2048 rows. The schema is given first, also when there
  // are no rows. `chunk` returns false to stop.
  Result<> Query(const std::string& sql, const QueryOptions& options,
                 const std::function<Result<>(const Schema&)>& schema,
                 const std::function<Result<bool>(Frame&)>& chunk);

  // The same for our own SELECT, with the vectors as DuckDB made them.
  Result<> QueryVectors(const std::string& sql, const std::function<bool()>& cancelled,
                        const std::function<Result<>(duckdb_data_chunk)>& chunk);

  // Makes `frame` readable as the table function `name`() while it lives. Single-threaded scan.
  Result<> RegisterFrame(const std::string& name, const Frame* frame);

 private:
  explicit DuckDb(const DuckDbApi& api) : api_(api) {}
  // Each chunk of the answer, until the end or `take` returns false.
  Result<> Fetch(duckdb_result& result, const std::function<bool()>& cancelled,
                 const std::function<Result<bool>(duckdb_data_chunk)>& take);
  Result<> Stream(duckdb_result& result, const QueryOptions& options, const Schema& schema,
                  const std::vector<int>& scales, const std::function<Result<bool>(Frame&)>& chunk);

  const DuckDbApi& api_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

// DuckDB's messages as our errors: out of memory, permission, interrupt, missing column, broken
// file.
Error DuckDbError(std::string_view message, duckdb_error_type type);

}  // namespace gyre::table
