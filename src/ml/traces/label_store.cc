#include "ml/traces/label_store.h"

namespace gyre::traces {

Result<> PutLabel(db::Transaction& tx, std::int64_t trace, Label kind, std::string_view name,
                  std::string_view value) {
  return tx.Execute(
      "INSERT INTO traces_label (trace, kind, name, value) VALUES (?1, ?2, ?3, ?4) ON CONFLICT "
      "(trace, kind, name) DO UPDATE SET value = excluded.value",
      {trace, static_cast<int>(kind), name, value});
}

Result<> PutLabels(db::Transaction& tx, std::int64_t trace, Label kind, const Texts& labels) {
  for (const auto& [name, value] : labels) GYRE_DO(PutLabel(tx, trace, kind, name, value));
  return {};
}

Result<> FillLabels(db::Transaction& tx, std::int64_t trace, Label kind, const Texts& labels) {
  for (const auto& [name, value] : labels)
    GYRE_DO(
        tx.Execute("INSERT INTO traces_label (trace, kind, name, value) VALUES (?1, ?2, ?3, "
                   "?4) ON CONFLICT (trace, kind, name) DO NOTHING",
                   {trace, static_cast<int>(kind), name, value}));
  return {};
}

Result<bool> RemoveLabel(db::Transaction& tx, std::int64_t trace, Label kind,
                         std::string_view name) {
  GYRE_DO(tx.Execute("DELETE FROM traces_label WHERE trace = ?1 AND kind = ?2 AND name = ?3",
                     {trace, static_cast<int>(kind), name}));
  return tx.changes() > 0;
}

Result<> ReadLabels(db::Reader& reader, std::int64_t trace, Texts* tags, Texts* metadata) {
  return reader.Query("SELECT kind, name, value FROM traces_label WHERE trace = ?1", {trace},
                      [&](const db::Row& row) -> Result<> {
                        const bool tag = row.Int(0) == static_cast<int>(Label::kTag);
                        (tag ? tags : metadata)->emplace(row.Str(1), row.Str(2));
                        return {};
                      });
}

Result<> PutLink(db::Transaction& tx, std::int64_t trace, std::string_view kind,
                 std::string_view target) {
  return tx.Execute(
      "INSERT INTO traces_link (trace, kind, target) VALUES (?1, ?2, ?3) ON CONFLICT "
      "(trace, kind, target) DO NOTHING",
      {trace, kind, target});
}

Result<std::vector<std::string>> ReadLinks(db::Reader& reader, std::int64_t trace,
                                           std::string_view kind) {
  return db::Collect<std::string>(reader,
                                  "SELECT target FROM traces_link WHERE trace = ?1 AND kind = ?2",
                                  {trace, kind}, [](const db::Row& row) { return row.Str(0); });
}

}  // namespace gyre::traces
