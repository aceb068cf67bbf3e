// Where a command with --out writes. Asked before the work begins, so that it is not in vain.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/shell.h"
#include "cli/command.h"

namespace gyre::cli {

inline constexpr Option kForceOut = {"--force", "", "overwrite the file of --out"};

// --out, else `fallback`; "-" is standard output. Errors: kAlreadyExists GY4068 a file that only
// --force replaces.
inline Result<std::string> OutFile(const Invocation& in, std::string fallback = "-") {
  const std::string path = in.Has("out") ? in.Get("out") : std::move(fallback);
  if (path == "-" || path == "/dev/stdout") return std::string("-");
  struct stat there{};
  if (in.Has("force") || ::stat(path.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return path;
  return MakeError(Code::kAlreadyExists, "GY4068", "{} is there already", path)
      .Fix("--force    (overwrites it)")
      .Fix(fmt::format("--out {}    (keeps both)",
                       ShellWord("new-" + path.substr(path.rfind('/') + 1))));
}

}  // namespace gyre::cli
