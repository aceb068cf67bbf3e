// As which owner of blobs the trash is known. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gyre::trash {

inline constexpr std::string_view kOwnerKind = "trash";
inline std::string OwnerId(std::int64_t number) { return std::to_string(number); }

}  // namespace gyre::trash
