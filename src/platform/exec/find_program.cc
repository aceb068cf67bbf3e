#include "platform/exec/find_program.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "base/text.h"

namespace gyre::exec {

std::string_view PathOf(std::span<const std::string> environment) {
  std::string_view path = "/usr/local/bin:/usr/bin:/bin";
  for (const std::string& variable : environment) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  return path;
}

std::string FindProgram(std::string_view name, std::string_view path) {
  if (name.find('/') != std::string_view::npos) return std::string(name);
  for (const std::string_view directory : Split(path, ':')) {
    std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::string(name);
}

std::string ProgramIdentity(std::string_view name, std::string_view path) {
  const std::string found = FindProgram(name, path);
  struct stat info{};
  if (found.find('/') == std::string::npos || ::stat(found.c_str(), &info) != 0 ||
      !S_ISREG(info.st_mode) || ::access(found.c_str(), X_OK) != 0)
    return {};
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(found.c_str(), nullptr),
                                                         &std::free);
  return fmt::format("{} {} {} {}.{:09}", found, real ? real.get() : "", info.st_size,
                     info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

}  // namespace gyre::exec
