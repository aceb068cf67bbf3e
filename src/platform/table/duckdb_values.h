// DuckDB's vectors into our columns and back. Private to platform/table.
#pragma once

#include <string>
#include <vector>

#include "platform/table/duckdb_api.h"
#include "platform/table/frame.h"

namespace gyre::table {

// The statement wrapped so that columns of types which we do not hold come as text, and where
// `wide` is given also whole numbers that may lie beyond 64 bits; empty when no column needs it.
std::string WithTextCasts(const DuckDbApi& api, duckdb_prepared_statement prepared,
                          const std::string& sql, std::vector<std::size_t>* wide);
Schema NamesOf(const DuckDbApi& api, duckdb_prepared_statement prepared);
// Sets the types of `schema`; returns the decimal scale per column (0 elsewhere).
std::vector<int> FillTypes(const DuckDbApi& api, duckdb_result* result, Schema* schema);
// Appends `rows` values of a vector of DuckDB type `type`.
void AppendVector(const DuckDbApi& api, duckdb_vector vector, duckdb_type type, int scale,
                  std::size_t rows, Column* column);
// Copies rows [from, from + count) of a column into a writable vector.
void FillVector(const DuckDbApi& api, const Column& column, std::size_t from, std::size_t count,
                duckdb_vector vector);
duckdb_type DuckDbType(Type type);

}  // namespace gyre::table
