#include "platform/table/sql.h"

#include <atomic>
#include <limits>

#include "base/shell.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/exec/thread_pool.h"
#include "platform/table/append.h"
#include "platform/table/duckdb_session.h"
#include "platform/table/sql_guard.h"

namespace gyre::table {

namespace {
// The order matters: the allowed files must be named before external access is turned off, and the
// lock comes last.
Result<> LockDown(DuckDb& db, const std::vector<SqlTable>& tables, const std::string& scratch) {
  std::vector<std::string> paths;
  for (const SqlTable& table : tables)
    paths.insert(paths.end(), table.paths.begin(), table.paths.end());
  const std::string home = scratch.empty() ? "/nonexistent" : scratch;
  std::vector<std::string> settings = {
      "SET allowed_paths=" + SqlStringList(paths),
      "SET home_directory=" + SqlString(home),
      "SET secret_directory=" + SqlString(home + "/none"),
      "SET allow_community_extensions=false",
      "SET autoinstall_known_extensions=false",
      "SET autoload_known_extensions=false",
      "SET enable_external_access=false",
      "SET lock_configuration=true",
  };
  // DuckDB spills by plain file names of its own inside this folder.
  if (!scratch.empty())
    settings.insert(settings.begin(),
                    fmt::format("SET allowed_directories=[{}]", SqlString(scratch + "/")));
  for (const std::string& setting : settings) GYRE_DO(db.Execute(setting));
  return {};
}

Result<> MakeViews(DuckDb& db, const std::vector<SqlTable>& tables) {
  for (const SqlTable& table : tables) {
    GYRE_DO(db.Execute(fmt::format("CREATE VIEW {} AS SELECT * FROM read_parquet({})",
                                   SqlName(table.name), SqlStringList(table.paths))));
  }
  return {};
}

// Says which tables there are when the query names another; DuckDB would suggest its own.
Error Explain(Error error, const std::vector<SqlTable>& tables) {
  constexpr std::string_view kBefore = "Table with name ", kBehind = " does not exist";
  const std::size_t before = error.message().find(kBefore);
  const std::size_t behind = error.message().find(kBehind);
  if (before == std::string::npos || behind == std::string::npos || behind < before) {
    if (error.gy() != "GY2002") return error;
    return std::move(error).Fix(
        tables.empty() ? "gyre datasets    (lists what may be asked)"
                       : fmt::format("gyre datasets show {}    (lists its columns and their types)",
                                     ShellWord(tables[0].name)));
  }
  const std::size_t from = before + kBefore.size();
  error = InvalidArgument("GY2017", "there is no table `{}`",
                          std::string_view(error.message()).substr(from, behind - from));
  std::vector<std::string> names;
  for (const SqlTable& table : tables) names.push_back(table.name);
  return std::move(error).Fix(names.empty() ? "add a dataset first: gyre add FILE"
                                            : "datasets named in the query: " + Join(names, ", "));
}
// Whole numbers that came as text: int where 64 bits hold them all, else every digit is kept.
void Narrow(Column* column) {
  Column narrow;
  narrow.name = column->name;
  narrow.type = Type::kInt;
  for (std::size_t row = 0; row < column->size(); ++row) {
    if (!column->IsValid(row)) {
      narrow.PushNull();
      continue;
    }
    const auto value = ParseInt(column->text[row]);
    if (!value) return;
    narrow.PushInt(*value);
  }
  *column = std::move(narrow);
}
}  // namespace

Result<SqlResult> RunSql(const std::vector<SqlTable>& tables, const std::string& sql,
                         const SqlOptions& options) {
  GYRE_DO(CheckSqlWords(sql));
  DuckDb::Options settings;
  settings.threads = options.threads;
  settings.memory_bytes_max = options.memory_bytes_max;
  settings.temp_directory = options.scratch_directory;
  GYRE_TRY(const auto db, DuckDb::Open(settings));
  GYRE_DO(MakeViews(*db, tables));
  GYRE_DO(LockDown(*db, tables, options.scratch_directory));

  const std::int64_t deadline_us = SystemClock().MonotonicMicros() + options.timeout_ms * 1000;
  std::atomic<bool> late = false, stop = false;
  // A fetch can run long without giving a chunk, so a second thread looks at the clock and
  // interrupts.
  const exec::Worker watch("sql-watch", [&](const exec::StopFlag& flag) {
    while (!flag.WaitMicros(20'000)) {
      if (SystemClock().MonotonicMicros() > deadline_us) late = true;
      if (options.cancelled && options.cancelled()) stop = true;
      if (late || stop) db->Interrupt();
    }
  });

  SqlResult result;
  DuckDb::QueryOptions query_options;
  query_options.select_only = true;
  std::vector<std::size_t> wide;
  query_options.wide = &wide;
  query_options.cancelled = [&] { return late || stop; };
  const auto take_schema = [&](const Schema& schema) -> Result<> {
    result.frame = EmptyFrame(schema);
    return {};
  };
  const Result<> done =
      db->Query(sql, query_options, take_schema, [&](Frame& chunk) -> Result<bool> {
        const std::size_t room = static_cast<std::size_t>(options.rows_max) - result.frame.rows();
        if (chunk.rows() > room) {
          std::vector<std::uint32_t> rows(room);
          for (std::size_t i = 0; i < room; ++i) rows[i] = static_cast<std::uint32_t>(i);
          AppendFrame(chunk.Select(rows), &result.frame);
          result.truncated = true;
          return false;
        }
        AppendFrame(chunk, &result.frame);
        result.truncated = FrameBytes(result.frame) > options.result_bytes_max;
        return !result.truncated;
      });
  if (late) {
    return MakeError(Code::kDeadlineExceeded, "GY2016", "the query took longer than {}",
                     HumanSeconds(static_cast<double>(options.timeout_ms) / 1000))
        .Fix("select fewer rows, or aggregate first")
        .Fix("raise the server's setting query.timeout");
  }
  if (!done) return Explain(done.error(), tables);
  for (const std::size_t i : wide) Narrow(&result.frame.columns[i]);
  return result;
}

}  // namespace gyre::table
