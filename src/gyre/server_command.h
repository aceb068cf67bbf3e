// gyre server, gyre server stop, gyre server status, gyre worker.
#pragma once

#include <span>

#include "cli/command.h"

namespace gyre {

std::span<const cli::Command> ProgramCommands();

}  // namespace gyre
