#include "api/native/brought.h"

#include <cmath>

#include "base/time.h"

namespace gyre::native {

Result<std::map<std::string, std::string>> BroughtTexts(const Json& body, std::string_view member) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : body[member].members()) {
    if (!value.is_string())
      return InvalidArgument("GY3613", "`{}` in `{}` is no text", key.substr(0, 64), member);
    texts.emplace(key, value.AsString());
  }
  return texts;
}

Result<std::int64_t> BroughtTime(const Json& body) {
  const std::string& text = body["created_at"].AsString();
  if (text.empty()) return 0;
  const auto time_us = ParseTime(text);
  if (time_us) return *time_us;
  return InvalidArgument("GY3613", "`created_at` is no time: '{}'", text.substr(0, 64))
      .Fix("write for example 2026-11-21T08:00:00Z");
}

Result<double> BroughtValue(const Json& value) {
  if (value.is_number()) return value.AsDouble();
  const std::string& text = value.AsString();
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  return InvalidArgument(
      "GY3447", "the value of a metric must be a number, or the text NaN, Infinity or -Infinity");
}

}  // namespace gyre::native
