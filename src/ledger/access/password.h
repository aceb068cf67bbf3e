// Passwords by argon2id. One at a time, because each takes 64 MB while it is computed.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::access {

Result<> CheckPassword(std::string_view user,
                       std::string_view password);  // kInvalidArgument GY1712
Result<std::string> HashPassword(std::string_view password);
// An empty hash takes as long and is never right, so that time does not tell whether a user exists.
bool PasswordMatches(const std::string& hash, std::string_view password);

}  // namespace gyre::access
