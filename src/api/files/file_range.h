// The Range header of a download. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gyre::files {

struct FileRange {
  std::int64_t begin = 0, length = 0;
  bool partial = false;        // 206; else the whole file
  bool unsatisfiable = false;  // 416
};
// "bytes=0-99", "bytes=100-", "bytes=-100". Several ranges, other units and broken headers count as
// none.
FileRange ParseFileRange(std::optional<std::string_view> header, std::int64_t size);

}  // namespace gyre::files
