// Makes a data directory of a backup, whole or not at all, or only looks whether that would work.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/db/database_file.h"
#include "platform/db/schema.h"

namespace gyre::backup {

struct RestoreSettings {
  std::string file = {};       // "-" = standard input
  std::string directory = {};  // not there, or empty; "" = only look
  std::span<const db::ModuleSchema> schemas = {};
  std::function<Result<>(db::DatabaseFile&)> look = {};  // at the database, when it is sound
  std::function<Result<>(std::int64_t unpacked_bytes)> progress = {};
};
struct Restored {
  Json about, manifest;              // reader.h
  std::vector<std::string> pending;  // migrations that the next start applies
  std::int64_t tables = 0, rows = 0;
};
// Everything is read, hashed and compared before the directory appears: the database page by page,
// its row counts, and that each blob that a row refers to is there with its bytes. Errors: those of
// BackupReader; kAlreadyExists GY1905 when something is in the directory; kDataLoss GY1908 when
// the parts do not fit one another; kFailedPrecondition GY1410 when a newer gyre made it, GY1909
// when another restore is at work.
Result<Restored> Restore(const RestoreSettings& settings);

// Error: GY1905.
Result<> CheckEmpty(const std::string& directory);

}  // namespace gyre::backup
