// The functions of DuckDB's C API that we use, found in libduckdb.so at the first call: linking it
// would cost every process 10 ms and 12 MB.
#pragma once

#include <duckdb.h>

#include "base/error.h"

namespace gyre::table {

// clang-format off
#define GYRE_DUCKDB_FUNCTIONS(X) \
  X(duckdb_library_version) \
  X(duckdb_open_ext) \
  X(duckdb_close) \
  X(duckdb_connect) \
  X(duckdb_disconnect) \
  X(duckdb_interrupt) \
  X(duckdb_create_config) \
  X(duckdb_set_config) \
  X(duckdb_destroy_config) \
  X(duckdb_free) \
  X(duckdb_query) \
  X(duckdb_destroy_result) \
  X(duckdb_result_error) \
  X(duckdb_result_error_type) \
  X(duckdb_extract_statements) \
  X(duckdb_extract_statements_error) \
  X(duckdb_prepare_extracted_statement) \
  X(duckdb_destroy_extracted) \
  X(duckdb_prepare_error) \
  X(duckdb_prepared_statement_type) \
  X(duckdb_destroy_prepare) \
  X(duckdb_nparams) \
  X(duckdb_pending_prepared_streaming) \
  X(duckdb_pending_execute_task) \
  X(duckdb_execute_pending) \
  X(duckdb_pending_error) \
  X(duckdb_destroy_pending) \
  X(duckdb_pending_execution_is_finished) \
  X(duckdb_column_count) \
  X(duckdb_column_name) \
  X(duckdb_column_type) \
  X(duckdb_column_logical_type) \
  X(duckdb_destroy_logical_type) \
  X(duckdb_prepared_statement_column_count) \
  X(duckdb_prepared_statement_column_name) \
  X(duckdb_prepared_statement_column_type) \
  X(duckdb_decimal_scale) \
  X(duckdb_decimal_internal_type) \
  X(duckdb_create_logical_type) \
  X(duckdb_fetch_chunk) \
  X(duckdb_destroy_data_chunk) \
  X(duckdb_data_chunk_get_size) \
  X(duckdb_data_chunk_set_size) \
  X(duckdb_data_chunk_get_vector) \
  X(duckdb_vector_get_data) \
  X(duckdb_vector_get_validity) \
  X(duckdb_vector_size) \
  X(duckdb_vector_ensure_validity_writable) \
  X(duckdb_vector_assign_string_element_len) \
  X(duckdb_create_table_function) \
  X(duckdb_destroy_table_function) \
  X(duckdb_table_function_set_name) \
  X(duckdb_table_function_set_extra_info) \
  X(duckdb_table_function_set_bind) \
  X(duckdb_table_function_set_init) \
  X(duckdb_table_function_set_function) \
  X(duckdb_register_table_function) \
  X(duckdb_bind_get_extra_info) \
  X(duckdb_bind_add_result_column) \
  X(duckdb_bind_set_cardinality) \
  X(duckdb_init_set_init_data) \
  X(duckdb_function_get_extra_info) \
  X(duckdb_function_get_init_data)
// clang-format on

struct DuckDbApi {
#define X(name) decltype(&::name) name = nullptr;
  GYRE_DUCKDB_FUNCTIONS(X)
#undef X
};

// Loaded once per process, never unloaded. Errors: those of exec::Library (GY1320 to GY1322),
// kFailedPrecondition GY2001 another version.
Result<const DuckDbApi*> LoadDuckDb();

}  // namespace gyre::table
