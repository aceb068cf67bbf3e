#include "platform/config/environment.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/id.h"
#include "base/text.h"
#include "platform/config/secrets.h"

namespace gyre::config {
namespace {

Error FileError(std::string_view doing, const std::string& path, int error_number) {
  return SystemError(fmt::format("{} {}", doing, path), error_number);
}

Result<> WriteAll(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError("writing", path, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(descriptor) != 0) return FileError("syncing", path, errno);
  return {};
}

std::string FromHome(const char* variable, std::string_view below_home) {
  if (const auto base = Environment(variable); base && base->starts_with('/'))
    return *base + "/gyre";
  return HomeDirectory() + std::string(below_home);
}

// Only this user and root can change it. The group that a user has alone bears the user's number.
bool IsOurs(const struct stat& info) {
  const uid_t user = ::geteuid();
  const bool shared = (info.st_mode & S_IWGRP) != 0 && info.st_gid != 0 &&
                      (info.st_gid != ::getegid() || info.st_gid != user);
  return (info.st_uid == user || info.st_uid == 0) && !shared && (info.st_mode & S_IWOTH) == 0;
}

// Empty when the file may be read, or is not there. Whoever could put a file into a folder above
// would else choose the settings of everybody who works below; an empty folder is the current one.
std::string_view WhyNotProjectFile(const std::string& path, const std::string& folder) {
  struct stat file{}, around{};
  if (::stat(path.c_str(), &file) != 0) return {};
  if (!S_ISREG(file.st_mode)) return "it is not a regular file";
  if (folder.empty()) return {};
  if (!IsOurs(file)) return "it belongs to another user or is writable by others";
  if (::stat(folder.c_str(), &around) != 0 || !IsOurs(around))
    return "its folder belongs to another user or is writable by others";
  return {};
}

}  // namespace

std::optional<std::string> Environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::map<std::string, std::string> RedactedEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals), value = text.substr(equals + 1);
    variables[std::string(name)] = LooksSecret(name, value) ? "(hidden)" : std::string(value);
  }
  return variables;
}

std::string HomeDirectory() {
  if (const auto home = Environment("HOME"); home && home->starts_with('/')) return *home;
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(::getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
    return found->pw_dir;
  return "/";
}

std::string DefaultDataDirectory() {
  if (const auto data = Environment("GYRE_DATA"); data && !data->empty())
    return AbsolutePath(*data);
  return FromHome("XDG_DATA_HOME", "/.local/share/gyre");
}

std::string UserConfigDirectory() { return FromHome("XDG_CONFIG_HOME", "/.config/gyre"); }

std::string FindProjectFile(std::vector<std::string>* refused) {
  constexpr std::string_view kName = "gyre.yaml";
  const auto usable = [&](const std::string& path, const std::string& folder) {
    const std::string_view why = WhyNotProjectFile(path, folder);
    if (!why.empty() && refused != nullptr) refused->push_back(fmt::format("{}: {}", path, why));
    return why.empty() && ::access(path.c_str(), F_OK) == 0;
  };
  if (usable(std::string(kName), "")) return std::string(kName);
  const auto here = CurrentDirectory();
  if (!here) return {};
  const std::string home = HomeDirectory();
  for (std::string folder = *here; folder != "/" && folder != home;) {
    folder.resize(std::max<std::size_t>(folder.rfind('/'), 1));
    std::string path = fmt::format("{}{}{}", folder, folder == "/" ? "" : "/", kName);
    if (usable(path, folder)) return path;
  }
  return {};
}

std::string AbsolutePath(std::string_view path) {
  if (path == "~" || path.starts_with("~/")) return HomeDirectory() + std::string(path.substr(1));
  if (path.starts_with('/')) return std::string(path);
  const auto here = CurrentDirectory();
  std::string base = here ? *here : std::string("/");
  if (path.empty() || path == ".") return base;
  if (!base.ends_with('/')) base += '/';
  return base + std::string(path.starts_with("./") ? path.substr(2) : path);
}

Result<std::string> CurrentDirectory() {
  char buffer[4096];
  if (::getcwd(buffer, sizeof buffer) == nullptr)
    return SystemError("finding the current directory", errno);
  return std::string(buffer);
}

Result<std::optional<std::string>> ReadSmallFile(const std::string& path, std::size_t bytes_max) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::optional<std::string>{};
  if (descriptor < 0) return FileError("opening", path, errno);
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error_number = errno;
      ::close(descriptor);
      return FileError("reading", path, error_number);
    }
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > bytes_max) {
      ::close(descriptor);
      return InvalidArgument("GY1802", "{} is larger than {}", path,
                             HumanBytes(static_cast<std::int64_t>(bytes_max)));
    }
  }
  ::close(descriptor);
  return std::optional<std::string>(std::move(text));
}

Result<> WriteSmallFile(const std::string& path, std::string_view text, unsigned mode) {
  const std::string temporary = path + "." + NewId().substr(0, 8);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return FileError("creating", temporary, errno);
  const Result<> written = WriteAll(descriptor, text, temporary);
  ::close(descriptor);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    return FileError("renaming to", path, error_number);
  }
  return {};
}

Result<> MakeDirectories(const std::string& path, unsigned mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST)
      return FileError("making the folder", part, errno);
    if (slash == std::string::npos) break;
  }
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return FileError("looking at", path, errno);
  if (!S_ISDIR(info.st_mode)) {
    return FailedPrecondition("GY1803", "{} is not a folder", path)
        .Fix("choose another one with --data DIR");
  }
  return {};
}

Terminal TerminalOf(int descriptor) {
  Terminal terminal;
  terminal.is_terminal = ::isatty(descriptor) == 1;
  winsize size{};
  if (terminal.is_terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    terminal.columns = size.ws_col;
  if (const auto columns = Environment("COLUMNS")) {
    if (const auto n = ParseInt(*columns); n && *n >= 20 && *n <= 10'000)
      terminal.columns = static_cast<int>(*n);
  }
  return terminal;
}

bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = Environment(name);
    if (!value || value->empty()) continue;
    const std::string lower = ToLower(*value);
    return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace gyre::config
