// A document that the user names on the command line.
#pragma once

#include <string>

#include "base/error.h"
#include "platform/config/environment.h"

namespace gyre::cli {

// Errors: kNotFound GY4061; what the file system says, a file beyond 8 MiB.
inline Result<std::string> ReadNamedFile(const std::string& path) {
  GYRE_TRY(auto text, config::ReadSmallFile(path, 8 << 20));
  if (!text) return NotFound("GY4061", "there is no file {}", path);
  return *std::move(text);
}

}  // namespace gyre::cli
