#include "ml/inference_log/keyed_hash.h"

#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"
#include "platform/exec/files.h"
#include "platform/table/append.h"

namespace gyre::inference_log {

Result<std::string> OpenKey(const std::string& path) {
  if (!exec::FileExists(path)) GYRE_DO(exec::WritePrivateFile(path, NewId() + NewId()));
  return exec::ReadPrivateFile(path);
}

std::string KeyedHash(std::string_view key, std::string_view value) {
  constexpr std::size_t kDigits = 32;
  return HmacSha256Hex(key, value).substr(0, kDigits);
}

std::string ValueText(table::Type type, std::int64_t i, double d, std::string_view text) {
  switch (type) {
    case table::Type::kText:
      return std::string(text);
    case table::Type::kDouble:
      return fmt::format("{}", d);
    case table::Type::kBool:
      return i != 0 ? "true" : "false";
    case table::Type::kDate:
      return table::DateText(i);
    case table::Type::kTimestamp:
      return FormatTime(i);
    case table::Type::kInt:
      return std::to_string(i);
  }
  return {};
}

}  // namespace gyre::inference_log
