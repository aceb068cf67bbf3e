// What people may write: titles of models, aliases, tags, descriptions. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::registry {

inline constexpr std::size_t kTitleMax = 256;  // characters
inline constexpr std::size_t kDescriptionMax = 5'000;
inline constexpr std::size_t kAliasMax = 255;
inline constexpr std::size_t kTagKeyMax = 250;
inline constexpr std::size_t kTagMax = 100'000;

// Of a new title: any text but '%', '/', ':' and control characters, which would make two titles
// one, or a title a path. Error: GY3631.
Result<> CheckTitle(std::string_view title);
// What our rule for names makes of a title: "my-model" of "my model".
std::string NameOfTitle(std::string_view title);

// Letters, digits, '_', '-' and '.', of any script. Error: GY3634.
Result<> CheckAliasText(std::string_view alias);
// And not what a version is called: "latest", "v3".
Result<> CheckAlias(std::string_view alias);
Result<> CheckDescription(std::string_view text);                 // GY3632
Result<> CheckTag(std::string_view key, std::string_view value);  // GY3633

}  // namespace gyre::registry
