// gyre upgrade: what a start of this gyre would do to a data directory, and the way back.
#pragma once

#include "base/error.h"
#include "cli/command.h"

namespace gyre {

Result<int> RunUpgrade(cli::Invocation& in);

}  // namespace gyre
