// The folders in a folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace gyre::exec {

struct FolderEntry {
  std::string name;
  std::int64_t modified_us = 0;  // something was added to it or removed from it
};
// Sorted by name; links are left out. A missing folder is empty.
Result<std::vector<FolderEntry>> ListFolders(const std::string& directory);

}  // namespace gyre::exec
