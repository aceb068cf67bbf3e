// What stands in the place of a value that must not be kept: the same value always gives the same
// text, and only who holds the key could find it by trying. Private.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/table/frame.h"

namespace gyre::inference_log {

// The key file (0600) is made at the first call. Error: kPermissionDenied GY1333.
Result<std::string> OpenKey(const std::string& path);
std::string KeyedHash(std::string_view key, std::string_view value);  // 32 hexadecimal digits
// A value as it stands in a key or is hashed: "17", "0.5", "true", "2026-11-21".
std::string ValueText(table::Type type, std::int64_t i, double d, std::string_view text);

}  // namespace gyre::inference_log
