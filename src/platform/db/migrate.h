// Brings modules to their newest schema, on any backend.
#pragma once

#include <span>
#include <vector>

#include "platform/db/database.h"
#include "platform/db/dialect.h"

namespace gyre::db {

struct AppliedMigration {
  std::string module;
  std::int64_t number = 0;
  std::string name;
  std::string checksum;
};

struct PendingMigration {
  std::string_view module;
  Migration migration;
};

inline constexpr std::string_view kMigrationTable = "schema_migration";

std::string MigrationChecksum(const Migration& migration);
std::string NameOfMigration(std::string_view module, const Migration& migration);

// What is to be done, in the order of `schemas`. Errors: GY1410 for a migration in the database
// that no schema knows, GY1411 for a changed one.
Result<std::vector<PendingMigration>> PlanMigrations(std::span<const AppliedMigration> applied,
                                                     std::span<const ModuleSchema> schemas);

// Of a database that has the table.
Result<std::vector<AppliedMigration>> ReadMigrations(Reader& reader);
// Empty when nothing was ever applied.
Result<std::vector<AppliedMigration>> AppliedMigrations(Transaction& tx, const Dialect& dialect);
Result<> ApplyMigrations(Transaction& tx, const Dialect& dialect,
                         std::span<const PendingMigration> pending, std::int64_t now_us);

}  // namespace gyre::db
