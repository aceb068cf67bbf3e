// gyre restore and gyre backup verify: what a backup holds, without a server.
#pragma once

#include "base/error.h"
#include "cli/command.h"

namespace gyre {

Result<int> RunRestore(cli::Invocation& in);
Result<int> RunVerify(cli::Invocation& in);

}  // namespace gyre
