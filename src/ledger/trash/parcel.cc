#include "ledger/trash/parcel.h"

#include <fmt/format.h>

#include "ledger/trash/cells.h"
#include "ledger/trash/owner.h"
#include "platform/blob/copied_refs.h"

namespace gyre::trash {

Result<Parcel> Parcel::Begin(db::Transaction& tx, const Removal& removal) {
  GYRE_DO(tx.Execute(
      "INSERT INTO trash_item (noun, project, name, what, removed_by, removed_us, row_count, "
      "row_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)",
      {removal.noun, removal.project, removal.name, removal.what, removal.by, removal.now_us}));
  return Parcel(tx, tx.last_insert_id());
}

Result<std::optional<Parcel>> Parcel::Reopen(db::Transaction& tx, std::string_view noun,
                                             std::string_view project, std::string_view name) {
  std::int64_t number = 0, rows = 0;
  GYRE_TRY(const bool found,
           tx.QueryOne("SELECT number, row_count FROM trash_item WHERE noun = ?1 AND project = ?2 "
                       "AND name = ?3 ORDER BY number DESC LIMIT 1",
                       {noun, project, name}, [&](const db::Row& row) {
                         number = row.Int(0);
                         rows = row.Int(1);
                       }));
  if (!found) return std::nullopt;
  return Parcel(tx, number, rows);
}

Result<> Parcel::Take(std::string_view table, std::string_view condition, db::Params params) {
  GYRE_TRY(const std::vector<std::string> columns, ColumnsOf(tx_, table));
  GYRE_TRY(const auto rows, db::Collect<std::string>(tx_, RowsSelect(table, columns, condition),
                                                     params, [&](const db::Row& row) {
                                                       return Packed(ReadCells(row, columns));
                                                     }));
  if (rows.empty()) return {};
  std::size_t bytes = 0;
  for (const std::string& cells : rows) {
    GYRE_DO(tx_.Execute(
        "INSERT INTO trash_row (item, position, table_name, cells) VALUES (?1, ?2, ?3, ?4)",
        {number_, rows_++, table, db::Bytes{cells}}));
    bytes += cells.size();
  }
  GYRE_DO(
      tx_.Execute("UPDATE trash_item SET row_count = ?2, row_bytes = row_bytes + ?3 WHERE "
                  "number = ?1",
                  {number_, rows_, bytes}));
  return tx_.Execute(fmt::format("DELETE FROM {} WHERE {}", table, condition), params);
}

Result<> Parcel::TakeBlobs(std::string_view owner_kind, std::string_view owner_id) {
  GYRE_DO(blob::CopyRefs(tx_, {std::string(owner_kind), std::string(owner_id)},
                         {std::string(kOwnerKind), OwnerId(number_)}));
  return Take("blob_ref", "owner_kind = ?1 AND owner_id = ?2", {owner_kind, owner_id});
}

Result<bool> Holds(db::Reader& reader, std::string_view table, std::string_view text) {
  return reader.QueryOne(
      "SELECT 1 FROM trash_row WHERE table_name = ?1 AND instr(cells, ?2) > 0 LIMIT 1",
      {table, db::Bytes{text}}, [](const db::Row&) {});
}

Result<> EndRows(db::Transaction& tx, std::string_view table) {
  GYRE_DO(tx.Execute("UPDATE trash_row SET cells = zeroblob(length(cells)) WHERE table_name = ?1",
                     {table}));
  GYRE_DO(tx.Execute("DELETE FROM trash_row WHERE table_name = ?1", {table}));
  return tx.Execute("DELETE FROM trash_item WHERE number NOT IN (SELECT item FROM trash_row)", {});
}

}  // namespace gyre::trash
