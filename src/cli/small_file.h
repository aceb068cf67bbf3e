// A document that the user names on the command line.
#pragma once

#include <string>

#include "base/error.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"

namespace gyre::cli {

// Errors: kNotFound GY4061; what the file system says, a file beyond 8 MiB.
inline Result<std::string> ReadNamedFile(const std::string& path) {
  GYRE_TRY(auto text, config::ReadSmallFile(path, 8 << 20));
  if (!text) return NotFound("GY4061", "there is no file {}", path);
  return *std::move(text);
}

// A recipe as it stands in a file. Errors: GY1810 with file, line and column.
inline Result<std::string> ReadRecipe(const std::string& path) {
  GYRE_TRY(std::string text, ReadNamedFile(path));
  GYRE_DO(config::ParseYaml(text, path));
  return text;
}
// What a recipe's steps are refused for, with the file that holds them.
inline Error OfRecipe(const Error& error, const std::string& path) {
  if (!error.gy().starts_with("GY31") || !error.where().empty()) return error;
  return Error(error).Where(path);
}

}  // namespace gyre::cli
