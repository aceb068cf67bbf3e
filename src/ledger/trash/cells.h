// A row of any table as bytes: each column's name, kind and value. Private to the trash.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::trash {

struct Bytes {
  std::string data;
};
struct Cell {
  std::string column;
  std::variant<std::monostate, std::int64_t, double, std::string, Bytes> value;

  db::Value Bound() const;  // points at this cell
};

// The columns of a table, in its order.
Result<std::vector<std::string>> ColumnsOf(db::Reader& reader, std::string_view table);
// Reads what RowsSelect() asked for.
std::string RowsSelect(std::string_view table, const std::vector<std::string>& columns,
                       std::string_view condition);
std::vector<Cell> ReadCells(const db::Row& row, const std::vector<std::string>& columns);

std::string Packed(const std::vector<Cell>& cells);
Result<std::vector<Cell>> Unpacked(std::string_view bytes);  // kDataLoss GY5001

}  // namespace gyre::trash
