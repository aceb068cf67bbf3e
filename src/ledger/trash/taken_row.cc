#include "ledger/trash/taken_row.h"

#include <algorithm>

#include "ledger/trash/cells.h"

namespace gyre::trash {

const Cell* TakenRow::Find(std::string_view column) const {
  const auto found = std::ranges::find(*cells_, column, &Cell::column);
  return found == cells_->end() ? nullptr : &*found;
}

Cell& TakenRow::FindOrAdd(std::string_view column) {
  const auto found = std::ranges::find(*cells_, column, &Cell::column);
  if (found != cells_->end()) return *found;
  return cells_->emplace_back(Cell{std::string(column), std::monostate()});
}

bool TakenRow::Has(std::string_view column) const { return Find(column) != nullptr; }

std::string TakenRow::Text(std::string_view column) const {
  const Cell* const cell = Find(column);
  const auto* text = cell == nullptr ? nullptr : std::get_if<std::string>(&cell->value);
  return text == nullptr ? std::string() : *text;
}

std::int64_t TakenRow::Int(std::string_view column) const {
  const Cell* const cell = Find(column);
  const auto* number = cell == nullptr ? nullptr : std::get_if<std::int64_t>(&cell->value);
  return number == nullptr ? 0 : *number;
}

void TakenRow::Set(std::string_view column, std::int64_t value) { FindOrAdd(column).value = value; }
void TakenRow::Set(std::string_view column, std::string value) {
  FindOrAdd(column).value = std::move(value);
}

void TakenRow::Rename(std::string_view column, std::string_view to) {
  if (Has(column)) FindOrAdd(column).column = to;
}

void TakenRow::Copy(std::string_view column, std::string_view to) {
  const Cell* const cell = Find(column);
  if (cell == nullptr) return;
  const auto value = cell->value;
  FindOrAdd(to).value = value;
}

void TakenRow::Drop(std::string_view column) {
  std::erase_if(*cells_, [&](const Cell& cell) { return cell.column == column; });
}

}  // namespace gyre::trash
