// Manual pages from the rows of commands.
#pragma once

#include <string>
#include <string_view>

#include "cli/grammar.h"

namespace gyre::cli {

// gyre.1 and one gyre-NOUN-VERB.1 for each command. The answer is how many.
Result<int> WriteManPages(const Grammar& grammar, std::string_view version,
                          const std::string& directory);
std::string ManPage(const Command& command, std::string_view version);

}  // namespace gyre::cli
