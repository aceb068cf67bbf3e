#include "platform/db/migrate.h"

#include <algorithm>

#include "base/hash.h"
#include "platform/exec/fault_point.h"

namespace gyre::db {
namespace {

constexpr std::string_view kCreateTable =
    "CREATE TABLE IF NOT EXISTS schema_migration (module TEXT NOT NULL, number BIGINT NOT NULL, "
    "name TEXT NOT NULL, "
    "checksum TEXT NOT NULL, applied_us BIGINT NOT NULL, PRIMARY KEY (module, number))";

const Migration* Find(std::span<const ModuleSchema> schemas, const AppliedMigration& applied) {
  for (const ModuleSchema& schema : schemas) {
    if (schema.module != applied.module) continue;
    for (const Migration& migration : schema.migrations) {
      if (migration.number == applied.number) return &migration;
    }
  }
  return nullptr;
}

}  // namespace

std::string MigrationChecksum(const Migration& migration) {
  return Sha256Hex(migration.sql).substr(0, 16);
}

std::string NameOfMigration(std::string_view module, const Migration& migration) {
  return fmt::format("{} {:04} ({})", module, migration.number, migration.name);
}

Result<std::vector<PendingMigration>> PlanMigrations(std::span<const AppliedMigration> applied,
                                                     std::span<const ModuleSchema> schemas) {
  for (const AppliedMigration& row : applied) {
    const Migration* known = Find(schemas, row);
    if (!known) {
      return FailedPrecondition(
                 "GY1410",
                 "the database has migration {} {:04} ({}), which this program does not know",
                 row.module, row.number, row.name)
          .Why("a newer gyre has written this data directory, and a schema never goes backwards")
          .Fix("use that newer gyre")
          .Fix(
              "gyre upgrade --rollback    (back to the snapshot that it made before; what was "
              "written since is set aside)");
    }
    if (MigrationChecksum(*known) != row.checksum) {
      return Error(Code::kDataLoss, "GY1411",
                   fmt::format("migration {} {:04} ({}) is not the one that made this database",
                               row.module, row.number, row.name))
          .Why("a released migration never changes")
          .Fix("use the gyre that made this data directory");
    }
  }
  // A change of a table makes SQLite read the whole schema again: what changes most comes first,
  // when there is little of it. Modules do not touch each other's tables.
  std::vector<ModuleSchema> ordered(schemas.begin(), schemas.end());
  std::ranges::stable_sort(ordered, std::ranges::greater(),
                           [](const ModuleSchema& schema) { return schema.migrations.size(); });
  std::vector<PendingMigration> pending;
  for (const ModuleSchema& schema : ordered) {
    for (const Migration& migration : schema.migrations) {
      const bool done = std::ranges::any_of(applied, [&](const AppliedMigration& row) {
        return row.module == schema.module && row.number == migration.number;
      });
      if (!done) pending.push_back({schema.module, migration});
    }
  }
  return pending;
}

Result<std::vector<AppliedMigration>> AppliedMigrations(Transaction& tx, const Dialect& dialect) {
  GYRE_TRY(const std::string create, dialect.Schema(kCreateTable));
  GYRE_DO(tx.Execute(create, {}));
  return ReadMigrations(tx);
}

Result<std::vector<AppliedMigration>> ReadMigrations(Reader& reader) {
  return Collect<AppliedMigration>(
      reader, "SELECT module, number, name, checksum FROM schema_migration ORDER BY module, number",
      {}, [](const Row& row) {
        return AppliedMigration{row.Str(0), row.Int(1), row.Str(2), row.Str(3)};
      });
}

Result<> ApplyMigrations(Transaction& tx, const Dialect& dialect,
                         std::span<const PendingMigration> pending, std::int64_t now_us) {
  for (const PendingMigration& item : pending) {
    const Migration& migration = item.migration;
    const auto fail = [&](Error error) {
      return std::move(error).Context("migration " + NameOfMigration(item.module, migration));
    };
    for (const std::string& statement : SplitStatements(migration.sql)) {
      auto sql = dialect.Schema(statement);
      if (!sql) return fail(std::move(sql).error());
      if (auto done = tx.Execute(*sql, {}); !done) return fail(std::move(done).error());
    }
    GYRE_DO(tx.Execute(
        "INSERT INTO schema_migration (module, number, name, checksum, applied_us) VALUES (?1, ?2, "
        "?3, ?4, ?5)",
        {item.module, migration.number, migration.name, MigrationChecksum(migration), now_us}));
    exec::Fault("migration.applied", NameOfMigration(item.module, migration));
  }
  return {};
}

}  // namespace gyre::db
