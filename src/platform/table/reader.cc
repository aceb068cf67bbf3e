#include "platform/table/reader.h"

#include <unistd.h>

#include <limits>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/table/append.h"
#include "platform/table/duckdb_session.h"

namespace gyre::table {

namespace {
Result<> CheckReadable(const std::vector<std::string>& paths) {
  if (paths.empty()) return InvalidArgument("GY2004", "no file was named");
  for (const std::string& path : paths) {
    if (access(path.c_str(), R_OK) != 0)
      return NotFound("GY2004", "the file {} cannot be read", path);
  }
  return {};
}

std::string SelectFrom(const std::vector<std::string>& paths, const ReadOptions& options) {
  std::string columns = options.columns.empty() ? "*" : "";
  if (!options.select.empty()) columns = options.select;
  for (const std::string& name : options.columns) {
    if (!columns.empty()) columns += ", ";
    columns += SqlName(name);
  }
  std::string sql = fmt::format("SELECT {} FROM read_parquet({})", columns, SqlStringList(paths));
  if (options.rows_max >= 0) sql += fmt::format(" LIMIT {}", options.rows_max);
  return sql;
}

// Missing columns by name, before DuckDB says it in its own way.
Result<> CheckColumns(DuckDb& db, const std::vector<std::string>& paths,
                      const ReadOptions& options) {
  if (options.columns.empty()) return {};
  Schema schema;
  const auto take_schema = [&](const Schema& s) -> Result<> {
    schema = s;
    return {};
  };
  GYRE_DO(db.Query(fmt::format("SELECT * FROM read_parquet({}) LIMIT 0", SqlStringList(paths)), {},
                   take_schema, [](Frame&) -> Result<bool> { return true; }));
  std::vector<std::string> names;
  for (const Field& field : schema) names.push_back(field.name);
  for (const std::string& wanted : options.columns) {
    bool found = false;
    for (const std::string& name : names) found = found || name == wanted;
    if (found) continue;
    Error error = InvalidArgument("GY2002", "there is no column `{}`", wanted);
    if (const auto close = ClosestMatch(wanted, names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return error;
  }
  return {};
}
}  // namespace

Result<> ForEachParquetChunk(const std::vector<std::string>& paths, const ReadOptions& options,
                             std::int64_t rows_per_chunk, const ChunkCallback& callback) {
  GYRE_DO(CheckReadable(paths));
  GYRE_TRY(const auto db,
           DuckDb::Open(
               {.threads = 1, .memory_bytes_max = options.memory_bytes_max, .temp_directory = ""}));
  GYRE_DO(CheckColumns(*db, paths, options));
  Frame pending;
  DuckDb::QueryOptions query_options;
  query_options.cancelled = options.cancelled;
  const auto take_schema = [&](const Schema& schema) -> Result<> {
    pending = EmptyFrame(schema);
    return {};
  };
  GYRE_DO(db->Query(SelectFrom(paths, options), query_options, take_schema,
                    [&](Frame& chunk) -> Result<bool> {
                      AppendFrame(chunk, &pending);
                      if (static_cast<std::int64_t>(pending.rows()) >= rows_per_chunk) {
                        const Schema schema = pending.schema();
                        GYRE_DO(callback(pending));
                        pending = EmptyFrame(schema);
                      }
                      return true;
                    }));
  // Also called once for a table without rows, so that the caller sees its columns.
  if (pending.rows() > 0 || !pending.columns.empty()) GYRE_DO(callback(pending));
  return {};
}

Result<Frame> ReadParquet(const std::vector<std::string>& paths, const ReadOptions& options) {
  Frame frame;
  GYRE_DO(ForEachParquetChunk(paths, options, std::numeric_limits<std::int64_t>::max(),
                              [&](Frame& chunk) -> Result<> {
                                frame = std::move(chunk);
                                return {};
                              }));
  return frame;
}

Result<ParquetInfo> ReadParquetInfo(const std::vector<std::string>& paths) {
  GYRE_DO(CheckReadable(paths));
  GYRE_TRY(const auto db, DuckDb::Open({}));
  ParquetInfo info;
  const auto take_schema = [&](const Schema& schema) -> Result<> {
    info.schema = schema;
    return {};
  };
  const std::string list = SqlStringList(paths);
  GYRE_DO(db->Query(fmt::format("SELECT * FROM read_parquet({}) LIMIT 0", list), {}, take_schema,
                    [](Frame&) -> Result<bool> { return true; }));
  GYRE_DO(db->Query(fmt::format("SELECT count(*) FROM read_parquet({})", list), {}, nullptr,
                    [&](Frame& frame) -> Result<bool> {
                      info.rows = frame.columns[0].ints[0];
                      return true;
                    }));
  return info;
}

Result<std::int64_t> ParquetRowCount(const std::vector<std::string>& paths) {
  GYRE_TRY(const ParquetInfo info, ReadParquetInfo(paths));
  return info.rows;
}

std::vector<double> AsDoubles(const Column& column) {
  if (column.type == Type::kDouble && column.valid.empty()) return column.doubles;
  std::vector<double> values(column.size(), std::numeric_limits<double>::quiet_NaN());
  if (column.type == Type::kText) return values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!column.IsValid(i)) continue;
    values[i] =
        column.type == Type::kDouble ? column.doubles[i] : static_cast<double>(column.ints[i]);
  }
  return values;
}

std::string CellText(const Column& column, std::size_t row) {
  if (!column.IsValid(row)) return {};
  switch (column.type) {
    case Type::kBool:
      return column.ints[row] != 0 ? "true" : "false";
    case Type::kInt:
      return std::to_string(column.ints[row]);
    case Type::kDouble:
      return fmt::format("{}", column.doubles[row]);
    case Type::kText:
      return std::string(column.text[row]);
    case Type::kDate:
      return DateText(column.ints[row]);
    case Type::kTimestamp:
      return FormatTime(column.ints[row]);
  }
  return {};
}

std::vector<std::uint64_t> RowHashes(const Frame& frame) {
  std::vector<std::uint64_t> hashes(frame.rows(), 0);
  for (const Column& column : frame.columns) {
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      hashes[i] = Xxh3(column.IsValid(i) ? CellText(column, i) : std::string(1, '\0'), hashes[i]);
    }
  }
  return hashes;
}

}  // namespace gyre::table
