// Text without locale, streams or regular expressions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre {

std::vector<std::string_view> Split(std::string_view text,
                                    char separator);  // keeps empty parts; "" gives one empty part
std::string Join(std::span<const std::string> parts, std::string_view separator);
std::string_view Trim(std::string_view text);  // ASCII white space
std::string ToLower(std::string_view text);    // ASCII
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// Whole text or nothing; no leading '+', no white space.
std::optional<std::int64_t> ParseInt(std::string_view text);
std::optional<double> ParseDouble(
    std::string_view text);  // correctly rounded; accepts inf, nan in any case

// Length of the valid UTF-8 sequence at the start of text; 0 when it is not valid (overlong,
// surrogate, truncated, above U+10FFFF).
std::size_t Utf8SequenceLength(std::string_view text);
bool IsValidUtf8(std::string_view text);

// [A-Za-z0-9][A-Za-z0-9._-]{0,127}: what every named thing must match. `noun` goes into the
// message: GY1200.
Result<> CheckName(std::string_view noun, std::string_view name);

// The closest candidate when it is close enough to be a typing mistake, for "did you mean".
std::optional<std::string> ClosestMatch(std::string_view word,
                                        std::span<const std::string> candidates);

std::string GroupDigits(std::int64_t value);  // 50,000
std::string HumanBytes(std::int64_t bytes);   // 1.2 GB (powers of ten)
std::string HumanSeconds(double seconds);     // 0.42 s, 61 ms, 2 min 5 s
std::string PercentDecode(std::string_view text, bool plus_is_space, bool* ok);
std::string PercentEncode(std::string_view text);  // keeps unreserved characters

}  // namespace gyre
