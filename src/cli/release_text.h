// A release of a canary as people read it.
#pragma once

#include <string>

#include "base/json.h"

namespace gyre::cli {

// How far it is and what the last look found; of one that has ended how it ended. Empty for null.
std::string ReleaseText(const Json& release);

}  // namespace gyre::cli
