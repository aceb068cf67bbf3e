// Files that have come to rest in a folder: whole, as far as anybody can tell. Private.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace gyre::automation {

struct RestingFile {
  std::string name;
  std::int64_t changed_us = 0, bytes = 0;
};

// Plain files of the folder itself that match the pattern ("" = all that do not begin with a dot),
// came or were changed after `after_us`, and have not been changed for `rest_us`; by time, at most
// `files_max` and those of the same time as the last of these: what is after them comes when the
// caller has moved on to that time. Names that are no UTF-8 are passed over. Errors: kNotFound,
// kPermissionDenied of the folder.
// Errors: kNotFound GY4812 no such folder, or it cannot be read.
Result<> CheckFolder(const std::string& folder);
Result<std::vector<RestingFile>> FilesAtRest(const std::string& folder, const std::string& pattern,
                                             std::int64_t after_us, std::int64_t now_us,
                                             std::int64_t rest_us, std::size_t files_max);

}  // namespace gyre::automation
