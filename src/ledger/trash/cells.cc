#include "ledger/trash/cells.h"

#include <fmt/format.h>

#include <charconv>

namespace gyre::trash {
namespace {

// "5:hello": how long, then what.
void AppendText(std::string* out, std::string_view text) {
  *out += fmt::format("{}:", text.size());
  *out += text;
}

Error Damaged() {
  return MakeError(Code::kDataLoss, "GY5001", "a row in the trash cannot be read").Fix("gyre fsck");
}

Result<std::string> TakeText(std::string_view* rest) {
  std::size_t length = 0;
  const char* const end = rest->data() + rest->size();
  const auto [after, problem] = std::from_chars(rest->data(), end, length);
  if (problem != std::errc() || after == end || *after != ':') return Damaged();
  rest->remove_prefix(static_cast<std::size_t>(after - rest->data()) + 1);
  if (rest->size() < length) return Damaged();
  std::string text(rest->substr(0, length));
  rest->remove_prefix(length);
  return text;
}

template <class Number>
Result<Number> NumberOf(const std::string& text) {
  Number number = 0;
  const auto [after, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || after != text.data() + text.size()) return Damaged();
  return number;
}

void AppendValue(std::string* out, const Cell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell.value)) {
    *out += 'i';
    return AppendText(out, fmt::format("{}", *whole));
  }
  if (const auto* real = std::get_if<double>(&cell.value)) {
    *out += 'r';  // the shortest text that reads as the same number
    return AppendText(out, fmt::format("{}", *real));
  }
  if (const auto* text = std::get_if<std::string>(&cell.value)) {
    *out += 't';
    return AppendText(out, *text);
  }
  if (const auto* bytes = std::get_if<Bytes>(&cell.value)) {
    *out += 'b';
    return AppendText(out, bytes->data);
  }
  *out += 'n';
  AppendText(out, "");
}

}  // namespace

db::Value Cell::Bound() const {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* bytes = std::get_if<Bytes>(&value)) return db::Bytes{bytes->data};
  return nullptr;
}

Result<std::vector<std::string>> ColumnsOf(db::Reader& reader, std::string_view table) {
  return db::Collect<std::string>(reader, "SELECT name FROM pragma_table_info(?1) ORDER BY cid",
                                  {table}, [](const db::Row& row) { return row.Str(0); });
}

std::string RowsSelect(std::string_view table, const std::vector<std::string>& columns,
                       std::string_view condition) {
  std::string list;
  for (const std::string& column : columns)
    list += fmt::format("{0}typeof({1}), {1}", list.empty() ? "" : ", ", column);
  return fmt::format("SELECT {} FROM {} WHERE {}", list, table, condition);
}

std::vector<Cell> ReadCells(const db::Row& row, const std::vector<std::string>& columns) {
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Cell cell{.column = columns[i], .value = {}};
    const int at = static_cast<int>(2 * i);
    const std::string_view kind = row.Text(at);
    if (kind == "integer") {
      cell.value = row.Int(at + 1);
    } else if (kind == "real") {
      cell.value = row.Real(at + 1);
    } else if (kind == "text") {
      cell.value = row.Str(at + 1);
    } else if (kind == "blob") {
      cell.value = Bytes{row.Str(at + 1)};
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::string Packed(const std::vector<Cell>& cells) {
  std::string out;
  for (const Cell& cell : cells) {
    AppendText(&out, cell.column);
    AppendValue(&out, cell);
  }
  return out;
}

Result<std::vector<Cell>> Unpacked(std::string_view bytes) {
  std::vector<Cell> cells;
  while (!bytes.empty()) {
    Cell cell;
    GYRE_TRY(cell.column, TakeText(&bytes));
    if (bytes.empty()) return Damaged();
    const char kind = bytes[0];
    bytes.remove_prefix(1);
    GYRE_TRY(std::string text, TakeText(&bytes));
    if (kind == 'i') {
      GYRE_TRY(cell.value, NumberOf<std::int64_t>(text));
    } else if (kind == 'r') {
      GYRE_TRY(cell.value, NumberOf<double>(text));
    } else if (kind == 't') {
      cell.value = std::move(text);
    } else if (kind == 'b') {
      cell.value = Bytes{std::move(text)};
    } else if (kind != 'n') {
      return Damaged();
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

}  // namespace gyre::trash
