// A database file as it lies there: looked at without being opened for writing. For copies, for
// snapshots, and for a database whose owner is somebody else or nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/db/database.h"
#include "platform/db/schema.h"

namespace gyre::db {

struct TableRows {
  std::string table;
  std::int64_t rows = 0;
};

struct Applied {  // migrations
  std::int64_t count = 0;
  std::int64_t last_us = 0;  // 0 = none
};

class DatabaseFile {
 public:
  virtual ~DatabaseFile() = default;
  virtual Result<> Read(const std::function<Result<>(Reader&)>& body) = 0;
  virtual Result<std::vector<std::string>> IntegrityProblems() = 0;  // empty = sound
  virtual Result<std::vector<TableRows>> CountRows() = 0;            // by name
  virtual Result<Applied> AppliedSoFar() = 0;
  // What a start would apply: "ml/registry 0003 (policy_terms)". Errors: GY1410, GY1411 of
  // Database::Migrate.
  virtual Result<std::vector<std::string>> Pending(std::span<const ModuleSchema> schemas) = 0;
};

// Errors: those of OpenSqlite.
Result<std::unique_ptr<DatabaseFile>> OpenDatabaseFile(const std::string& path);

// Whether the pages of a database are whole: reads each, and compares nothing between them, so 64
// MiB take a tenth of a second. Beside an owner, too. `stop` is asked now and then and ends it as
// if all were well. Errors: those of OpenSqlite; kDataLoss GY1405 says the way out.
Result<> CheckPages(const std::string& path, const std::function<bool()>& stop);

// The snapshots that were made before migrations (DIR/snapshots/), oldest first.
struct DatabaseSnapshot {
  std::string path;
  std::int64_t made_us = 0;
  std::int64_t size_bytes = 0;
};
std::vector<DatabaseSnapshot> SnapshotsOf(const std::string& database_path);

}  // namespace gyre::db
