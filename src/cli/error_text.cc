#include "cli/error_text.h"

#include "base/json.h"
#include "cli/command.h"

namespace gyre::cli {

std::string ErrorText(const Error& error, const TextStyle& style) {
  const std::string_view red = style.colour ? "\x1b[1;31m" : "";
  const std::string_view bold = style.colour ? "\x1b[1m" : "";
  const std::string_view off = style.colour ? "\x1b[0m" : "";
  std::string text =
      fmt::format("{}error[{}]{}: {}{}{}\n", red, error.gy(), off, bold, error.message(), off);
  if (!error.where().empty()) text += fmt::format("  --> {}\n", error.where());
  if (!error.why().empty()) text += fmt::format("  why: {}\n", error.why());
  std::string_view label = "fix:";
  for (const std::string& fix : error.fixes()) {
    text += fmt::format("  {} {}\n", label, fix);
    label = "    ";
  }
  text += fmt::format("  more: gyre explain {}\n", error.gy());
  return text;
}

std::string ErrorJson(const Error& error) {
  Json fixes = Json::Arr();
  for (const std::string& fix : error.fixes()) fixes.Push(fix);
  Json json = Json::Obj({{"code", error.gy()},
                         {"status", CodeName(error.code())},
                         {"message", error.message()},
                         {"why", error.why()}});
  if (!error.where().empty()) json.Set("where", error.where());
  json.Set("fix", std::move(fixes));
  return json.Dump() + "\n";
}

// A wrong command line, name or setting is a usage error; a request that the data refutes has
// simply failed.
int ExitCodeOf(const Error& error) {
  const std::string& gy = error.gy();
  switch (error.code()) {
    case Code::kInvalidArgument:
      return gy.starts_with("GY40") || gy.starts_with("GY12") || gy.starts_with("GY18") ||
                     gy.starts_with("GY49") || gy == "GY1060" || gy == "GY1612" || gy == "GY1619"
                 ? 2
                 : 1;
    case Code::kNotFound:
      return 3;
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
      return 4;
    case Code::kAlreadyExists:
    case Code::kAborted:
    case Code::kFailedPrecondition:
      return 6;
    case Code::kDeadlineExceeded:
      return 7;
    case Code::kResourceExhausted:
      return 8;
    case Code::kCancelled:
      return 130;
    default:
      return 1;
  }
}

}  // namespace gyre::cli
