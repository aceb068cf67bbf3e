// Columnar frames in memory: what datasets become when something computes on them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::table {

enum class Type : unsigned char {
  kBool,       // 0 or 1, in Column::ints
  kInt,        // 64 bit, in Column::ints
  kDouble,     // in Column::doubles
  kText,       // UTF-8, in Column::text
  kDate,       // days since 1970-01-01, in Column::ints
  kTimestamp,  // microseconds since 1970-01-01T00:00:00Z, in Column::ints
};
std::string_view TypeName(Type type);  // "bool", "int", "double", "text", "date", "timestamp"
std::optional<Type> ParseType(std::string_view name);

struct Field {
  std::string name;
  Type type = Type::kText;
  friend bool operator==(const Field&, const Field&) = default;
};
using Schema = std::vector<Field>;
Json SchemaToJson(const Schema& schema);  // [{"name": "age", "type": "int"}, ...]
Result<Schema> SchemaFromJson(const Json& json);

// Strings back to back: value i is chars[offsets[i], offsets[i+1]).
struct TextColumn {
  std::vector<std::uint64_t> offsets = {0};
  std::string chars;
  std::size_t size() const { return offsets.size() - 1; }
  std::string_view operator[](std::size_t i) const {
    return std::string_view(chars).substr(offsets[i], offsets[i + 1] - offsets[i]);
  }
  void Push(std::string_view value) {
    chars.append(value);
    offsets.push_back(chars.size());
  }
};

// Exactly one of ints, doubles, text holds size() values, by type. A missing value has valid[i] ==
// 0 (and 0, NaN or "" in its place). `valid` is empty when nothing is missing. A double NaN that is
// valid is a NaN that stood in the data.
struct Column {
  std::string name;
  Type type = Type::kText;
  std::vector<unsigned char> valid = {};
  std::vector<std::int64_t> ints = {};
  std::vector<double> doubles = {};
  TextColumn text = {};

  std::size_t size() const;
  bool IsValid(std::size_t row) const { return valid.empty() || valid[row] != 0; }
  void PushNull();  // keeps all arrays consistent
  void PushInt(std::int64_t v);
  void PushDouble(double v);
  void PushText(std::string_view v);
  Column Select(const std::vector<std::uint32_t>& rows) const;
};

struct Frame {
  std::vector<Column> columns;  // all of the same size
  std::size_t rows() const { return columns.empty() ? 0 : columns[0].size(); }
  const Column* Find(std::string_view name) const;
  Schema schema() const;
  Frame Select(const std::vector<std::uint32_t>& rows) const;  // copies
  Frame WithoutColumns(const std::vector<std::string>& names) const;
};

// One value of a row, typed as its column. Text points into memory that outlives the call it is
// given to.
struct Cell {
  Type type = Type::kText;
  bool valid = false;
  std::int64_t i = 0;
  double d = 0;
  std::string_view text;
  static Cell Null(Type type) { return Cell{type, false, 0, 0, {}}; }
};
Cell CellAt(const Column& column, std::size_t row);

}  // namespace gyre::table
