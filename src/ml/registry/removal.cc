#include "ml/registry/removal.h"

#include "base/text.h"
#include "ml/registry/alias_store.h"
#include "ml/registry/news.h"
#include "ml/registry/trash_kind.h"
#include "ml/registry/version_store.h"

namespace gyre::registry {
namespace {

Result<> TakeVersion(trash::Parcel& parcel, std::string_view version_id) {
  for (const std::string_view table :
       {"registry_alias", "registry_version_dataset", "registry_attachment", "registry_verdict",
        "registry_approval", "registry_version_tag"})
    GYRE_DO(parcel.Take(table, "version_id = ?1", {version_id}));
  GYRE_DO(parcel.Take("registry_version", "id = ?1", {version_id}));
  return parcel.TakeBlobs(kOwnerKind, version_id);
}

Result<> TakeModel(db::Transaction& tx, trash::Parcel& parcel, const ModelRow& model) {
  // Also those that were removed before there was a trash: they refer to the model's row, too.
  GYRE_TRY(const auto ids,
           db::Collect<std::string>(tx, "SELECT id FROM registry_version WHERE model_id = ?1",
                                    {model.id}, [](const db::Row& row) { return row.Str(0); }));
  GYRE_DO(
      tx.Execute("INSERT INTO registry_number (project, name, newest) SELECT project, name, "
                 "last_version FROM registry_model WHERE id = ?1 ON CONFLICT (project, name) DO "
                 "UPDATE SET newest = max(newest, excluded.newest)",
                 {model.id}));
  for (const std::string& id : ids) GYRE_DO(TakeVersion(parcel, id));
  for (const std::string_view table :
       {"registry_alias_move", "registry_policy", "registry_model_tag", "registry_former_name"})
    GYRE_DO(parcel.Take(table, "model_id = ?1", {model.id}));
  return parcel.Take("registry_model", "id = ?1", {model.id});
}

// What lay in the trash since before models had titles.
Result<> FillIn(db::Transaction& tx, std::string_view project) {
  GYRE_DO(
      tx.Execute("UPDATE registry_model SET title = name, updated_us = created_us WHERE project = "
                 "?1 AND title = ''",
                 {project}));
  return tx.Execute("UPDATE registry_version SET updated_us = created_us WHERE updated_us = 0", {});
}

constexpr const char* kOfModels = "model_id IN (SELECT id FROM registry_model WHERE project = ?1)";
constexpr const char* kOfVersions =
    "version_id IN (SELECT v.id FROM registry_version v JOIN registry_model m ON m.id = "
    "v.model_id WHERE m.project = ?1)";

Result<std::string> RemoveAsked(const TrashRooms& rooms, const trash::Asked& asked) {
  const Removal removal{.by = asked.by,
                        .force = asked.force,
                        .now_us = rooms.clock.NowMicros(),
                        .events = &rooms.events};
  std::string name;
  const bool whole = asked.name.find_first_of(":@") == std::string_view::npos;
  std::string version_id;
  if (!whole) {
    GYRE_TRY(const ModelVersion version, rooms.registry.Resolve(asked.project, asked.name));
    version_id = version.id;
  }
  GYRE_DO(rooms.database.Write([&](db::Transaction& tx) -> Result<> {
    if (whole) {
      GYRE_TRY(name, RemoveModel(tx, asked.project, asked.name, removal));
      return {};
    }
    GYRE_TRY(name, RemoveVersion(tx, version_id, removal));
    return {};
  }));
  return name;
}

}  // namespace

Result<> CheckNoAlias(const ModelVersion& version) {
  if (version.aliases.empty()) return {};
  return FailedPrecondition("GY3609", "{} is @{}", version.name(), Join(version.aliases, ", @"))
      .Why("a version that an alias points at is in use")
      .Fix(fmt::format("gyre models promote {}:vN    (move the alias first)", version.model))
      .Fix(fmt::format("gyre models rm {} --force    (the alias goes with it)", version.name()));
}

Result<std::string> RemoveVersion(db::Transaction& tx, std::string_view version_id,
                                  const Removal& removal) {
  GYRE_TRY(const ModelVersion version, ReadVersion(tx, version_id));
  if (!removal.force) GYRE_DO(CheckNoAlias(version));
  GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "model",
                                                           .project = version.project,
                                                           .name = version.name(),
                                                           .what = version.learner,
                                                           .by = removal.by,
                                                           .now_us = removal.now_us}));
  GYRE_DO(TakeVersion(parcel, version_id));
  GYRE_DO(tx.Execute("UPDATE registry_model SET updated_us = ?3 WHERE project = ?1 AND name = ?2",
                     {version.project, version.model, removal.now_us}));
  GYRE_DO(TellDeleted(tx, removal.events, version));
  return version.name();
}

Result<std::string> RemoveModel(db::Transaction& tx, std::string_view project,
                                std::string_view name, const Removal& removal) {
  GYRE_TRY(const ModelRow model, FindModel(tx, project, name));
  GYRE_TRY(const std::vector<std::string> aliases, AliasNames(tx, model.id));
  if (!removal.force && !aliases.empty()) {
    return FailedPrecondition("GY3609", "model `{}` has @{}", name, Join(aliases, ", @"))
        .Why("a model with an alias is in use")
        .Fix(fmt::format("gyre models retire {} --alias {}", name, aliases[0]))
        .Fix(fmt::format("gyre models rm {} --force    (its aliases go with it)", name));
  }
  GYRE_TRY(const std::vector<std::string> ids, VersionIds(tx, model.id));
  for (const std::string& id : ids) {
    GYRE_TRY(const ModelVersion version, ReadVersion(tx, id));
    GYRE_DO(TellDeleted(tx, removal.events, version));
  }
  const std::string what = fmt::format("{} version{}", ids.size(), ids.size() == 1 ? "" : "s");
  GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "model",
                                                           .project = project,
                                                           .name = model.name,
                                                           .what = what,
                                                           .by = removal.by,
                                                           .now_us = removal.now_us}));
  GYRE_DO(TakeModel(tx, parcel, model));
  return model.name;
}

trash::Kind ModelTrash(TrashRooms rooms) {
  return {.noun = "model",
          .permission = "model.write",
          .names = {{"registry_model", "name"}, {"registry_model", "title"}},
          .remove = [rooms](const trash::Asked& asked) { return RemoveAsked(rooms, asked); },
          .yields = {"registry_alias", "registry_former_name"},
          .back = [rooms](db::Transaction& tx, const trash::Item& item,
                          std::string_view name) -> Result<> {
            GYRE_DO(FillIn(tx, item.project));
            return rooms.events.Publish(
                tx, {.kind = "model.restored", .project = item.project, .subject = name});
          }};
}

trash::Holding HeldModels() {
  return {.what = "models",
          .count = "SELECT COUNT(*) FROM registry_model WHERE project = ?1",
          .blobs = {{kOwnerKind,
                     "SELECT v.id FROM registry_version v JOIN registry_model m ON m.id = "
                     "v.model_id WHERE m.project = ?1"}},
          .rows = {{"registry_alias", kOfVersions},
                   {"registry_version_dataset", kOfVersions},
                   {"registry_attachment", kOfVersions},
                   {"registry_verdict", kOfVersions},
                   {"registry_approval", kOfVersions},
                   {"registry_version_tag", kOfVersions},
                   {"registry_version", kOfModels},
                   {"registry_alias_move", kOfModels},
                   {"registry_policy", kOfModels},
                   {"registry_model_tag", kOfModels},
                   {"registry_former_name"},
                   {"registry_model"},
                   {"registry_number"}}};
}

}  // namespace gyre::registry
