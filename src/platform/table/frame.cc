#include "platform/table/frame.h"

#include <cmath>
#include <limits>

namespace gyre::table {

namespace {
constexpr std::string_view kTypeNames[] = {"bool", "int", "double", "text", "date", "timestamp"};

bool HoldsInts(Type type) { return type != Type::kDouble && type != Type::kText; }
}  // namespace

std::string_view TypeName(Type type) { return kTypeNames[static_cast<std::size_t>(type)]; }

std::optional<Type> ParseType(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kTypeNames); ++i) {
    if (kTypeNames[i] == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

Json SchemaToJson(const Schema& schema) {
  Json json = Json::Arr();
  for (const Field& field : schema)
    json.Push(Json::Obj({{"name", field.name}, {"type", TypeName(field.type)}}));
  return json;
}

Result<Schema> SchemaFromJson(const Json& json) {
  Schema schema;
  if (!json.is_array())
    return InvalidArgument("GY2006", "a schema must be a list of {{name, type}}");
  for (const Json& item : json.items()) {
    GYRE_TRY(const std::string name, item.GetString("name"));
    GYRE_TRY(const std::string type_name, item.GetString("type"));
    const auto type = ParseType(type_name);
    if (!type) {
      return InvalidArgument("GY2006", "column `{}` has the unknown type `{}`", name, type_name)
          .Fix("use bool, int, double, text, date or timestamp");
    }
    schema.push_back({name, *type});
  }
  return schema;
}

std::size_t Column::size() const {
  if (type == Type::kDouble) return doubles.size();
  if (type == Type::kText) return text.size();
  return ints.size();
}

void Column::PushNull() {
  if (valid.empty()) valid.assign(size(), 1);
  valid.push_back(0);
  if (type == Type::kDouble) {
    doubles.push_back(std::numeric_limits<double>::quiet_NaN());
  } else if (type == Type::kText) {
    text.Push({});
  } else {
    ints.push_back(0);
  }
}

void Column::PushInt(std::int64_t v) {
  ints.push_back(v);
  if (!valid.empty()) valid.push_back(1);
}

void Column::PushDouble(double v) {
  doubles.push_back(v);
  if (!valid.empty()) valid.push_back(1);
}

void Column::PushText(std::string_view v) {
  text.Push(v);
  if (!valid.empty()) valid.push_back(1);
}

Column Column::Select(const std::vector<std::uint32_t>& rows) const {
  Column out;
  out.name = name;
  out.type = type;
  if (!valid.empty()) {
    out.valid.reserve(rows.size());
    for (const std::uint32_t row : rows) out.valid.push_back(valid[row]);
  }
  if (type == Type::kDouble) {
    out.doubles.reserve(rows.size());
    for (const std::uint32_t row : rows) out.doubles.push_back(doubles[row]);
  } else if (type == Type::kText) {
    out.text.offsets.reserve(rows.size() + 1);
    for (const std::uint32_t row : rows) out.text.Push(text[row]);
  } else {
    out.ints.reserve(rows.size());
    for (const std::uint32_t row : rows) out.ints.push_back(ints[row]);
  }
  return out;
}

const Column* Frame::Find(std::string_view name) const {
  for (const Column& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Schema Frame::schema() const {
  Schema schema;
  schema.reserve(columns.size());
  for (const Column& column : columns) schema.push_back({column.name, column.type});
  return schema;
}

Frame Frame::Select(const std::vector<std::uint32_t>& rows) const {
  Frame out;
  out.columns.reserve(columns.size());
  for (const Column& column : columns) out.columns.push_back(column.Select(rows));
  return out;
}

Frame Frame::WithoutColumns(const std::vector<std::string>& names) const {
  Frame out;
  for (const Column& column : columns) {
    bool dropped = false;
    for (const std::string& name : names) dropped = dropped || name == column.name;
    if (!dropped) out.columns.push_back(column);
  }
  return out;
}

Cell CellAt(const Column& column, std::size_t row) {
  Cell cell = Cell::Null(column.type);
  if (!column.IsValid(row)) return cell;
  cell.valid = true;
  if (HoldsInts(column.type)) {
    cell.i = column.ints[row];
  } else if (column.type == Type::kDouble) {
    cell.d = column.doubles[row];
  } else {
    cell.text = column.text[row];
  }
  return cell;
}

}  // namespace gyre::table
