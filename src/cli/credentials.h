// Tokens that `gyre login` keeps, in ~/.config/gyre/credentials.json (0600), by server URL or data
// directory.
#pragma once

#include <string>

#include "base/error.h"

namespace gyre::cli {

// GYRE_TOKEN, else the kept one, else "".
std::string FindToken(const std::string& audience);
Result<> KeepToken(const std::string& audience,
                   const std::string& token);  // an empty token forgets it

}  // namespace gyre::cli
