// --jq EXPRESSION: what the machine's libjq makes of a document. Loaded at the first use.
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"

namespace gyre::cli {

// One line for each result: texts as they are, everything else as JSON. Errors: kFailedPrecondition
// GY4042 libjq is not there, kInvalidArgument GY4043 the expression or what it met.
Result<std::string> ApplyJq(const std::string& expression, const Json& document);

}  // namespace gyre::cli
