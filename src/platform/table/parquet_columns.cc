#include "platform/table/parquet_columns.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "platform/table/duckdb_session.h"

namespace gyre::table {

namespace {

class Planner {
 public:
  Planner(DuckDb& db, const std::vector<std::string>& paths, const Schema& given)
      : db_(db),
        from_(" FROM read_parquet(" + SqlStringList(paths) + ")"),
        paths_(paths),
        given_(given) {}

  Result<ParquetColumns> Plan() {
    std::vector<std::pair<std::string, std::string>> columns;
    GYRE_DO(db_.Query("SELECT column_name, column_type FROM (DESCRIBE SELECT *" + from_ + ")", {},
                      nullptr, [&](Frame& rows) -> Result<bool> {
                        for (std::size_t i = 0; i < rows.rows(); ++i)
                          columns.emplace_back(rows.columns[0].text[i], rows.columns[1].text[i]);
                        return true;
                      }));
    GYRE_TRY(const Json pandas, PandasColumns());
    for (const auto& [name, type] : columns) {
      GYRE_TRY(const std::string expression, ExpressionFor(name, type));
      plan_.select += (plan_.select.empty() ? "" : ", ") + expression;
      const std::string& unit = pandas[name].AsString();
      if (unit.starts_with("timedelta")) Note(name, unit, fmt::format("int: {}", UnitWords(unit)));
    }
    return std::move(plan_);
  }

 private:
  void Note(const std::string& name, std::string_view from, std::string_view to) {
    plan_.notes.push_back(fmt::format("`{}` is {} in the file and was read as {}", name, from, to));
  }

  static std::string UnitWords(const std::string& type) {
    for (const auto& [unit, words] : {std::pair{"[ns]", "nanoseconds"},
                                      {"[us]", "microseconds"},
                                      {"[ms]", "milliseconds"},
                                      {"[s]", "seconds"}}) {
      if (type.ends_with(unit)) return words;
    }
    return "its count of time units";
  }

  // Rows in which `condition` holds.
  Result<std::int64_t> Count(const std::string& condition) {
    std::int64_t count = 0;
    GYRE_DO(db_.Query("SELECT count(*)" + from_ + " WHERE " + condition, {}, nullptr,
                      [&](Frame& rows) -> Result<bool> {
                        count = rows.columns[0].ints[0];
                        return true;
                      }));
    return count;
  }

  // A duration is kept as a plain number; only pandas' own description tells it apart.
  Result<Json> PandasColumns() {
    Json types = Json::Obj();
    GYRE_DO(db_.Query(fmt::format("SELECT decode(value) FROM parquet_kv_metadata({}) "
                                  "WHERE decode(key) = 'pandas'",
                                  SqlString(paths_[0])),
                      {}, nullptr, [&](Frame& rows) -> Result<bool> {
                        for (std::size_t i = 0; i < rows.rows(); ++i) {
                          const auto pandas = Json::Parse(rows.columns[0].text[i]);
                          if (!pandas) continue;
                          for (const Json& column : (*pandas)["columns"].items())
                            types.Set(column["name"].StringOr(""), column["numpy_type"]);
                        }
                        return true;
                      }));
    return types;
  }

  Result<std::string> ExpressionFor(const std::string& name, const std::string& type) {
    const std::string column = SqlName(name);
    const auto as_text = [&](const Field& field) {
      return field.name == name && field.type == Type::kText;
    };
    if (std::any_of(given_.begin(), given_.end(), as_text)) {
      plan_.types[name] = Type::kText;
      return fmt::format("CAST({0} AS VARCHAR) AS {0}", column);
    }
    const bool whole_decimal = type.starts_with("DECIMAL(") && type.ends_with(",0)");
    if (type == "UBIGINT" || type == "HUGEINT" || type == "UHUGEINT" || whole_decimal)
      return Whole(name, type, column);
    if (type.starts_with("DECIMAL(")) return Decimal(name, type, column);
    if (type == "TIMESTAMP_NS") {
      GYRE_TRY(const auto finer, Count(fmt::format("epoch_ns({}) % 1000 <> 0", column)));
      if (finer > 0)
        Note(name, type,
             fmt::format("timestamp: {} values lose what is below a microsecond",
                         GroupDigits(finer)));
      return column;
    }
    const bool nested =
        type.ends_with("]") || type.starts_with("STRUCT") || type.starts_with("MAP");
    const bool clock = type.starts_with("TIME") && !type.starts_with("TIMESTAMP");
    if (nested || clock || type == "BLOB" || type == "INTERVAL")
      Note(name, type.substr(0, 40), "text, as it is spelled");
    return column;
  }

  // Whole numbers that 64 bits hold are int; others are ids, whose every digit counts: text.
  Result<std::string> Whole(const std::string& name, const std::string& type,
                            const std::string& column) {
    GYRE_TRY(const auto beyond, Count(fmt::format("TRY_CAST({0} AS BIGINT) IS NULL AND {0} IS NOT "
                                                  "NULL",
                                                  column)));
    plan_.types[name] = beyond == 0 ? Type::kInt : Type::kText;
    if (beyond > 0)
      Note(name, type, fmt::format("text: {} values are beyond 64 bits", GroupDigits(beyond)));
    return fmt::format("CAST({0} AS {1}) AS {0}", column, beyond == 0 ? "BIGINT" : "VARCHAR");
  }

  Result<std::string> Decimal(const std::string& name, const std::string& type,
                              const std::string& column) {
    GYRE_TRY(const auto inexact,
             Count(fmt::format("TRY_CAST(CAST({0} AS DOUBLE) AS {1}) IS DISTINCT FROM {0}", column,
                               type)));
    if (inexact > 0)
      Note(name, type,
           fmt::format("double: {} values lose digits (--type {}=text keeps them)",
                       GroupDigits(inexact), name));
    return column;
  }

  DuckDb& db_;
  const std::string from_;
  const std::vector<std::string>& paths_;
  const Schema& given_;
  ParquetColumns plan_;
};

}  // namespace

Result<ParquetColumns> PlanParquetColumns(const std::vector<std::string>& paths,
                                          const Schema& given) {
  GYRE_TRY(const auto db, DuckDb::Open({}));
  return Planner(*db, paths, given).Plan();
}

}  // namespace gyre::table
