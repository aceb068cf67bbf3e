// Limits that more than one module states. Everything has a limit; a module's own limits live in
// its settings table.
#pragma once

#include <cstdint>

namespace gyre {

constexpr int kJsonDepthMax = 64;
constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kJsonBodyBytesMax = 8 * kMiB;  // API documents
constexpr std::int64_t kTableColumnsMax = 10'000;
constexpr std::int64_t kCellBytesMax = 16 * kMiB;
constexpr std::int64_t kPageSizeMax = 1'000;  // rows of one list answer

}  // namespace gyre
