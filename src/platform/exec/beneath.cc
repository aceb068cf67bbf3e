#include "platform/exec/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/text.h"
#include "platform/exec/descriptor.h"

namespace gyre::exec {
namespace {

// Part by part, each opened in the folder before it and none of them followed.
Result<Descriptor> OpenBeneath(const std::string& folder, std::string_view path) {
  Descriptor at(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (at.get() < 0) return SystemError("reading " + folder, errno);
  const auto parts = Split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos)
      return InvalidArgument("GY1336", "no path within a folder: {}", path.substr(0, 200));
    const int kind = i + 1 < parts.size() ? O_DIRECTORY : O_NONBLOCK;
    Descriptor next(
        openat(at.get(), std::string(part).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | kind));
    if (next.get() < 0)
      return SystemError(fmt::format("reading {}/{}", folder, path.substr(0, 200)), errno);
    at = std::move(next);
  }
  return at;
}

}  // namespace

Result<std::string> ReadFileBeneath(const std::string& folder, std::string_view path,
                                    std::int64_t bytes_max) {
  GYRE_TRY(const Descriptor file, OpenBeneath(folder, path));
  const std::string named = fmt::format("{}/{}", folder, path);
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return SystemError("reading " + named, errno);
  if (!S_ISREG(info.st_mode)) return InvalidArgument("GY1331", "{} is not a plain file", named);
  if (info.st_size > bytes_max) {
    return MakeError(Code::kResourceExhausted, "GY1332", "{} is larger than {} bytes", named,
                     bytes_max);
  }
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  GYRE_TRY(const std::size_t done, ReadWhole(file, named, 0, bytes));
  bytes.resize(done);
  return bytes;
}

}  // namespace gyre::exec
