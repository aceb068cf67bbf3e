// A frame as a table function, so that DuckDB reads our columns where they are.
#include <algorithm>

#include "platform/table/duckdb_session.h"
#include "platform/table/duckdb_values.h"

namespace gyre::table {

namespace {
// The callbacks run only after the library was loaded.
const DuckDbApi& Api() { return **LoadDuckDb(); }

void BindFrame(duckdb_bind_info info) {
  const DuckDbApi& api = Api();
  const auto* frame = static_cast<const Frame*>(api.duckdb_bind_get_extra_info(info));
  for (const Column& column : frame->columns) {
    duckdb_logical_type type = api.duckdb_create_logical_type(DuckDbType(column.type));
    api.duckdb_bind_add_result_column(info, column.name.c_str(), type);
    api.duckdb_destroy_logical_type(&type);
  }
  api.duckdb_bind_set_cardinality(info, frame->rows(), true);
}

struct Position {
  std::size_t row = 0;
};
void DeletePosition(void* position) {
  std::unique_ptr<Position>(static_cast<Position*>(position)).reset();
}

void InitScan(duckdb_init_info info) {
  Api().duckdb_init_set_init_data(info, std::make_unique<Position>().release(), DeletePosition);
}

void ScanFrame(duckdb_function_info info, duckdb_data_chunk output) {
  const DuckDbApi& api = Api();
  const auto* frame = static_cast<const Frame*>(api.duckdb_function_get_extra_info(info));
  auto* position = static_cast<Position*>(api.duckdb_function_get_init_data(info));
  const std::size_t count =
      std::min<std::size_t>(api.duckdb_vector_size(), frame->rows() - position->row);
  for (std::size_t i = 0; i < frame->columns.size(); ++i) {
    FillVector(api, frame->columns[i], position->row, count,
               api.duckdb_data_chunk_get_vector(output, i));
  }
  position->row += count;
  api.duckdb_data_chunk_set_size(output, count);
}
}  // namespace

Result<> DuckDb::RegisterFrame(const std::string& name, const Frame* frame) {
  duckdb_table_function function = api_.duckdb_create_table_function();
  api_.duckdb_table_function_set_name(function, name.c_str());
  api_.duckdb_table_function_set_extra_info(function, const_cast<Frame*>(frame),
                                            nullptr);  // only ever read
  api_.duckdb_table_function_set_bind(function, BindFrame);
  api_.duckdb_table_function_set_init(function, InitScan);
  api_.duckdb_table_function_set_function(function, ScanFrame);
  const duckdb_state state = api_.duckdb_register_table_function(connection_, function);
  api_.duckdb_destroy_table_function(&function);
  if (state != DuckDBSuccess)
    return Internal("GY2015", "the table function {} cannot be registered", name);
  return {};
}

}  // namespace gyre::table
