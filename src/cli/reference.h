// docs/commands and docs/settings.md, from the rows that --help shows.
#pragma once

#include <string>

#include "cli/grammar.h"
#include "platform/config/settings.h"

namespace gyre::cli {

// DIRECTORY/commands/WORD.md for each first word, its README.md, DIRECTORY/settings.md. The answer
// is how many files.
Result<int> WriteReference(const Grammar& grammar, const config::Settings& settings,
                           const std::string& directory);

}  // namespace gyre::cli
