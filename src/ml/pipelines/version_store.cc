#include "ml/pipelines/version_store.h"

#include "ledger/trash/parcel.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kVersionsMax = 1000;

constexpr std::string_view kVersionColumns =
    "SELECT project, name, version, noun, digest, source, description, steps, created_by, "
    "created_us FROM pipeline_version";

PipelineVersion VersionAt(const db::Row& row) {
  return {.project = row.Str(0),
          .name = row.Str(1),
          .version = row.Int(2),
          .noun = row.Str(3),
          .digest = row.Str(4),
          .source = row.Str(5),
          .description = row.Str(6),
          .created_by = row.Str(8),
          .steps = row.Int(7),
          .created_us = row.Int(9)};
}

Result<std::optional<PipelineVersion>> OneVersion(db::Database& database, const std::string& sql,
                                                  db::Params params) {
  std::optional<PipelineVersion> found;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne(sql, params, [&](const db::Row& row) { found = VersionAt(row); }));
    return {};
  }));
  return found;
}

Result<> InsertParts(db::Transaction& tx, const PipelineVersion& version,
                     const std::set<Reference>& parts) {
  for (const Reference& part : parts) {
    GYRE_TRY(const bool there,
             tx.QueryOne("SELECT 1 FROM pipeline_version WHERE project = ?1 AND name = ?2 AND "
                         "version = ?3",
                         {version.project, part.name, part.version}, [](const db::Row&) {}));
    if (!there)
      return MakeError(Code::kAborted, "GY4718", "`{}:v{}` was removed meanwhile", part.name,
                       part.version);
    GYRE_DO(tx.Execute(
        "INSERT INTO pipeline_part (project, name, version, part, part_version) VALUES (?1, ?2, "
        "?3, ?4, ?5)",
        {version.project, version.name, version.version, part.name, part.version}));
  }
  return {};
}

}  // namespace

Result<> VersionStore::Insert(PipelineVersion* version, std::string_view plan,
                              const std::set<Reference>& parts) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(
        tx.Execute("INSERT INTO pipeline_number (project, name, newest) VALUES (?1, ?2, 1) ON "
                   "CONFLICT (project, name) DO UPDATE SET newest = pipeline_number.newest + 1",
                   {version->project, version->name}));
    GYRE_TRY([[maybe_unused]] const bool any,
             tx.QueryOne("SELECT newest FROM pipeline_number WHERE project = ?1 AND name = ?2",
                         {version->project, version->name},
                         [&](const db::Row& row) { version->version = row.Int(0); }));
    GYRE_DO(tx.Execute(
        "INSERT INTO pipeline_version (project, name, version, noun, digest, source, description, "
        "steps, created_by, created_us, plan) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
        "?11)",
        {version->project, version->name, version->version, version->noun, version->digest,
         version->source, version->description, version->steps, version->created_by,
         version->created_us, plan}));
    return InsertParts(tx, *version, parts);
  });
}

Result<std::optional<PipelineVersion>> VersionStore::FindVersion(std::string_view project,
                                                                 std::string_view name,
                                                                 std::int64_t version) {
  static const std::string sql = std::string(kVersionColumns) +
                                 " WHERE project = ?1 AND name = ?2 AND (?3 = 0 OR version = ?3) "
                                 "ORDER BY version DESC LIMIT 1";
  return OneVersion(database_, sql, {project, name, version});
}

Result<std::optional<PipelineVersion>> VersionStore::FindDigest(std::string_view project,
                                                                std::string_view name,
                                                                std::string_view digest) {
  static const std::string sql =
      std::string(kVersionColumns) + " WHERE project = ?1 AND name = ?2 AND digest = ?3";
  return OneVersion(database_, sql, {project, name, digest});
}

Result<std::vector<PipelineVersion>> VersionStore::ListNewest(std::string_view project,
                                                              std::string_view after_name,
                                                              int limit) {
  static const std::string sql =
      std::string(kVersionColumns) +
      " AS v WHERE project = ?1 AND name > ?2 AND version = (SELECT MAX(w.version) FROM "
      "pipeline_version AS w WHERE w.project = v.project AND w.name = v.name) ORDER BY name LIMIT "
      "?3";
  std::vector<PipelineVersion> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found,
             db::Collect<PipelineVersion>(reader, sql, {project, after_name, limit}, VersionAt));
    return {};
  }));
  return found;
}

Result<std::vector<PipelineVersion>> VersionStore::ListVersions(std::string_view project,
                                                                std::string_view name) {
  static const std::string sql = std::string(kVersionColumns) +
                                 " WHERE project = ?1 AND name = ?2 ORDER BY version DESC LIMIT ?3";
  std::vector<PipelineVersion> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found,
             db::Collect<PipelineVersion>(reader, sql, {project, name, kVersionsMax}, VersionAt));
    return {};
  }));
  return found;
}

Result<std::string> VersionStore::PlanOf(const PipelineVersion& version) {
  std::string plan;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne("SELECT plan FROM pipeline_version WHERE project = ?1 AND name = ?2 "
                             "AND version = ?3",
                             {version.project, version.name, version.version},
                             [&](const db::Row& row) { plan = row.Str(0); }));
    return {};
  }));
  return plan;
}

Result<std::vector<PipelineVersion>> VersionStore::WithoutPlan() {
  constexpr int kMax = 100'000;
  static const std::string sql =
      std::string(kVersionColumns) + " WHERE plan = '' ORDER BY created_us, version LIMIT ?1";
  std::vector<PipelineVersion> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, db::Collect<PipelineVersion>(reader, sql, {kMax}, VersionAt));
    return {};
  }));
  return found;
}

Result<> VersionStore::SetPlan(const PipelineVersion& version, std::string_view plan,
                               const std::set<Reference>& parts) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(
        tx.Execute("UPDATE pipeline_version SET plan = ?4 WHERE project = ?1 AND name = ?2 AND "
                   "version = ?3",
                   {version.project, version.name, version.version, plan}));
    return InsertParts(tx, version, parts);
  });
}

Result<> VersionStore::Remove(std::string_view project, const Reference& removed,
                              std::string_view by, std::int64_t now_us) {
  const std::string name =
      removed.version == 0 ? removed.name : fmt::format("{}:v{}", removed.name, removed.version);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    PipelineVersion user;
    std::int64_t part = 0;
    GYRE_TRY(const bool used,
             tx.QueryOne("SELECT name, version, part_version FROM pipeline_part WHERE project = ?1 "
                         "AND part = ?2 AND (?3 = 0 OR part_version = ?3) AND NOT (name = ?2 AND "
                         "(?3 = 0 OR version = ?3)) ORDER BY name, version LIMIT 1",
                         {project, removed.name, removed.version}, [&](const db::Row& row) {
                           user.name = row.Str(0);
                           user.version = row.Int(1);
                           part = row.Int(2);
                         }));
    if (used)
      return FailedPrecondition("GY4715", "`{}:v{}` is part of `{}`", removed.name, part,
                                user.reference())
          .Fix("gyre pipelines rm " + user.reference());
    GYRE_TRY(
        trash::Parcel parcel,
        trash::Parcel::Begin(
            tx,
            {.noun = "pipeline", .project = project, .name = name, .by = by, .now_us = now_us}));
    for (const std::string_view table : {"pipeline_part", "pipeline_version"}) {
      GYRE_DO(parcel.Take(table, "project = ?1 AND name = ?2 AND (?3 = 0 OR version = ?3)",
                          {project, removed.name, removed.version}));
    }
    return {};
  });
}

}  // namespace gyre::pipelines
