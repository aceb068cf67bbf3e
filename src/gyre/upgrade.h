// The way back from a migration: the database as it was before, and what was written since under a
// name of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/db/database.h"
#include "platform/db/database_file.h"

namespace gyre {

struct RowsSince {
  std::string table;
  std::int64_t then = 0, now = 0;  // -1 = no such table
};
struct RolledBack {
  db::DatabaseSnapshot snapshot;
  std::string set_aside;          // the database as it was until now
  std::vector<RowsSince> since;   // where the two differ in number
  std::int64_t blobs_gone = 0;    // that the snapshot refers to
  std::int64_t secrets_kept = 0;  // sealed anew since: they keep today's value
  std::int64_t secrets_gone = 0;  // sealed under a master key that is no more, and removed since
};
// Takes the newest snapshot with fewer migrations than the database, of those that `schemas` know.
// The caller holds the directory. The blobs of what is set aside stay while its file is there.
// Secrets that the present master key would not open keep the value that they have now; later
// anchors of the audit log go beside what is set aside, and the log says that it was taken back.
// Errors: kNotFound GY1920 no such snapshot; kDataLoss GY1921 it, or the database, is damaged.
Result<RolledBack> RollBack(const std::string& directory,
                            std::span<const db::ModuleSchema> schemas);

// Lets the collector have the blobs of databases that were set aside and whose file is gone.
Result<> ForgetSetAside(db::Database& database, const std::string& directory);

}  // namespace gyre
