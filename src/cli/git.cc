#include "cli/git.h"

#include <utility>

namespace gyre::cli {

exec::SpawnOptions ReadingGit(const std::string& directory, std::vector<std::string> arguments) {
  exec::SpawnOptions spawn;
  spawn.argv = {"git", "-C", directory, "--no-pager"};
  for (const char* const setting : {"core.fsmonitor=false", "core.hooksPath=/dev/null",
                                    "log.showSignature=false", "protocol.allow=never"}) {
    spawn.argv.insert(spawn.argv.end(), {"-c", setting});
  }
  spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
  // A missing object of a partial clone is fetched where it is needed, by a program that the
  // repository names. An empty list of protocols holds for each version of git, also against a
  // repository that allows one of them by its name.
  spawn.environment = {{"GIT_ALLOW_PROTOCOL", ""},
                       {"GIT_NO_LAZY_FETCH", "1"},
                       {"GIT_OPTIONAL_LOCKS", "0"},
                       {"GIT_TERMINAL_PROMPT", "0"}};
  return spawn;
}

}  // namespace gyre::cli
