// A row on its way back, as its room sees it when its tables have changed since it was taken.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::trash {

struct Cell;

class TakenRow {
 public:
  TakenRow(std::string table, std::vector<Cell>* cells) : table_(std::move(table)), cells_(cells) {}

  const std::string& table() const { return table_; }
  bool Has(std::string_view column) const;
  std::string Text(std::string_view column) const;  // "" when it has none
  std::int64_t Int(std::string_view column) const;  // 0 when it has none

  void MoveTo(std::string_view table) { table_ = table; }
  void Set(std::string_view column, std::int64_t value);
  void Set(std::string_view column, std::string value);
  void Rename(std::string_view column, std::string_view to);
  void Copy(std::string_view column, std::string_view to);  // the value, whatever it is
  void Drop(std::string_view column);

 private:
  const Cell* Find(std::string_view column) const;
  Cell& FindOrAdd(std::string_view column);

  std::string table_;
  std::vector<Cell>* cells_;
};

// Makes a row of an older schema one of the present; others it leaves alone. In the transaction of
// the return; what the row refers to is back already.
using Reshape = std::function<Result<>(db::Transaction&, TakenRow&)>;

}  // namespace gyre::trash
