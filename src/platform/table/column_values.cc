#include "platform/table/column_values.h"

#include <algorithm>

#include "base/text.h"
#include "platform/table/duckdb_session.h"

namespace gyre::table {
namespace {

std::string AsDouble(const Field& field) {
  const std::string name = SqlName(field.name);
  std::string value = name;
  if (field.type == Type::kDate)
    value = fmt::format("(CAST({} AS DATE) - DATE '1970-01-01')", name);
  if (field.type == Type::kTimestamp) value = fmt::format("epoch_us({})", name);
  return fmt::format("CAST({} AS DOUBLE)", value);
}

void AppendValid(const double* values, const std::uint64_t* validity, std::size_t rows,
                 NumberColumn* column) {
  if (validity == nullptr) {
    column->values.insert(column->values.end(), values, values + rows);
    return;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    if (((validity[i / 64] >> (i % 64)) & 1) != 0)
      column->values.push_back(values[i]);
    else
      ++column->missing;
  }
}

}  // namespace

ColumnReader::ColumnReader(Options options, std::unique_ptr<DuckDb> db)
    : options_(std::move(options)), db_(std::move(db)) {}
ColumnReader::~ColumnReader() = default;

Result<std::unique_ptr<ColumnReader>> ColumnReader::Open(Options options) {
  GYRE_TRY(auto db, DuckDb::Open({.threads = 1,
                                  .memory_bytes_max = options.memory_bytes_max,
                                  .temp_directory = options.scratch_directory}));
  // A column at a time means the same footer again and again; its rows may come in any order.
  GYRE_DO(db->Execute("SET parquet_metadata_cache=true"));
  GYRE_DO(db->Execute("SET preserve_insertion_order=false"));
  // NOLINTNEXTLINE: the constructor is private
  return std::unique_ptr<ColumnReader>(new ColumnReader(std::move(options), std::move(db)));
}

Result<> ColumnReader::Numbers(const std::vector<std::string>& paths, const Schema& columns,
                               std::vector<NumberColumn>* numbers) {
  std::vector<std::string> expressions;
  for (const Field& field : columns) expressions.push_back(AsDouble(field));
  numbers->resize(columns.size());
  for (NumberColumn& column : *numbers) {
    column.values.clear();
    column.missing = 0;
  }
  const DuckDbApi& api = db_->api();
  return db_->QueryVectors(
      fmt::format("SELECT {} FROM read_parquet({})", Join(expressions, ", "), SqlStringList(paths)),
      options_.cancelled, [&](duckdb_data_chunk chunk) -> Result<> {
        const std::size_t rows = api.duckdb_data_chunk_get_size(chunk);
        for (std::size_t i = 0; i < numbers->size(); ++i) {
          const duckdb_vector vector = api.duckdb_data_chunk_get_vector(chunk, i);
          AppendValid(static_cast<const double*>(api.duckdb_vector_get_data(vector)),
                      api.duckdb_vector_get_validity(vector), rows, &(*numbers)[i]);
        }
        return {};
      });
}

Result<ValueCounts> ColumnReader::Count(const std::vector<std::string>& paths,
                                        const std::string& column, std::size_t values_max) {
  ValueCounts counts;
  DuckDb::QueryOptions options;
  options.cancelled = options_.cancelled;
  GYRE_DO(db_->Query(
      fmt::format("SELECT CAST({} AS VARCHAR) AS v, count(*) AS n FROM read_parquet({}) GROUP BY v",
                  SqlName(column), SqlStringList(paths)),
      options, nullptr, [&](Frame& frame) -> Result<bool> {
        for (std::size_t i = 0; i < frame.rows(); ++i) {
          const std::int64_t count = frame.columns[1].ints[i];
          if (!frame.columns[0].IsValid(i))
            counts.missing = count;
          else if (counts.values.size() < values_max)
            counts.values.emplace_back(frame.columns[0].text[i], count);
          else
            counts.cut_off = true;
        }
        return true;
      }));
  return counts;
}

}  // namespace gyre::table
