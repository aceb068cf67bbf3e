#include "api/files/file_range.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::files {

FileRange ParseFileRange(std::optional<std::string_view> header, std::int64_t size) {
  const FileRange whole{0, size, false, false};
  constexpr std::string_view kUnit = "bytes=";
  if (!header || !header->starts_with(kUnit)) return whole;
  const std::string_view spec = Trim(header->substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return whole;
  const std::string_view first = spec.substr(0, dash), last = spec.substr(dash + 1);
  const auto a = ParseInt(first), b = ParseInt(last);
  if (first.empty()) {
    if (!b || *b < 0) return whole;
    const std::int64_t length = std::min(*b, size);
    return {size - length, length, length > 0, length == 0};
  }
  if (!a || *a < 0 || (!last.empty() && (!b || *b < *a))) return whole;
  if (*a >= size) return {0, 0, false, true};
  const std::int64_t end = last.empty() ? size : std::min(size, *b == INT64_MAX ? size : *b + 1);
  return {*a, end - *a, true, false};
}

}  // namespace gyre::files
