// Models and what must hold before they are champions: the part of converge.h that takes time.
#pragma once

#include <string>

#include "cli/apply/converge.h"

namespace gyre::cli::apply {

Result<std::string> BringTraining(Work& work, const Change& change);
Result<std::string> BringGate(Work& work, const Change& change);
// The policy that an alias has when nobody sets one.
Result<> LoosenGate(Work& work, const std::string& name);
// With its aliases, which an apply that made the model has moved.
Result<> RemoveModel(Work& work, const std::string& name);

}  // namespace gyre::cli::apply
