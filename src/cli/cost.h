// The command rows of what things cost.
#pragma once

#include <span>

#include "cli/command.h"

namespace gyre::cli {

std::span<const Command> CostCommands();

}  // namespace gyre::cli
