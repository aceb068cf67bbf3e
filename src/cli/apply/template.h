// Projects to begin with: a folder with data, a gyre.yaml and a page that explains it.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/command.h"

namespace gyre::cli::apply {

// gyre init --template: writes `folder`, whose name becomes the project's. Errors: kNotFound GY4912
// no such template, kAlreadyExists GY4913 the folder holds something, GY1200.
Result<int> WriteTemplate(Invocation& in, const std::string& name, const std::string& folder);

}  // namespace gyre::cli::apply
