#include "platform/table/duckdb_session.h"

#include <algorithm>

#include "base/text.h"
#include "platform/table/duckdb_values.h"

namespace gyre::table {

namespace {
std::string Quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out += quote;
}

Error Cancelled() { return MakeError(Code::kCancelled, "GY2003", "the query was cancelled"); }

// Owns what one query leaves behind, so that every way out frees it.
struct Query {
  explicit Query(const DuckDbApi& a) : api(a) {}
  ~Query() {
    if (has_result) api.duckdb_destroy_result(&result);
    if (pending != nullptr) api.duckdb_destroy_pending(&pending);
    if (prepared != nullptr) api.duckdb_destroy_prepare(&prepared);
    if (extracted != nullptr) api.duckdb_destroy_extracted(&extracted);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  const DuckDbApi& api;
  duckdb_extracted_statements extracted = nullptr;
  duckdb_prepared_statement prepared = nullptr;
  duckdb_pending_result pending = nullptr;
  duckdb_result result = {};
  bool has_result = false;
};

Result<> Prepare(duckdb_connection connection, const std::string& sql, bool select_only,
                 Query* query) {
  const DuckDbApi& api = query->api;
  const idx_t count = api.duckdb_extract_statements(connection, sql.c_str(), &query->extracted);
  if (count == 0) {
    const char* message = api.duckdb_extract_statements_error(query->extracted);
    if (message == nullptr || *message == 0)
      return InvalidArgument("GY2010", "the query is empty").Fix("write a SELECT");
    return DuckDbError(message, DUCKDB_ERROR_PARSER);
  }
  if (count != 1) {
    return InvalidArgument("GY2011", "the query holds {} statements, one SELECT is allowed", count)
        .Fix("send one SELECT at a time");
  }
  if (api.duckdb_prepare_extracted_statement(connection, query->extracted, 0, &query->prepared) !=
      DuckDBSuccess) {
    const char* message = api.duckdb_prepare_error(query->prepared);
    return DuckDbError(message == nullptr ? "the statement cannot be prepared" : message,
                       DUCKDB_ERROR_BINDER);
  }
  if (select_only &&
      api.duckdb_prepared_statement_type(query->prepared) != DUCKDB_STATEMENT_TYPE_SELECT) {
    return InvalidArgument("GY2011", "only SELECT is allowed")
        .Why("datasets are immutable; a query reads them")
        .Fix("write a SELECT");
  }
  if (api.duckdb_nparams(query->prepared) != 0) {
    return InvalidArgument("GY2011", "the query has parameters, which have no values here")
        .Fix("write the values into the query");
  }
  return {};
}

Result<> Start(const DuckDb::QueryOptions& options, Query* query) {
  const DuckDbApi& api = query->api;
  if (api.duckdb_pending_prepared_streaming(query->prepared, &query->pending) != DuckDBSuccess) {
    return DuckDbError(api.duckdb_pending_error(query->pending), DUCKDB_ERROR_INVALID);
  }
  for (;;) {
    if (options.cancelled && options.cancelled()) return Cancelled();
    const duckdb_pending_state state = api.duckdb_pending_execute_task(query->pending);
    if (state == DUCKDB_PENDING_ERROR)
      return DuckDbError(api.duckdb_pending_error(query->pending), DUCKDB_ERROR_INVALID);
    if (api.duckdb_pending_execution_is_finished(state)) break;
    if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE)
      break;  // the rest runs on DuckDB's own threads; execute waits for it
  }
  query->has_result = true;
  if (api.duckdb_execute_pending(query->pending, &query->result) != DuckDBSuccess) {
    return DuckDbError(api.duckdb_result_error(&query->result),
                       api.duckdb_result_error_type(&query->result));
  }
  return {};
}
}  // namespace

std::string SqlString(std::string_view text) { return Quoted(text, '\''); }
std::string SqlName(std::string_view name) { return Quoted(name, '"'); }

std::string SqlStringList(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ", ";
    out += SqlString(text);
  }
  return out + "]";
}

Error DuckDbError(std::string_view message, duckdb_error_type type) {
  std::string text(message);
  std::replace(text.begin(), text.end(), '\n', ' ');
  const auto begins = [&](std::string_view prefix) { return text.starts_with(prefix); };
  if (type == DUCKDB_ERROR_INTERRUPT || begins("INTERRUPT")) return Cancelled();
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY || begins("Out of Memory")) {
    return MakeError(Code::kResourceExhausted, "GY2012",
                     "the query needs more memory than it may use")
        .Why(std::move(text))
        .Fix("select fewer columns or rows, or aggregate first");
  }
  if (type == DUCKDB_ERROR_PERMISSION || begins("Permission Error")) {
    return MakeError(Code::kPermissionDenied, "GY2013",
                     "the query may read only the datasets of its project")
        .Why(std::move(text));
  }
  if (text.find("No space left") != std::string::npos) {
    return MakeError(Code::kOutOfSpace, "GY1003", "the disk is full").Why(std::move(text));
  }
  if (text.find("No files found") != std::string::npos) return NotFound("GY2004", "{}", text);
  // "Binder Error: ...  LINE 1: SELECT ...  ^": the kind says nothing to a person, the place does.
  std::string where;
  if (const std::size_t line = text.find("  LINE "); line != std::string::npos) {
    where = Trim(std::string_view(text).substr(line));
    while (where.ends_with('^') || where.ends_with(' ')) where.pop_back();
    text.resize(line);
  }
  const std::size_t kind = text.find(" Error: ");
  if (kind != std::string::npos && kind < 30) text.erase(0, kind + 8);
  Error error = InvalidArgument("GY2002", "{}", Trim(text));
  return where.empty() ? error : std::move(error).Where(where);
}

Result<std::unique_ptr<DuckDb>> DuckDb::Open(const Options& options) {
  GYRE_TRY(const DuckDbApi* api, LoadDuckDb());
  std::unique_ptr<DuckDb> db(new DuckDb(*api));  // the constructor is private
  duckdb_config config = nullptr;
  api->duckdb_create_config(&config);
  api->duckdb_set_config(config, "threads", std::to_string(options.threads).c_str());
  api->duckdb_set_config(config, "memory_limit",
                         (std::to_string(options.memory_bytes_max / 1024) + "KiB").c_str());
  api->duckdb_set_config(config, "temp_directory", options.temp_directory.c_str());
  api->duckdb_set_config(config, "autoload_known_extensions", "false");
  api->duckdb_set_config(config, "autoinstall_known_extensions", "false");
  char* message = nullptr;
  const duckdb_state opened = api->duckdb_open_ext(nullptr, &db->database_, config, &message);
  api->duckdb_destroy_config(&config);
  if (opened != DuckDBSuccess) {
    Error error = Internal("GY2014", "DuckDB cannot start: {}", message == nullptr ? "" : message);
    if (message != nullptr) api->duckdb_free(message);
    return error;
  }
  if (api->duckdb_connect(db->database_, &db->connection_) != DuckDBSuccess)
    return Internal("GY2014", "DuckDB cannot start");
  return db;
}

DuckDb::~DuckDb() {
  if (connection_ != nullptr) api_.duckdb_disconnect(&connection_);
  if (database_ != nullptr) api_.duckdb_close(&database_);
}

Result<> DuckDb::Execute(const std::string& sql) {
  duckdb_result result = {};
  const duckdb_state state = api_.duckdb_query(connection_, sql.c_str(), &result);
  Result<> answer;
  if (state != DuckDBSuccess) {
    const char* message = api_.duckdb_result_error(&result);
    answer = DuckDbError(message == nullptr ? "" : message, api_.duckdb_result_error_type(&result));
  }
  api_.duckdb_destroy_result(&result);
  return answer;
}

Result<> DuckDb::Query(const std::string& sql, const QueryOptions& options,
                       const std::function<Result<>(const Schema&)>& on_schema,
                       const std::function<Result<bool>(Frame&)>& chunk) {
  auto query = std::make_unique<table::Query>(api_);
  GYRE_DO(Prepare(connection_, sql, options.select_only, query.get()));
  // Types that we do not hold become text: DuckDB casts them in an outer SELECT around the
  // statement, which was just seen to be one.
  const std::string wrapped = WithTextCasts(api_, query->prepared, sql, options.wide);
  Schema schema = NamesOf(api_, query->prepared);
  if (!wrapped.empty()) {
    query = std::make_unique<table::Query>(api_);
    GYRE_DO(Prepare(connection_, wrapped, options.select_only, query.get()));
  }
  GYRE_DO(Start(options, query.get()));
  const std::vector<int> scales = FillTypes(api_, &query->result, &schema);
  if (on_schema) GYRE_DO(on_schema(schema));
  return Stream(query->result, options, schema, scales, chunk);
}

Result<> DuckDb::QueryVectors(const std::string& sql, const std::function<bool()>& cancelled,
                              const std::function<Result<>(duckdb_data_chunk)>& chunk) {
  table::Query query(api_);
  GYRE_DO(Prepare(connection_, sql, true, &query));
  GYRE_DO(Start({.cancelled = cancelled}, &query));
  return Fetch(query.result, cancelled, [&](duckdb_data_chunk data) -> Result<bool> {
    GYRE_DO(chunk(data));
    return true;
  });
}

Result<> DuckDb::Fetch(duckdb_result& result, const std::function<bool()>& cancelled,
                       const std::function<Result<bool>(duckdb_data_chunk)>& take) {
  for (;;) {
    if (cancelled && cancelled()) return Cancelled();
    duckdb_data_chunk data = api_.duckdb_fetch_chunk(result);
    if (data == nullptr) break;
    const auto more = api_.duckdb_data_chunk_get_size(data) > 0 ? take(data) : Result<bool>(true);
    api_.duckdb_destroy_data_chunk(&data);
    if (!more) return more.error();
    if (!*more) return {};
  }
  const char* message = api_.duckdb_result_error(&result);
  if (message != nullptr && *message != 0)
    return DuckDbError(message, api_.duckdb_result_error_type(&result));
  return {};
}

Result<> DuckDb::Stream(duckdb_result& result, const QueryOptions& options, const Schema& schema,
                        const std::vector<int>& scales,
                        const std::function<Result<bool>(Frame&)>& chunk) {
  std::vector<duckdb_type> types;
  for (std::size_t i = 0; i < schema.size(); ++i)
    types.push_back(api_.duckdb_column_type(&result, i));
  return Fetch(result, options.cancelled, [&](duckdb_data_chunk data) -> Result<bool> {
    const idx_t rows = api_.duckdb_data_chunk_get_size(data);
    Frame frame;
    frame.columns.resize(schema.size());
    for (std::size_t i = 0; i < schema.size(); ++i) {
      frame.columns[i].name = schema[i].name;
      frame.columns[i].type = schema[i].type;
      AppendVector(api_, api_.duckdb_data_chunk_get_vector(data, i), types[i], scales[i], rows,
                   &frame.columns[i]);
    }
    return chunk(frame);
  });
}

}  // namespace gyre::table
