#include "ml/registry/catalog_store.h"

#include "base/text.h"
#include "ml/registry/words.h"

namespace gyre::registry {
namespace {

constexpr int kAlikeMax = 10'000;

Result<std::string> IdOfTitle(db::Reader& reader, std::string_view project,
                              std::string_view title) {
  std::string id;
  GYRE_DO(reader.QueryOne(
      "SELECT id FROM registry_model WHERE project = ?1 AND title = ?2 AND deleted_us = 0",
      {project, title}, [&](const db::Row& row) { id = row.Str(0); }));
  return id;
}

Result<bool> IsTaken(db::Reader& reader, std::string_view project, std::string_view name,
                     std::string_view own_id) {
  return reader.QueryOne(
      "SELECT 1 FROM registry_model WHERE project = ?1 AND name = ?2 AND id <> ?3 AND deleted_us = "
      "0",
      {project, name, own_id}, [](const db::Row&) {});
}

}  // namespace

Result<ModelRow> FindTitle(db::Reader& reader, std::string_view project, std::string_view title) {
  GYRE_TRY(const std::string id, IdOfTitle(reader, project, title));
  if (!id.empty()) {
    ModelRow model;
    GYRE_DO(reader.QueryOne("SELECT id, last_version, name FROM registry_model WHERE id = ?1", {id},
                            [&](const db::Row& row) {
                              model = {row.Str(0), static_cast<int>(row.Int(1)), row.Str(2)};
                            }));
    return model;
  }
  Error error =
      NotFound("GY3602", "there is no model `{}` in project `{}`", title.substr(0, 300), project);
  GYRE_TRY(const auto titles,
           db::Collect<std::string>(
               reader,
               "SELECT title FROM registry_model WHERE project = ?1 AND deleted_us = 0 LIMIT 1000",
               {project}, [](const db::Row& row) { return row.Str(0); }));
  if (const auto close = ClosestMatch(title, titles))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix("gyre models ls");
}

Result<> CheckTitleFree(db::Reader& reader, std::string_view project, std::string_view title,
                        std::string_view own_id) {
  GYRE_TRY(const std::string id, IdOfTitle(reader, project, title));
  if (id.empty() || id == own_id) return {};
  return MakeError(Code::kAlreadyExists, "GY3630", "there is a model `{}` in project `{}`", title,
                   project)
      .Why(fmt::format("its id is {}", id))
      .Fix("choose another name, or go on with that model");
}

Result<std::string> FreeName(db::Reader& reader, std::string_view project, std::string_view title,
                             std::string_view own_id) {
  const std::string wanted = NameOfTitle(title);
  std::string name = wanted;
  for (int i = 2; i < kAlikeMax; ++i) {
    GYRE_TRY(const bool taken, IsTaken(reader, project, name, own_id));
    if (!taken) return name;
    const std::string ending = fmt::format("-{}", i);
    name = wanted.substr(0, 128 - ending.size()) + ending;
  }
  return MakeError(Code::kResourceExhausted, "GY3636", "{} models have a name like `{}`", kAlikeMax,
                   wanted);
}

Result<> InsertModel(db::Transaction& tx, const NewModel& from, std::string_view id,
                     std::string_view name, std::int64_t now_us) {
  GYRE_DO(tx.Execute(
      "INSERT INTO registry_model (id, project, name, description, last_version, created_by, "
      "created_us, deleted_us, title, updated_us) "
      "SELECT ?1, ?2, ?3, ?4, coalesce(max(newest), 0), ?5, ?6, 0, ?7, ?6 FROM registry_number "
      "WHERE project = ?2 AND name = ?3",
      {id, from.project, name, from.description, from.created_by, now_us, from.title}));
  for (const auto& [key, value] : from.tags) GYRE_DO(PutModelTag(tx, id, key, value));
  return {};
}

Result<> RenameModel(db::Transaction& tx, std::string_view project, const ModelRow& model,
                     std::string_view name, std::string_view title, std::int64_t now_us) {
  if (name != model.name) {
    GYRE_DO(tx.Execute(
        "INSERT INTO registry_number (project, name, newest) VALUES (?1, ?2, ?3) ON CONFLICT "
        "(project, name) DO UPDATE SET newest = CASE WHEN newest > excluded.newest THEN newest "
        "ELSE excluded.newest END",
        {project, model.name, model.last_version}));
    GYRE_DO(
        tx.Execute("INSERT INTO registry_former_name (project, name, model_id) VALUES (?1, ?2, ?3) "
                   "ON CONFLICT (project, name) DO UPDATE SET model_id = excluded.model_id",
                   {project, model.name, model.id}));
    GYRE_DO(
        tx.Execute("DELETE FROM registry_former_name WHERE project = ?1 AND name = ?2 AND "
                   "model_id = ?3",
                   {project, name, model.id}));
  }
  GYRE_DO(
      tx.Execute("UPDATE registry_version SET updated_us = ?2 WHERE model_id = ?1 AND deleted_us = "
                 "0",
                 {model.id, now_us}));
  return tx.Execute(
      "UPDATE registry_model SET name = ?2, title = ?3, updated_us = ?4 WHERE id = ?1",
      {model.id, name, title, now_us});
}

Result<> PutModelTag(db::Transaction& tx, std::string_view model_id, std::string_view key,
                     std::string_view value) {
  return tx.Execute(
      "INSERT INTO registry_model_tag (model_id, name, value) VALUES (?1, ?2, ?3) ON CONFLICT "
      "(model_id, name) DO UPDATE SET value = excluded.value",
      {model_id, key, value});
}

Result<> PutVersionTag(db::Transaction& tx, std::string_view version_id, std::string_view key,
                       std::string_view value) {
  return tx.Execute(
      "INSERT INTO registry_version_tag (version_id, name, value) VALUES (?1, ?2, ?3) ON CONFLICT "
      "(version_id, name) DO UPDATE SET value = excluded.value",
      {version_id, key, value});
}

Result<std::vector<std::string>> LatestIds(db::Reader& reader, std::string_view model_id) {
  std::vector<std::string> ids;
  for (const Stage stage : {Stage::kNone, Stage::kStaging, Stage::kProduction, Stage::kArchived}) {
    GYRE_DO(reader.QueryOne(
        "SELECT id FROM registry_version WHERE model_id = ?1 AND stage = ?2 AND deleted_us = 0 "
        "ORDER BY version DESC LIMIT 1",
        {model_id, StageName(stage)}, [&](const db::Row& row) { ids.push_back(row.Str(0)); }));
  }
  return ids;
}

Result<> PutStage(db::Transaction& tx, std::string_view model_id, std::string_view version_id,
                  Stage stage, bool archive_others, std::int64_t now_us) {
  if (archive_others) {
    GYRE_DO(tx.Execute(
        "UPDATE registry_version SET stage = ?4, updated_us = ?5 WHERE model_id = ?1 AND "
        "id <> ?2 AND stage = ?3 AND deleted_us = 0",
        {model_id, version_id, StageName(stage), StageName(Stage::kArchived), now_us}));
  }
  GYRE_DO(tx.Execute("UPDATE registry_version SET stage = ?2, updated_us = ?3 WHERE id = ?1",
                     {version_id, StageName(stage), now_us}));
  return tx.Execute("UPDATE registry_model SET updated_us = ?2 WHERE id = ?1", {model_id, now_us});
}

}  // namespace gyre::registry
