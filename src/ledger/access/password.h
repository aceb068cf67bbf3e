// Passwords by argon2id, one at a time because each takes 64 MB while it is computed; and secrets
// that take their place.
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

// 256 random bits behind a prefix that says what they open.
std::string NewSecret(std::string_view prefix);

}  // namespace gyre::access
