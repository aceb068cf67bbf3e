// git, told to read a repository that a stranger may have made.
#pragma once

#include <string>
#include <vector>

#include "platform/exec/process.h"

namespace gyre::cli {

// Nothing that the repository's own settings name is started (hooks, monitors, signature checks,
// the programs that a fetch would talk to), nothing is fetched, nobody is asked for a password.
// Diffs still need --no-ext-diff and --no-textconv; what `git add` cleans runs the filters.
exec::SpawnOptions ReadingGit(const std::string& directory, std::vector<std::string> arguments);

}  // namespace gyre::cli
