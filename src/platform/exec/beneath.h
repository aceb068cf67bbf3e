// Files of a folder whose names strangers say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::exec {

// A plain file below `folder`; no part of `path` is ".", "..", empty or a link, so that nothing
// beyond the folder is reached whatever lies in it. Errors: kInvalidArgument GY1336 such a path,
// GY1331 not a plain file; kNotFound; kResourceExhausted GY1332.
Result<std::string> ReadFileBeneath(const std::string& folder, std::string_view path,
                                    std::int64_t bytes_max);

}  // namespace gyre::exec
