#include "platform/backup/coming_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "platform/backup/restore.h"
#include "platform/blob/files.h"
#include "platform/config/data_directory.h"
#include "platform/exec/files.h"

namespace gyre::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLock = "lock";  // by it a folder is known as a data directory

std::string ParentOf(const std::string& directory) {
  const std::size_t slash = directory.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : directory.substr(0, slash);
}

bool IsMountPoint(const std::string& directory) {
  struct statx info{};
  return ::statx(AT_FDCWD, directory.c_str(), 0, STATX_TYPE, &info) == 0 &&
         (info.stx_attributes_mask & info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// Nothing can be put in its place.
bool MustStay(const std::string& directory) {
  std::error_code error;
  return fs::is_directory(directory, error) &&
         (IsMountPoint(directory) || ::access(ParentOf(directory).c_str(), W_OK | X_OK) != 0);
}

void RemoveHalf(const std::string& directory) {
  const auto names = blob::RealFileSystem().List(directory);
  if (!names) return;
  for (const std::string& name : *names) {
    if (name != config::kRestoringFolder && name != kOfTheDisk)
      static_cast<void>(exec::RemoveTree(fmt::format("{}/{}", directory, name)).has_value());
  }
}

}  // namespace

ComingFolder::ComingFolder(std::string path, std::string directory, int fd)
    : path_(std::move(path)), directory_(std::move(directory)), fd_(fd) {}

Result<std::unique_ptr<ComingFolder>> ComingFolder::Make(const std::string& directory) {
  const bool inside = MustStay(directory);
  const std::string path =
      inside ? fmt::format("{}/{}", directory, config::kRestoringFolder) : directory + ".restoring";
  GYRE_DO(CheckEmpty(directory));
  GYRE_DO(exec::MakeDirectories(ParentOf(directory)));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return SystemError("making " + path, errno);
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return SystemError("opening " + path, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return FailedPrecondition("GY1909", "another restore writes into {}", path)
        .Fix("wait for its end");
  }
  // It was empty when the one that was killed began: what is there is of that one.
  if (inside) RemoveHalf(directory);
  exec::RemoveContents(path, "/");
  return std::unique_ptr<ComingFolder>(new ComingFolder(path, directory, fd));
}

ComingFolder::~ComingFolder() {
  if (!done_) static_cast<void>(exec::RemoveTree(path_).has_value());
  ::close(fd_);
}

Result<> ComingFolder::GiveToOwner() const {
  struct stat info{};
  if (::geteuid() != 0 || ::stat(directory_.c_str(), &info) != 0 || info.st_uid == 0) return {};
  if (::lchown(path_.c_str(), info.st_uid, info.st_gid) != 0)
    return SystemError("giving away " + path_, errno);
  std::error_code error;
  for (fs::recursive_directory_iterator at(path_, error), end; !error && at != end;
       at.increment(error)) {
    if (::lchown(at->path().c_str(), info.st_uid, info.st_gid) != 0)
      return SystemError("giving away " + at->path().string(), errno);
  }
  return error ? Result<>(SystemError("reading " + path_, error.value())) : Result<>();
}

// The lock last: until then this is no data directory.
Result<> ComingFolder::MoveOut() {
  GYRE_TRY(const auto names, blob::RealFileSystem().List(path_));
  const auto move = [&](const std::string& name) -> Result<> {
    const std::string from = fmt::format("{}/{}", path_, name),
                      to = fmt::format("{}/{}", directory_, name);
    if (::rename(from.c_str(), to.c_str()) != 0)
      return SystemError(fmt::format("renaming {} to {}", from, to), errno);
    return {};
  };
  for (const std::string& name : names) {
    if (name != kLock) GYRE_DO(move(name));
  }
  GYRE_DO(blob::RealFileSystem().SyncDirectory(directory_));
  GYRE_DO(move(std::string(kLock)));
  GYRE_DO(blob::RealFileSystem().SyncDirectory(directory_));
  GYRE_DO(exec::RemoveTree(path_));
  done_ = true;
  return blob::RealFileSystem().SyncDirectory(directory_);
}

Result<> ComingFolder::Become() {
  GYRE_DO(exec::WritePrivateFile(fmt::format("{}/{}", path_, kLock), ""));
  GYRE_DO(GiveToOwner());
  if (::syncfs(fd_) != 0) return SystemError("writing the disk of " + path_, errno);
  if (path_.starts_with(directory_ + "/")) return MoveOut();
  GYRE_DO(CheckEmpty(directory_));
  if (::rename(path_.c_str(), directory_.c_str()) != 0)
    return SystemError(fmt::format("renaming {} to {}", path_, directory_), errno);
  done_ = true;
  return blob::RealFileSystem().SyncDirectory(ParentOf(directory_));
}

}  // namespace gyre::backup
