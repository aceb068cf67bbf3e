#include "ml/traces/assessment_store.h"

namespace gyre::traces {
namespace {

constexpr std::string_view kColumns =
    "id, name, kind, value, error, source_type, source_id, span, rationale, metadata, overrides, "
    "valid, created_us, updated_us";

std::string MetadataText(const Texts& metadata) {
  if (metadata.empty()) return "";
  Json json = Json::Obj();
  for (const auto& [key, value] : metadata) json.Set(key, value);
  return json.Dump();
}

Assessment AssessmentOf(const db::Row& row) {
  Assessment a;
  a.id = row.Str(0);
  a.name = row.Str(1);
  a.kind = row.Str(2);
  a.value = row.Str(3);
  a.error = row.Str(4);
  a.source_type = row.Str(5);
  a.source_id = row.Str(6);
  a.span = row.Str(7);
  if (!row.IsNull(8)) a.rationale = row.Str(8);
  if (!row.Text(9).empty()) {
    const auto metadata = Json::Parse(row.Text(9));
    if (metadata) {
      for (const auto& [key, value] : metadata->members()) a.metadata[key] = value.AsString();
    }
  }
  a.overrides = row.Str(10);
  a.valid = row.Bool(11);
  a.created_us = row.Int(12);
  a.updated_us = row.Int(13);
  return a;
}

}  // namespace

Result<> PutAssessment(db::Transaction& tx, std::int64_t trace, const Assessment& a) {
  GYRE_DO(RemoveAssessment(tx, trace, a.id));
  return tx.Execute(
      fmt::format("INSERT INTO traces_assessment (trace, {}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                  "?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
                  kColumns),
      {trace, a.id, a.name, a.kind, a.value, a.error, a.source_type, a.source_id, a.span,
       a.rationale, MetadataText(a.metadata), a.overrides, a.valid, a.created_us, a.updated_us});
}

Result<std::optional<Assessment>> FindAssessment(db::Reader& reader, std::int64_t trace,
                                                 std::string_view id) {
  std::optional<Assessment> found;
  GYRE_DO(reader.QueryOne(
      fmt::format("SELECT {} FROM traces_assessment WHERE trace = ?1 AND id = ?2", kColumns),
      {trace, id}, [&](const db::Row& row) { found = AssessmentOf(row); }));
  return found;
}

Result<std::vector<Assessment>> ReadAssessments(db::Reader& reader, std::int64_t trace) {
  return db::Collect<Assessment>(
      reader,
      fmt::format("SELECT {} FROM traces_assessment WHERE trace = ?1 ORDER BY created_us, id",
                  kColumns),
      {trace}, AssessmentOf);
}

Result<std::int64_t> CountAssessments(db::Reader& reader, std::int64_t trace) {
  std::int64_t count = 0;
  GYRE_DO(reader.QueryOne("SELECT COUNT(*) FROM traces_assessment WHERE trace = ?1", {trace},
                          [&](const db::Row& row) { count = row.Int(0); }));
  return count;
}

Result<bool> SetValid(db::Transaction& tx, std::int64_t trace, std::string_view id, bool valid) {
  GYRE_DO(tx.Execute("UPDATE traces_assessment SET valid = ?3 WHERE trace = ?1 AND id = ?2",
                     {trace, id, valid}));
  return tx.changes() > 0;
}

Result<> RemoveAssessment(db::Transaction& tx, std::int64_t trace, std::string_view id) {
  return tx.Execute("DELETE FROM traces_assessment WHERE trace = ?1 AND id = ?2", {trace, id});
}

}  // namespace gyre::traces
