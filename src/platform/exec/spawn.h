// The part of Process that runs between clone and exec, where only async-signal-safe calls are
// allowed.
#pragma once

#include <string>

#include "base/error.h"
#include "platform/exec/process.h"

namespace gyre::exec {

// Starts the program and returns its pid. The calling thread does not matter: a thread that lives
// as long as the process does it, because PR_SET_PDEATHSIG fires when the *thread* that made the
// child ends.
Result<int> SpawnChild(const SpawnOptions& options);

}  // namespace gyre::exec
