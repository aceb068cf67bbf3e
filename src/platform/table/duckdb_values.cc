#include "platform/table/duckdb_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/time.h"
#include "platform/table/duckdb_session.h"

namespace gyre::table {

namespace {

Type OurType(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return Type::kBool;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
      return Type::kInt;
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_DECIMAL:
      return Type::kDouble;
    case DUCKDB_TYPE_DATE:
      return Type::kDate;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return Type::kTimestamp;
    default:
      return Type::kText;
  }
}

bool NeedsTextCast(duckdb_type type) {
  return OurType(type) == Type::kText && type != DUCKDB_TYPE_VARCHAR;
}

// Whole numbers that may lie beyond 64 bits, as a sum of whole numbers may.
bool IsWide(duckdb_type type) {
  return type == DUCKDB_TYPE_HUGEINT || type == DUCKDB_TYPE_UHUGEINT || type == DUCKDB_TYPE_UBIGINT;
}

bool IsRowValid(const std::uint64_t* validity, std::size_t row) {
  return validity == nullptr || ((validity[row / 64] >> (row % 64)) & 1) != 0;
}

// Values of a plain array of T, each put through `convert` into `out`.
template <class T, class Out, class Convert>
void AppendPlain(const void* data, const std::uint64_t* validity, std::size_t rows, Convert convert,
                 std::vector<Out>* out) {
  const T* values = static_cast<const T*>(data);
  out->reserve(out->size() + rows);
  for (std::size_t i = 0; i < rows; ++i)
    out->push_back(IsRowValid(validity, i) ? static_cast<Out>(convert(values[i])) : Out{});
}

std::int64_t FloorDivide(std::int64_t value, std::int64_t by) {
  const std::int64_t quotient = value / by;
  return quotient - (value % by < 0 ? 1 : 0);
}

double HugeToDouble(const duckdb_hugeint& v) {
  return static_cast<double>(v.upper) * 0x1p64 + static_cast<double>(v.lower);
}
double UnsignedHugeToDouble(const duckdb_uhugeint& v) {
  return static_cast<double>(v.upper) * 0x1p64 + static_cast<double>(v.lower);
}

void AppendInts(const void* data, const std::uint64_t* validity, duckdb_type type, std::size_t rows,
                std::vector<std::int64_t>* out) {
  const auto same = [](auto v) { return static_cast<std::int64_t>(v); };
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return AppendPlain<bool>(data, validity, rows, same, out);
    case DUCKDB_TYPE_TINYINT:
      return AppendPlain<std::int8_t>(data, validity, rows, same, out);
    case DUCKDB_TYPE_SMALLINT:
      return AppendPlain<std::int16_t>(data, validity, rows, same, out);
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
      return AppendPlain<std::int32_t>(data, validity, rows, same, out);
    case DUCKDB_TYPE_UTINYINT:
      return AppendPlain<std::uint8_t>(data, validity, rows, same, out);
    case DUCKDB_TYPE_USMALLINT:
      return AppendPlain<std::uint16_t>(data, validity, rows, same, out);
    case DUCKDB_TYPE_UINTEGER:
      return AppendPlain<std::uint32_t>(data, validity, rows, same, out);
    case DUCKDB_TYPE_TIMESTAMP_S:
      return AppendPlain<std::int64_t>(
          data, validity, rows, [](std::int64_t v) { return v * kMicrosPerSecond; }, out);
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return AppendPlain<std::int64_t>(
          data, validity, rows, [](std::int64_t v) { return v * 1000; }, out);
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return AppendPlain<std::int64_t>(
          data, validity, rows, [](std::int64_t v) { return FloorDivide(v, 1000); }, out);
    default:
      return AppendPlain<std::int64_t>(data, validity, rows, same, out);
  }
}

void AppendDoubles(const DuckDbApi& api, duckdb_vector vector, const std::uint64_t* validity,
                   duckdb_type type, int scale, std::size_t rows, std::vector<double>* out) {
  const void* data = api.duckdb_vector_get_data(vector);
  const std::size_t start = out->size();
  // scale carries both parts of a decimal: digits after the point, and in the hundreds the width of
  // its integer.
  const double divisor = std::pow(10.0, scale % 100);
  switch (type) {
    case DUCKDB_TYPE_UBIGINT:
      AppendPlain<std::uint64_t>(
          data, validity, rows, [](auto v) { return static_cast<double>(v); }, out);
      break;
    case DUCKDB_TYPE_FLOAT:
      AppendPlain<float>(data, validity, rows, [](auto v) { return static_cast<double>(v); }, out);
      break;
    case DUCKDB_TYPE_HUGEINT:
      AppendPlain<duckdb_hugeint>(data, validity, rows, HugeToDouble, out);
      break;
    case DUCKDB_TYPE_UHUGEINT:
      AppendPlain<duckdb_uhugeint>(data, validity, rows, UnsignedHugeToDouble, out);
      break;
    case DUCKDB_TYPE_DECIMAL:
      if (scale / 100 == 2)
        AppendPlain<std::int16_t>(
            data, validity, rows, [&](auto v) { return static_cast<double>(v) / divisor; }, out);
      if (scale / 100 == 4)
        AppendPlain<std::int32_t>(
            data, validity, rows, [&](auto v) { return static_cast<double>(v) / divisor; }, out);
      if (scale / 100 == 8)
        AppendPlain<std::int64_t>(
            data, validity, rows, [&](auto v) { return static_cast<double>(v) / divisor; }, out);
      if (scale / 100 == 16) {
        AppendPlain<duckdb_hugeint>(
            data, validity, rows, [&](const auto& v) { return HugeToDouble(v) / divisor; }, out);
      }
      break;
    default:
      AppendPlain<double>(data, validity, rows, [](double v) { return v; }, out);
  }
  if (validity == nullptr) return;
  for (std::size_t i = 0; i < rows; ++i) {
    if (!IsRowValid(validity, i)) (*out)[start + i] = std::numeric_limits<double>::quiet_NaN();
  }
}

void AppendTexts(const void* data, const std::uint64_t* validity, std::size_t rows,
                 TextColumn* out) {
  const auto* values = static_cast<const duckdb_string_t*>(data);
  constexpr std::uint32_t kInlined = 12;
  for (std::size_t i = 0; i < rows; ++i) {
    if (!IsRowValid(validity, i)) {
      out->Push({});
      continue;
    }
    const std::uint32_t length = values[i].value.inlined.length;
    const char* text =
        length <= kInlined ? values[i].value.inlined.inlined : values[i].value.pointer.ptr;
    out->Push({text, length});
  }
}

// Marks rows in the column's own bytes; they come into being with the first missing value.
void AppendValidity(const std::uint64_t* validity, std::size_t rows, std::size_t size_before,
                    Column* column) {
  bool all = true;
  for (std::size_t i = 0; all && i < rows; ++i) all = IsRowValid(validity, i);
  if (all && column->valid.empty()) return;
  if (column->valid.empty()) column->valid.assign(size_before, 1);
  for (std::size_t i = 0; i < rows; ++i) column->valid.push_back(IsRowValid(validity, i) ? 1 : 0);
}
}  // namespace

duckdb_type DuckDbType(Type type) {
  switch (type) {
    case Type::kBool:
      return DUCKDB_TYPE_BOOLEAN;
    case Type::kInt:
      return DUCKDB_TYPE_BIGINT;
    case Type::kDouble:
      return DUCKDB_TYPE_DOUBLE;
    case Type::kDate:
      return DUCKDB_TYPE_DATE;
    case Type::kTimestamp:
      return DUCKDB_TYPE_TIMESTAMP;
    case Type::kText:
      break;
  }
  return DUCKDB_TYPE_VARCHAR;
}

Schema NamesOf(const DuckDbApi& api, duckdb_prepared_statement prepared) {
  Schema schema;
  const idx_t count = api.duckdb_prepared_statement_column_count(prepared);
  for (idx_t i = 0; i < count; ++i) {
    const char* name = api.duckdb_prepared_statement_column_name(prepared, i);
    schema.push_back({name == nullptr ? "" : name, Type::kText});
    if (name != nullptr)
      api.duckdb_free(const_cast<char*>(name));  // the API hands out memory that the caller frees
  }
  return schema;
}

std::string WithTextCasts(const DuckDbApi& api, duckdb_prepared_statement prepared,
                          const std::string& sql, std::vector<std::size_t>* wide) {
  const idx_t count = api.duckdb_prepared_statement_column_count(prepared);
  bool needed = false;
  std::string select = "SELECT ", names;
  for (idx_t i = 0; i < count; ++i) {
    const duckdb_type type = api.duckdb_prepared_statement_column_type(prepared, i);
    if (wide != nullptr && IsWide(type)) wide->push_back(i);
    const bool cast = NeedsTextCast(type) || (wide != nullptr && IsWide(type));
    needed = needed || cast;
    if (i > 0) {
      select += ", ";
      names += ", ";
    }
    names += fmt::format("c{}", i);
    select += cast ? fmt::format("CAST(c{} AS VARCHAR)", i) : fmt::format("c{}", i);
  }
  if (!needed) return {};
  std::string_view body = sql;
  while (!body.empty() && (body.back() == ';' || body.back() == ' ' || body.back() == '\n' ||
                           body.back() == '\t' || body.back() == '\r')) {
    body.remove_suffix(1);
  }
  return fmt::format("{} FROM (\n{}\n) AS t({})", select, body, names);
}

std::vector<int> FillTypes(const DuckDbApi& api, duckdb_result* result, Schema* schema) {
  std::vector<int> scales(schema->size(), 0);
  for (std::size_t i = 0; i < schema->size(); ++i) {
    const duckdb_type type = api.duckdb_column_type(result, i);
    (*schema)[i].type = OurType(type);
    if (type != DUCKDB_TYPE_DECIMAL) continue;
    duckdb_logical_type logical = api.duckdb_column_logical_type(result, i);
    int width = 16;
    switch (api.duckdb_decimal_internal_type(logical)) {
      case DUCKDB_TYPE_SMALLINT:
        width = 2;
        break;
      case DUCKDB_TYPE_INTEGER:
        width = 4;
        break;
      case DUCKDB_TYPE_BIGINT:
        width = 8;
        break;
      default:
        break;
    }
    scales[i] = width * 100 + api.duckdb_decimal_scale(logical);
    api.duckdb_destroy_logical_type(&logical);
  }
  return scales;
}

void AppendVector(const DuckDbApi& api, duckdb_vector vector, duckdb_type type, int scale,
                  std::size_t rows, Column* column) {
  const std::uint64_t* validity = api.duckdb_vector_get_validity(vector);
  const std::size_t size_before = column->size();
  if (column->type == Type::kDouble) {
    AppendDoubles(api, vector, validity, type, scale, rows, &column->doubles);
  } else if (column->type == Type::kText) {
    AppendTexts(api.duckdb_vector_get_data(vector), validity, rows, &column->text);
  } else {
    AppendInts(api.duckdb_vector_get_data(vector), validity, type, rows, &column->ints);
  }
  if (validity != nullptr || !column->valid.empty())
    AppendValidity(validity, rows, size_before, column);
}

void FillVector(const DuckDbApi& api, const Column& column, std::size_t from, std::size_t count,
                duckdb_vector vector) {
  void* data = api.duckdb_vector_get_data(vector);
  if (column.type == Type::kDouble) {
    std::copy_n(column.doubles.begin() + static_cast<std::ptrdiff_t>(from), count,
                static_cast<double*>(data));
  } else if (column.type == Type::kText) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view text = column.text[from + i];
      api.duckdb_vector_assign_string_element_len(vector, i, text.data(), text.size());
    }
  } else if (column.type == Type::kBool) {
    for (std::size_t i = 0; i < count; ++i)
      static_cast<bool*>(data)[i] = column.ints[from + i] != 0;
  } else if (column.type == Type::kDate) {
    for (std::size_t i = 0; i < count; ++i)
      static_cast<std::int32_t*>(data)[i] = static_cast<std::int32_t>(column.ints[from + i]);
  } else {
    std::copy_n(column.ints.begin() + static_cast<std::ptrdiff_t>(from), count,
                static_cast<std::int64_t*>(data));
  }
  if (column.valid.empty()) return;
  const unsigned char* valid = column.valid.data() + from;
  if (std::find(valid, valid + count, 0) == valid + count) return;
  api.duckdb_vector_ensure_validity_writable(vector);
  std::uint64_t* validity = api.duckdb_vector_get_validity(vector);
  for (std::size_t i = 0; i < count; ++i) {
    if (valid[i] == 0) validity[i / 64] &= ~(std::uint64_t{1} << (i % 64));
  }
}

}  // namespace gyre::table
