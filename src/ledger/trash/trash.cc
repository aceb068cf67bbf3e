#include "ledger/trash/trash.h"

#include <algorithm>

#include "base/text.h"
#include "ledger/trash/cells.h"
#include "ledger/trash/owner.h"
#include "platform/blob/blob_store.h"
#include "platform/db/in_list.h"

namespace gyre::trash {
namespace {

constexpr int kPurgedAtOnce = 100;

// Blobs stand in its rows' sizes too, by reference only.
constexpr std::string_view kItems =
    "SELECT number, noun, project, name, what, removed_by, removed_us, row_count, row_bytes, "
    "(SELECT coalesce(sum(size_bytes), 0) FROM blob_ref WHERE owner_kind = 'trash' AND owner_id = "
    "CAST(number AS TEXT)) FROM trash_item ";

struct StoredRow {
  std::string table;
  std::string cells;
};

Result<> Drop(db::Transaction& tx, std::int64_t number) {
  GYRE_DO(blob::DropRefs(tx, kOwnerKind, OwnerId(number)));
  // Overwritten where they stand first: deleted rows stay readable in the file for long.
  GYRE_DO(
      tx.Execute("UPDATE trash_row SET cells = zeroblob(length(cells)) WHERE item = ?1", {number}));
  GYRE_DO(tx.Execute("DELETE FROM trash_row WHERE item = ?1", {number}));
  return tx.Execute("DELETE FROM trash_item WHERE number = ?1", {number});
}

void Rename(const Kind& kind, std::string_view table, std::string_view was, std::string_view as,
            std::vector<Cell>* cells) {
  for (const NameColumn& name : kind.names) {
    if (name.table != table) continue;
    for (Cell& cell : *cells) {
      const auto* text = std::get_if<std::string>(&cell.value);
      if (cell.column == name.column && text != nullptr && *text == was)
        cell.value = std::string(as);
    }
  }
}

Result<> PutBack(db::Transaction& tx, std::string_view table, const std::vector<Cell>& cells,
                 bool yields) {
  std::string columns, places;
  std::vector<db::Value> values;
  for (const Cell& cell : cells) {
    values.push_back(cell.Bound());
    columns += fmt::format("{}{}", columns.empty() ? "" : ", ", cell.column);
    places += fmt::format("{}?{}", places.empty() ? "" : ", ", values.size());
  }
  const auto done = tx.ExecuteList(fmt::format("INSERT INTO {} ({}) VALUES ({}){}", table, columns,
                                               places, yields ? " ON CONFLICT DO NOTHING" : ""),
                                   values);
  // What it refers to is gone for good: a role of somebody who is no more.
  if (!done && yields && done.error().gy() == "GY1403") return {};
  return done;
}

Error NoItem(std::string_view noun, std::string_view name) {
  return NotFound("GY5002", "there is no {} `{}` in the trash", noun, name).Fix("gyre trash ls");
}

Error Explained(const Error& error, const Item& item, std::string_view name, bool renames) {
  if (error.gy() == "GY1402") {
    Error taken =
        MakeError(Code::kAlreadyExists, "GY5003", "there is a {} `{}` again", item.noun, name);
    if (!renames)
      return std::move(taken).Fix(
          fmt::format("gyre {}s rm {}    (then gyre undelete {} {} --number {})", item.noun, name,
                      item.noun, name, item.number));
    return std::move(taken).Fix(
        fmt::format("gyre undelete {} {} --as {}-2", item.noun, item.name, item.name));
  }
  if (error.gy() == "GY1403") {
    return FailedPrecondition("GY5004", "what {} `{}` belongs to is not there", item.noun, name)
        .Why("it was removed too, or made anew since")
        .Fix("gyre trash ls    (put that back first)");
  }
  return error;
}

}  // namespace

Json ItemToJson(const Item& item) {
  return Json::Obj({{"number", item.number},
                    {"noun", item.noun},
                    {"project", item.project},
                    {"name", item.name},
                    {"what", item.what},
                    {"removed_by", item.removed_by},
                    {"removed_at", FormatTime(item.removed_us)},
                    {"until", FormatTime(item.until_us)},
                    {"rows", item.rows},
                    {"bytes", item.bytes}});
}

void Trash::Register(Kind kind) {
  std::string noun = kind.noun;
  kinds_.insert_or_assign(std::move(noun), std::move(kind));
}

const Kind* Trash::Find(std::string_view noun) const {
  const auto found = kinds_.find(noun);
  return found == kinds_.end() ? nullptr : &found->second;
}

void Trash::Hold(Holding holding) { holdings_.push_back(std::move(holding)); }

bool Trash::Yields(std::string_view table) const {
  const auto lists = [&](const std::vector<std::string_view>& tables) {
    return std::ranges::find(tables, table) != tables.end();
  };
  return std::ranges::any_of(kinds_, [&](const auto& kind) { return lists(kind.second.yields); }) ||
         std::ranges::any_of(holdings_, [&](const Holding& one) { return lists(one.yields); });
}

// A number that another row has got meanwhile: the next one that is free.
Result<> Trash::CountAnew(db::Transaction& tx, std::string_view table,
                          std::vector<Cell>* cells) const {
  std::string_view column;
  const auto look = [&](const std::vector<NameColumn>& counters) {
    for (const NameColumn& counter : counters)
      if (counter.table == table) column = counter.column;
  };
  for (const auto& [noun, kind] : kinds_) look(kind.counters);
  for (const Holding& holding : holdings_) look(holding.counters);
  if (column.empty()) return {};
  for (Cell& cell : *cells) {
    if (cell.column != column) continue;
    GYRE_TRY(const bool taken,
             tx.QueryOne(fmt::format("SELECT 1 FROM {} WHERE {} = ?1", table, column),
                         {cell.Bound()}, [](const db::Row&) {}));
    if (!taken) continue;
    GYRE_DO(tx.QueryOne(fmt::format("SELECT MAX({}) + 1 FROM {}", column, table), {},
                        [&](const db::Row& row) { cell.value = row.Int(0); }));
  }
  return {};
}

Result<> Trash::CheckProject(db::Reader& reader, const Item& item) const {
  // What is of no project, and a project itself, belongs to none.
  if (!project_exists_ || item.project.empty() || item.noun == "project") return {};
  GYRE_TRY(const bool there, project_exists_(reader, item.project));
  if (there) return {};
  return FailedPrecondition("GY5011", "project `{}`, to which {} `{}` belongs, is not there",
                            item.project, item.noun, item.name)
      .Fix(fmt::format("gyre undelete project {}    (if it lies in the trash)", item.project));
}

Item Trash::Made(const db::Row& row) const {
  return {.number = row.Int(0),
          .noun = row.Str(1),
          .project = row.Str(2),
          .name = row.Str(3),
          .what = row.Str(4),
          .removed_by = row.Str(5),
          .removed_us = row.Int(6),
          .until_us = row.Int(6) + keep_us_,
          .rows = row.Int(7),
          .bytes = row.Int(8) + row.Int(9)};
}

Result<std::vector<Item>> Trash::List(const Filter& filter) const {
  std::vector<Item> items;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    std::vector<db::Value> values = {filter.noun, filter.name, filter.before, filter.limit};
    const std::string among = db::AmongText("project", filter.projects, &values);
    return reader.QueryList(
        fmt::format("{}WHERE (?1 = '' OR noun = ?1) AND (?2 = '' OR name = ?2) AND (?3 = 0 OR "
                    "number < ?3) AND {} ORDER BY number DESC LIMIT ?4",
                    kItems, among),
        values, [&](const db::Row& row) -> Result<> {
          items.push_back(Made(row));
          return {};
        });
  }));
  return items;
}

Result<Item> Trash::Newest(std::string_view project, std::string_view noun,
                           std::string_view name) const {
  GYRE_TRY(const std::vector<Item> items,
           List({.projects = std::vector<std::string>{std::string(project)},
                 .noun = std::string(noun),
                 .name = std::string(name),
                 .limit = 1}));
  if (items.empty()) return NoItem(noun, name);
  return items.front();
}

Result<Item> Trash::Get(std::int64_t number) const {
  GYRE_TRY(const std::vector<Item> items, List({.before = number + 1, .limit = 1}));
  if (items.empty() || items.front().number != number)
    return NoItem("thing", fmt::format("{}", number));
  return items.front();
}

Result<Item> Trash::Remove(std::string_view noun, const Asked& asked) const {
  const Kind* const kind = Find(noun);
  if (kind == nullptr || !kind->remove) return NoItem(noun, asked.name);
  GYRE_TRY(const std::string name, kind->remove(asked));
  return Newest(asked.project, noun, name);
}

Result<> Trash::Restore(const Item& item, std::string_view as) {
  const Kind* const kind = Find(item.noun);
  if (kind == nullptr) return NoItem(item.noun, item.name);
  if (!as.empty() && (kind->names.empty() || item.name.find(':') != std::string::npos)) {
    return InvalidArgument("GY5005", "{} `{}` comes back under its own name only", item.noun,
                           item.name)
        .Where("as");
  }
  if (!as.empty()) GYRE_DO(CheckName(item.noun, as));
  const std::string name(as.empty() ? std::string_view(item.name) : as);
  if (kind->ready) GYRE_DO(kind->ready(item));
  const auto done = database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(
        const auto rows,
        db::Collect<StoredRow>(
            tx, "SELECT table_name, cells FROM trash_row WHERE item = ?1 ORDER BY position DESC",
            {item.number}, [](const db::Row& row) { return StoredRow{row.Str(0), row.Str(1)}; }));
    if (rows.empty()) return NoItem(item.noun, item.name);  // somebody else was faster
    GYRE_DO(CheckProject(tx, item));
    if (kind->make_room) GYRE_DO(kind->make_room(tx, item, name));
    for (const StoredRow& row : rows) {
      GYRE_TRY(std::vector<Cell> cells, Unpacked(row.cells));
      TakenRow taken(row.table, &cells);
      for (const Reshape& reshape : reshapes_) GYRE_DO(reshape(tx, taken));
      if (!as.empty()) Rename(*kind, taken.table(), item.name, as, &cells);
      GYRE_DO(CountAnew(tx, taken.table(), &cells));
      GYRE_DO(PutBack(tx, taken.table(), cells, Yields(taken.table())));
    }
    GYRE_DO(Drop(tx, item.number));
    return kind->back ? kind->back(tx, item, name) : Result<>();
  });
  if (!done) return Explained(done.error(), item, name, !kind->names.empty());
  return kind->wake ? kind->wake(item, name) : Result<>();
}

Result<Purged> Trash::Purge(const PurgeFilter& filter) {
  Purged purged;
  for (;;) {
    std::vector<Item> items;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      std::vector<db::Value> values = {filter.removed_before_us, kPurgedAtOnce, filter.noun,
                                       filter.name};
      const std::string among = db::AmongText("project", filter.projects, &values);
      return reader.QueryList(
          fmt::format("{}WHERE removed_us <= ?1 AND (?3 = '' OR noun = ?3) AND (?4 = '' OR name = "
                      "?4) AND {} ORDER BY number LIMIT ?2",
                      kItems, among),
          values, [&](const db::Row& row) -> Result<> {
            items.push_back(Made(row));
            return {};
          });
    }));
    for (const Item& item : items) {
      GYRE_DO(database_.Write([&](db::Transaction& tx) { return Drop(tx, item.number); }));
      ++purged.items;
      purged.bytes += item.bytes;
    }
    if (items.empty()) return purged;
  }
}

}  // namespace gyre::trash
