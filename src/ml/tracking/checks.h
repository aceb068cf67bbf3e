// What names, values and paths may be. Pure functions. Private.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::tracking {

inline constexpr std::size_t kParamBytesMax = 24'000, kTagBytesMax = 64'000;

Result<> CheckKey(std::string_view noun, std::string_view key);  // GY3407
Result<> CheckTexts(std::string_view noun, const std::map<std::string, std::string>& texts,
                    std::size_t bytes_max);   // GY3407
Result<> CheckPath(std::string_view path);    // GY3405
Result<> CheckTitle(std::string_view title);  // GY3421
std::string GuessMediaType(std::string_view path);

}  // namespace gyre::tracking
