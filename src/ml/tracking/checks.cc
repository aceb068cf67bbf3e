#include "ml/tracking/checks.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kKeyBytesMax = 1'000, kTitleBytesMax = 2'000, kPathBytesMax = 1'000;

bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

Result<> CheckKey(std::string_view noun, std::string_view key) {
  if (!key.empty() && key.size() <= kKeyBytesMax && IsValidUtf8(key) && !HasControl(key)) return {};
  return InvalidArgument("GY3407", "the {} name `{}` has {} bytes", noun, key.substr(0, 60),
                         key.size())
      .Why(fmt::format("names have 1 to {} bytes of UTF-8 without control characters",
                       kKeyBytesMax));
}

Result<> CheckTexts(std::string_view noun, const std::map<std::string, std::string>& texts,
                    std::size_t bytes_max) {
  for (const auto& [key, value] : texts) {
    GYRE_DO(CheckKey(noun, key));
    if (value.size() > bytes_max || !IsValidUtf8(value)) {
      return InvalidArgument("GY3407", "the value of {} `{}` has {} bytes", noun, key, value.size())
          .Why(fmt::format("values have at most {} bytes of UTF-8", bytes_max));
    }
  }
  return {};
}

Result<> CheckPath(std::string_view path) {
  bool good = !path.empty() && path.size() <= kPathBytesMax && IsValidUtf8(path) &&
              path.find('\0') == std::string_view::npos &&
              path.find('\\') == std::string_view::npos;
  for (const std::string_view part : Split(path, '/'))
    good = good && !part.empty() && part != "." && part != "..";
  if (good) return {};
  return InvalidArgument("GY3405", "`{}` cannot be the path of an artifact", path.substr(0, 100))
      .Why("artifact paths are relative, with '/' between names, without '.' and '..'");
}

std::string GuessMediaType(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".json", "application/json"}, {".txt", "text/plain"},       {".log", "text/plain"},
      {".csv", "text/csv"},          {".md", "text/markdown"},     {".html", "text/html"},
      {".png", "image/png"},         {".jpg", "image/jpeg"},       {".svg", "image/svg+xml"},
      {".diff", "text/x-diff"},      {".yaml", "application/yaml"}};
  for (const auto& [suffix, type] : kTypes) {
    if (path.ends_with(suffix)) return std::string(type);
  }
  return "application/octet-stream";
}

Result<> CheckTitle(std::string_view title) {
  if (!title.empty() && title.size() <= kTitleBytesMax && IsValidUtf8(title) &&
      title.find('\0') == std::string_view::npos)
    return {};
  return InvalidArgument("GY3421", "`{}` cannot be the name of an experiment", title.substr(0, 60))
      .Why(fmt::format("names have 1 to {} bytes of UTF-8", kTitleBytesMax));
}

}  // namespace gyre::tracking
