// gyre runs watch. Private to the runs' commands.
#pragma once

#include "base/error.h"
#include "cli/command.h"

namespace gyre::cli {

Result<int> WatchRuns(Invocation& in);

}  // namespace gyre::cli
