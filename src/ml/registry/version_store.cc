#include "ml/registry/version_store.h"

#include "base/text.h"
#include "ml/registry/news.h"

namespace gyre::registry {
namespace {

constexpr int kVersionsListedMax = 1000;
const std::string kReadVersion = fmt::format(
    "SELECT {} FROM registry_version v JOIN registry_model m ON m.id = v.model_id "
    "WHERE v.id = ?1 AND v.deleted_us = 0",
    kVersionColumns);

Json ParseOwn(std::string_view text) {
  auto json = Json::Parse(text);
  return json ? *std::move(json) : Json();
}

std::string IdFromRow(const db::Row& row) { return row.Str(0); }

// By one of the three columns that may name a model.
Result<std::optional<ModelRow>> LookUp(db::Reader& reader, std::string_view project,
                                       std::string_view name) {
  std::optional<ModelRow> model;
  const auto keep = [&](const db::Row& row) {
    model = ModelRow{row.Str(0), static_cast<int>(row.Int(1)), row.Str(2)};
  };
  for (const std::string_view sql :
       {"SELECT id, last_version, name FROM registry_model WHERE project = ?1 AND name = ?2 AND "
        "deleted_us = 0",
        "SELECT id, last_version, name FROM registry_model WHERE project = ?1 AND title = ?2 AND "
        "deleted_us = 0",
        "SELECT m.id, m.last_version, m.name FROM registry_former_name f JOIN registry_model m ON "
        "m.id = "
        "f.model_id WHERE f.project = ?1 AND f.name = ?2 AND m.deleted_us = 0"}) {
    GYRE_TRY(const bool found, reader.QueryOne(sql, {project, name}, keep));
    if (found) break;
  }
  return model;
}

Result<> InsertVersion(db::Transaction& tx, std::string_view model_id, const NewVersion& version,
                       const VersionTexts& texts, std::string_view id, int number,
                       std::int64_t now_us) {
  GYRE_DO(tx.Execute(
      "INSERT INTO registry_version (id, model_id, version, package_digest, package_bytes, run_id, "
      "recipe_hash, task, target, "
      "learner, metrics, signature, evaluation_id, notes, created_by, created_us, deleted_us, "
      "source, location, run_link, logged_model, flavors, stage, updated_us) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0, ?17, "
      "?18, ?19, ?20, ?21, 'none', ?16)",
      {id,
       model_id,
       number,
       version.package.digest,
       version.package.size_bytes,
       version.run_id,
       version.recipe_hash,
       version.task,
       version.target,
       version.learner,
       texts.metrics,
       texts.signature,
       version.evaluation_id,
       version.notes,
       version.created_by,
       now_us,
       version.source,
       version.location,
       version.run_link,
       version.logged_model,
       texts.flavors}));
  GYRE_DO(tx.Execute("UPDATE registry_model SET last_version = ?2, updated_us = ?3 WHERE id = ?1",
                     {model_id, number, now_us}));
  for (const auto& [key, value] : version.tags) {
    GYRE_DO(
        tx.Execute("INSERT INTO registry_version_tag (version_id, name, value) VALUES (?1, ?2, ?3)",
                   {id, key, value}));
  }
  for (std::size_t i = 0; i < version.datasets.size(); ++i) {
    GYRE_DO(
        tx.Execute("INSERT INTO registry_version_dataset (version_id, position, "
                   "dataset_version_id, role) VALUES (?1, ?2, ?3, ?4)",
                   {id, i, version.datasets[i].dataset_version_id, version.datasets[i].role}));
  }
  for (const Attachment& attachment : version.attachments) {
    GYRE_DO(
        tx.Execute("INSERT INTO registry_attachment (version_id, name, digest, size_bytes) VALUES "
                   "(?1, ?2, ?3, ?4)",
                   {id, attachment.name, attachment.object.digest, attachment.object.size_bytes}));
  }
  return {};
}

Result<> AddRefs(db::Transaction& tx, const NewVersion& version, std::string_view id) {
  if (version.package.digest.empty()) return {};
  GYRE_DO(blob::AddRef(tx, kOwnerKind, id, version.package));
  for (const Attachment& attachment : version.attachments) {
    if (attachment.object.digest != version.package.digest)
      GYRE_DO(blob::AddRef(tx, kOwnerKind, id, attachment.object));
  }
  return {};
}

}  // namespace

ModelVersion VersionFromRow(const db::Row& row, bool documents) {
  ModelVersion version;
  version.id = row.Str(0);
  version.project = row.Str(1);
  version.model = row.Str(2);
  version.version = static_cast<int>(row.Int(3));
  version.package = {row.Str(4), row.Int(5)};
  version.run_id = row.Str(6);
  version.recipe_hash = row.Str(7);
  version.task = row.Str(8);
  version.target = row.Str(9);
  version.learner = row.Str(10);
  if (documents) {
    version.metrics = ParseOwn(row.Text(11));
    version.signature = ParseOwn(row.Text(12));
  }
  version.evaluation_id = row.Str(13);
  version.notes = row.Str(14);
  version.created_by = row.Str(15);
  version.created_us = row.Int(16);
  version.title = row.Str(17);
  version.source = row.Str(18);
  version.location = row.Str(19);
  version.run_link = row.Str(20);
  version.logged_model = row.Str(21);
  if (!row.Text(22).empty()) {
    const Json flavors = ParseOwn(row.Text(22));
    for (const Json& flavor : flavors.items()) version.flavors.push_back(flavor.AsString());
  }
  version.stage = ParseStage(row.Text(23)).value_or(Stage::kNone);
  version.updated_us = row.Int(24);
  return version;
}

VersionTexts TextsOf(const NewVersion& version) {
  Json flavors = Json::Arr();
  for (const std::string& flavor : version.flavors) flavors.Push(flavor);
  return {version.metrics.Dump(), version.signature.Dump(),
          version.flavors.empty() ? std::string() : flavors.Dump()};
}

Result<ModelRow> EnsureModel(db::Transaction& tx, const NewVersion& version,
                             std::string_view new_id, std::int64_t now_us) {
  GYRE_TRY(std::optional<ModelRow> there, LookUp(tx, version.project, version.model));
  if (there) return *std::move(there);
  // A deleted model comes back with its numbers going on.
  GYRE_DO(
      tx.Execute("INSERT INTO registry_model (id, project, name, description, last_version, "
                 "created_by, created_us, deleted_us, title, updated_us) "
                 "SELECT ?1, ?2, ?3, '', coalesce(max(newest), 0), ?4, ?5, 0, ?3, ?5 FROM "
                 "registry_number WHERE project = ?2 AND name = ?3 ON CONFLICT (project, name) DO "
                 "UPDATE SET deleted_us = 0",
                 {new_id, version.project, version.model, version.created_by, now_us}));
  return FindModel(tx, version.project, version.model);
}

Result<ModelRow> FindModel(db::Reader& reader, std::string_view project, std::string_view name) {
  GYRE_TRY(std::optional<ModelRow> model, LookUp(reader, project, name));
  if (model) return *std::move(model);
  Error error = NotFound("GY3602", "there is no model `{}` in project `{}`", name, project);
  GYRE_TRY(const auto names,
           db::Collect<std::string>(
               reader,
               "SELECT name FROM registry_model WHERE project = ?1 AND deleted_us = 0 LIMIT 1000",
               {project}, IdFromRow));
  if (const auto close = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix("gyre models ls");
}

Result<> AddVersion(db::Transaction& tx, events::Events* events, const ModelRow& model,
                    NewVersion version, const VersionTexts& texts, std::string_view id,
                    std::int64_t now_us) {
  const int number = model.last_version + 1;
  version.model = model.name;  // it may have been asked for by another
  GYRE_DO(InsertVersion(tx, model.id, version, texts, id, number, now_us));
  GYRE_DO(AddRefs(tx, version, id));
  return TellCreated(tx, events, version, id, number, now_us);
}

Result<std::string> FindSame(db::Reader& reader, std::string_view model_id,
                             const NewVersion& version) {
  std::string id;
  if (version.run_id.empty()) return id;
  GYRE_DO(
      reader.QueryOne("SELECT id FROM registry_version WHERE run_id = ?1 AND package_digest = ?2 "
                      "AND model_id = ?3 AND deleted_us = 0",
                      {version.run_id, version.package.digest, model_id},
                      [&](const db::Row& row) { id = row.Str(0); }));
  return id;
}

Result<ModelVersion> ReadVersion(db::Reader& reader, std::string_view version_id) {
  ModelVersion version;
  GYRE_TRY(const bool found, reader.QueryOne(kReadVersion, {version_id}, [&](const db::Row& row) {
    version = VersionFromRow(row, true);
  }));
  if (!found)
    return NotFound("GY3603", "there is no model version with id `{}`", version_id.substr(0, 64));
  GYRE_TRY(version.datasets,
           db::Collect<DatasetUse>(reader,
                                   "SELECT dataset_version_id, role FROM registry_version_dataset "
                                   "WHERE version_id = ?1 ORDER BY position",
                                   {version_id}, [](const db::Row& row) {
                                     return DatasetUse{row.Str(0), row.Str(1)};
                                   }));
  GYRE_TRY(version.attachments,
           db::Collect<Attachment>(reader,
                                   "SELECT name, digest, size_bytes FROM registry_attachment WHERE "
                                   "version_id = ?1 ORDER BY name",
                                   {version_id}, [](const db::Row& row) {
                                     return Attachment{row.Str(0), {row.Str(1), row.Int(2)}};
                                   }));
  GYRE_TRY(version.aliases,
           db::Collect<std::string>(
               reader, "SELECT alias FROM registry_alias WHERE version_id = ?1 ORDER BY alias",
               {version_id}, IdFromRow));
  GYRE_DO(reader.Query("SELECT name, value FROM registry_version_tag WHERE version_id = ?1",
                       {version_id}, [&](const db::Row& row) -> Result<> {
                         version.tags.emplace(row.Str(0), row.Str(1));
                         return {};
                       }));
  return version;
}

Result<std::string> FindVersionId(db::Reader& reader, std::string_view model_id,
                                  std::string_view model, int version) {
  std::string id;
  GYRE_DO(
      reader.QueryOne("SELECT id FROM registry_version WHERE model_id = ?1 AND (?2 = 0 OR version "
                      "= ?2) AND deleted_us = 0 "
                      "ORDER BY version DESC LIMIT 1",
                      {model_id, version}, [&](const db::Row& row) { id = row.Str(0); }));
  if (!id.empty()) return id;
  if (version == 0) return NotFound("GY3603", "model `{}` has no version", model);
  return NotFound("GY3603", "model `{}` has no version v{}", model, version)
      .Fix(fmt::format("gyre models versions {}", model));
}

Result<std::vector<std::string>> VersionIds(db::Reader& reader, std::string_view model_id) {
  return db::Collect<std::string>(reader,
                                  "SELECT id FROM registry_version WHERE model_id = ?1 AND "
                                  "deleted_us = 0 ORDER BY version DESC LIMIT ?2",
                                  {model_id, kVersionsListedMax}, IdFromRow);
}

Result<Model> ReadModel(db::Reader& reader, std::string_view model_id) {
  Model model;
  GYRE_TRY(
      const bool found,
      reader.QueryOne(
          "SELECT m.id, m.project, m.name, m.description, m.created_by, m.created_us, "
          "(SELECT COUNT(*) FROM registry_version v WHERE v.model_id = m.id AND v.deleted_us = 0), "
          "(SELECT COALESCE(MAX(v.version), 0) FROM registry_version v WHERE v.model_id = m.id AND "
          "v.deleted_us = 0), m.title, m.updated_us "
          "FROM registry_model m WHERE m.id = ?1 AND m.deleted_us = 0",
          {model_id}, [&](const db::Row& row) {
            model = {row.Str(0),
                     row.Str(1),
                     row.Str(2),
                     row.Str(3),
                     row.Str(4),
                     row.Int(5),
                     static_cast<int>(row.Int(7)),
                     static_cast<int>(row.Int(6)),
                     {},
                     row.Str(8),
                     {},
                     row.Int(9)};
          }));
  if (!found) return NotFound("GY3602", "there is no model with id `{}`", model_id.substr(0, 64));
  using AliasVersion = std::pair<std::string, int>;
  GYRE_TRY(model.aliases, db::Collect<AliasVersion>(
                              reader,
                              "SELECT a.alias, v.version FROM registry_alias a JOIN "
                              "registry_version v ON v.id = a.version_id "
                              "WHERE a.model_id = ?1 ORDER BY a.alias",
                              {model_id}, [](const db::Row& row) {
                                return AliasVersion(row.Str(0), static_cast<int>(row.Int(1)));
                              }));
  GYRE_DO(reader.Query("SELECT name, value FROM registry_model_tag WHERE model_id = ?1", {model_id},
                       [&](const db::Row& row) -> Result<> {
                         model.tags.emplace(row.Str(0), row.Str(1));
                         return {};
                       }));
  return model;
}

Result<std::vector<std::string>> ModelIds(db::Reader& reader, std::string_view project,
                                          const Registry::Page& page) {
  return db::Collect<std::string>(reader,
                                  "SELECT id FROM registry_model WHERE project = ?1 AND name > ?2 "
                                  "AND deleted_us = 0 ORDER BY name LIMIT ?3",
                                  {project, page.after, page.limit}, IdFromRow);
}

Result<std::vector<std::string>> NamesMadeFrom(db::Reader& reader,
                                               std::string_view dataset_version_id) {
  return db::Collect<std::string>(
      reader,
      "SELECT DISTINCT m.name, v.version FROM registry_version_dataset d JOIN registry_version v "
      "ON v.id = d.version_id JOIN registry_model m ON m.id = v.model_id "
      "WHERE d.dataset_version_id = ?1 AND v.deleted_us = 0 ORDER BY m.name, v.version LIMIT ?2",
      {dataset_version_id, kVersionsListedMax},
      [](const db::Row& row) { return fmt::format("{}:v{}", row.Str(0), row.Int(1)); });
}

}  // namespace gyre::registry
