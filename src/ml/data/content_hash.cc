#include "ml/data/content_hash.h"

#include <cmath>
#include <limits>

namespace gyre::data {

namespace {
template <class T>
void AppendBytes(T value, std::string* out) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    *out += static_cast<char>(value >> (8 * i));  // little end first on every machine
}

std::uint64_t Bits(double value) {
  // One NaN, one zero.
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return __builtin_bit_cast(std::uint64_t, value + 0.0);
}
}  // namespace

ContentHash::ContentHash(const table::Schema& schema) : schema_(schema), columns_(schema.size()) {}

void ContentHash::Add(const table::Frame& chunk) {
  constexpr std::size_t kBlock = 4096;
  std::string bytes;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const table::Column& column = chunk.columns[c];
    const std::size_t rows = column.size();
    for (std::size_t from = 0; from < rows; from += kBlock) {
      const std::size_t to = std::min(rows, from + kBlock);
      bytes.clear();
      for (std::size_t row = from; row < to; ++row) {
        const bool valid = column.IsValid(row);
        if (column.type == table::Type::kText) {
          const std::string_view text = valid ? column.text[row] : std::string_view();
          AppendBytes(static_cast<std::uint32_t>(text.size()), &bytes);
          bytes += text;
        } else if (column.type == table::Type::kDouble) {
          AppendBytes(valid ? Bits(column.doubles[row]) : 0, &bytes);
        } else {
          AppendBytes(valid ? static_cast<std::uint64_t>(column.ints[row]) : 0, &bytes);
        }
      }
      columns_[c].values.Update(bytes);
      bytes.clear();
      for (std::size_t row = from; row < to; ++row) bytes += column.IsValid(row) ? '\1' : '\0';
      columns_[c].valid.Update(bytes);
    }
  }
  rows_ += static_cast<std::int64_t>(chunk.rows());
}

std::string ContentHash::FinishHex() {
  Json json = Json::Obj(
      {{"format", "gyre.table.1"}, {"rows", rows_}, {"schema", table::SchemaToJson(schema_)}});
  Json digests = Json::Arr();
  for (Column& column : columns_)
    digests.Push(Json::Arr({column.values.FinishHex(), column.valid.FinishHex()}));
  json.Set("columns", std::move(digests));
  return Sha256Hex(json.DumpCanonical());
}

}  // namespace gyre::data
