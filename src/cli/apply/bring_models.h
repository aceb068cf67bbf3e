// Models and what must hold before they are champions: the part of converge.h that takes time.
#pragma once

#include <string>

#include "cli/apply/converge.h"

namespace gyre::cli::apply {

Result<std::string> BringTraining(Work& work, const Change& change);
Result<std::string> BringGate(Work& work, const Change& change);

}  // namespace gyre::cli::apply
