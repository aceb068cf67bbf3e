#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "platform/db/database_file.h"
#include "platform/db/migrate.h"
#include "platform/db/sqlite_checks.h"
#include "platform/db/sqlite_connection.h"

namespace gyre::db {
namespace {

class SqliteFile : public DatabaseFile {
 public:
  explicit SqliteFile(std::unique_ptr<SqliteConnection> connection)
      : connection_(std::move(connection)), reader_(*connection_) {}

  Result<> Read(const std::function<Result<>(Reader&)>& body) override { return body(reader_); }
  Result<std::vector<std::string>> IntegrityProblems() override {
    return WholeIntegrityProblems(*connection_);
  }

  Result<std::vector<TableRows>> CountRows() override {
    GYRE_TRY(auto tables, Tables());
    for (TableRows& table : tables) {
      GYRE_DO(connection_->Query(fmt::format("SELECT count(*) FROM \"{}\"", table.table), {},
                                 [&](const Row& row) -> Result<> {
                                   table.rows = row.Int(0);
                                   return {};
                                 }));
    }
    return tables;
  }

  Result<Applied> AppliedSoFar() override {
    Applied applied;
    GYRE_TRY(const bool any, HasMigrations());
    if (!any) return applied;
    GYRE_DO(connection_->Query("SELECT count(*), max(applied_us) FROM schema_migration", {},
                               [&](const Row& row) -> Result<> {
                                 applied = {row.Int(0), row.Int(1)};
                                 return {};
                               }));
    return applied;
  }

  Result<std::vector<std::string>> Pending(std::span<const ModuleSchema> schemas) override {
    std::vector<AppliedMigration> applied;
    GYRE_TRY(const bool any, HasMigrations());
    if (any) {
      GYRE_TRY(applied, ReadMigrations(reader_));
    }
    GYRE_TRY(const auto pending, PlanMigrations(applied, schemas));
    std::vector<std::string> names;
    for (const PendingMigration& item : pending)
      names.push_back(NameOfMigration(item.module, item.migration));
    return names;
  }

 private:
  Result<bool> HasMigrations() {
    GYRE_TRY(const auto tables, Tables());
    return std::ranges::find(tables, kMigrationTable, &TableRows::table) != tables.end();
  }

  Result<std::vector<TableRows>> Tables() {
    // A name that would have to be escaped is not ours.
    return Collect<TableRows>(reader_,
                              "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT "
                              "LIKE 'sqlite_%' AND name NOT LIKE '%\"%' ORDER BY name",
                              {}, [](const Row& row) { return TableRows{row.Str(0), 0}; });
  }

  std::unique_ptr<SqliteConnection> connection_;
  ConnectionReader reader_;
};

}  // namespace

Result<std::unique_ptr<DatabaseFile>> OpenDatabaseFile(const std::string& path) {
  GYRE_TRY(auto connection, SqliteConnection::Open(path, SqliteConnection::Mode::kReader, ""));
  // Reads the header: what is no database is told now.
  GYRE_DO(connection->Query("SELECT count(*) FROM sqlite_master", {},
                            [](const Row&) -> Result<> { return {}; }));
  return std::unique_ptr<DatabaseFile>(std::make_unique<SqliteFile>(std::move(connection)));
}

Result<> CheckPages(const std::string& path, const std::function<bool()>& stop) {
  GYRE_TRY(auto connection, SqliteConnection::Open(path, SqliteConnection::Mode::kReader, ""));
  connection->EndWhen(stop);
  const auto problems = Problems(*connection, "quick_check(1)");
  if (stop && stop()) return {};
  if (!problems) return problems.error();
  return problems->empty() ? Result<>() : DamagedError(path, problems->front());
}

std::vector<DatabaseSnapshot> SnapshotsOf(const std::string& database_path) {
  namespace fs = std::filesystem;
  const fs::path database(database_path);
  const std::string stem = database.stem().string() + "-";
  std::vector<DatabaseSnapshot> snapshots;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(database.parent_path() / kSnapshotFolder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(stem) || !name.ends_with(".db")) continue;
    const auto made = ParseInt(name.substr(stem.size(), name.size() - stem.size() - 3));
    if (!made) continue;
    const auto size = static_cast<std::int64_t>(entry.file_size(error));
    snapshots.push_back({entry.path().string(), *made, error ? -1 : size});
  }
  std::ranges::sort(snapshots, {}, &DatabaseSnapshot::made_us);
  return snapshots;
}

}  // namespace gyre::db
