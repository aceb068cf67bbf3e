#include "ml/eval_sets/record_store.h"

namespace gyre::eval_sets {
namespace {

constexpr std::string_view kColumns =
    "hash, id, inputs, outputs, expectations, tags, source, created_us, updated_us, created_by, "
    "updated_by";

RecordRow RowOf(const db::Row& row) {
  RecordRow r;
  r.hash = row.Str(0);
  r.id = row.Str(1);
  r.inputs = row.Str(2);
  r.outputs = row.Str(3);
  r.expectations = row.Str(4);
  r.tags = row.Str(5);
  r.source = row.Str(6);
  r.created_us = row.Int(7);
  r.updated_us = row.Int(8);
  r.created_by = row.Str(9);
  r.updated_by = row.Str(10);
  return r;
}

}  // namespace

Result<> PutRecord(db::Transaction& tx, std::string_view set, const RecordRow& row) {
  return tx.Execute(
      fmt::format("INSERT INTO eval_sets_record (set_id, {}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                  "?8, ?9, ?10, ?11, ?12) ON CONFLICT (set_id, hash) DO UPDATE SET outputs = "
                  "excluded.outputs, expectations = excluded.expectations, tags = excluded.tags, "
                  "source = excluded.source, updated_us = excluded.updated_us, updated_by = "
                  "excluded.updated_by",
                  kColumns),
      {set, row.hash, row.id, row.inputs, row.outputs, row.expectations, row.tags, row.source,
       row.created_us, row.updated_us, row.created_by, row.updated_by});
}

Result<std::optional<RecordRow>> FindRecord(db::Reader& reader, std::string_view set,
                                            std::string_view hash) {
  std::optional<RecordRow> found;
  GYRE_DO(reader.QueryOne(
      fmt::format("SELECT {} FROM eval_sets_record WHERE set_id = ?1 AND hash = ?2", kColumns),
      {set, hash}, [&](const db::Row& row) { found = RowOf(row); }));
  return found;
}

Result<std::vector<RecordRow>> ReadRecords(db::Reader& reader, std::string_view set,
                                           std::int64_t after_us, std::string_view after_id,
                                           int limit) {
  return db::Collect<RecordRow>(
      reader,
      fmt::format("SELECT {} FROM eval_sets_record WHERE set_id = ?1 AND created_us >= ?2 AND "
                  "(created_us > ?2 OR id > ?3) ORDER BY created_us, id LIMIT ?4",
                  kColumns),
      {set, after_us, after_id, limit}, RowOf);
}

Result<bool> RemoveRecord(db::Transaction& tx, std::string_view set, std::string_view id) {
  GYRE_DO(tx.Execute("DELETE FROM eval_sets_record WHERE set_id = ?1 AND id = ?2", {set, id}));
  return tx.changes() > 0;
}

}  // namespace gyre::eval_sets
