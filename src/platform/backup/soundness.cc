#include "platform/backup/soundness.h"

#include "platform/db/database_file.h"
#include "platform/exec/files.h"

namespace gyre::backup {

Result<> CheckDatabase(const std::string& data_directory) {
  const std::string path = data_directory + "/gyre.db";
  if (!exec::FileExists(path)) return {};
  return db::CheckPages(path, {});
}

}  // namespace gyre::backup
