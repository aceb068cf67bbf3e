#include "platform/config/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "platform/config/environment.h"

namespace gyre::config {
namespace {

std::string LockPath(const std::string& directory) { return directory + "/lock"; }
std::string InfoPath(const std::string& directory) { return directory + "/server.json"; }

OwnerInfo InfoFromJson(const Json& json) {
  OwnerInfo info;
  info.pid = static_cast<int>(json["pid"].AsInt());
  info.url = json["url"].AsString();
  info.version = json["version"].AsString();
  info.kind = json["kind"].StringOr("server");
  info.log_file = json["log_file"].AsString();
  info.started_us = json["started_us"].AsInt();
  info.taken = json["taken"].AsString();
  return info;
}

// The lock file carries the owner's pid, so that a refused second process can name the first even
// before server.json is there.
int PidInLock(const std::string& directory) {
  const auto text = ReadSmallFile(LockPath(directory), 4096);
  if (!text || !*text) return 0;
  return static_cast<int>(ParseInt(Trim(**text)).value_or(0));
}

Result<> WritePid(int descriptor) {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return SystemError("writing the lock file", errno);
  }
  return {};
}

}  // namespace

std::string OwnerInfo::base_path() const {
  const std::size_t host = url.find("://");
  if (host == std::string::npos) return {};
  const std::size_t path = url.find('/', host + 3);
  return path == std::string::npos ? std::string() : url.substr(path);
}

bool IsDataDirectory(const std::string& path) {
  return ::access(LockPath(path).c_str(), F_OK) == 0;
}

std::string SocketPath(const std::string& data_directory) { return data_directory + "/gyre.sock"; }

Result<std::optional<OwnerInfo>> FindOwner(const std::string& data_directory) {
  const int descriptor = ::open(LockPath(data_directory).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::optional<OwnerInfo>{};
  if (descriptor < 0) return SystemError("opening " + LockPath(data_directory), errno);
  // A shared try: two commands that look at once do not see each other as owners.
  const bool free = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
  ::close(descriptor);
  if (free) return std::optional<OwnerInfo>{};
  OwnerInfo info;
  if (const auto text = ReadSmallFile(InfoPath(data_directory)); text && *text) {
    if (const auto json = Json::Parse(**text)) info = InfoFromJson(*json);
  }
  if (const int pid = PidInLock(data_directory); pid != 0 && pid != info.pid) {
    info = OwnerInfo{};  // server.json is of an earlier owner
    info.pid = pid;
  }
  return std::optional<OwnerInfo>(std::move(info));
}

struct DirectoryLock::Impl {
  std::string directory;
  int descriptor = -1;
  bool announced = false;

  ~Impl() {
    if (descriptor < 0) return;
    if (announced) {
      ::unlink(InfoPath(directory).c_str());
      ::unlink(SocketPath(directory).c_str());
    }
    ::close(descriptor);
  }
};

DirectoryLock::DirectoryLock(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DirectoryLock::DirectoryLock(DirectoryLock&&) noexcept = default;
DirectoryLock& DirectoryLock::operator=(DirectoryLock&&) noexcept = default;
DirectoryLock::~DirectoryLock() = default;

const std::string& DirectoryLock::directory() const { return impl_->directory; }

Result<DirectoryLock> DirectoryLock::Acquire(const std::string& data_directory) {
  if (SocketPath(data_directory).size() >= sizeof(sockaddr_un::sun_path)) {
    return FailedPrecondition("GY1831",
                              "the path of the data directory is too long for a socket: {}",
                              data_directory)
        .Why("a Unix socket's path has at most 107 bytes")
        .Fix("choose a shorter one with --data DIR");
  }
  GYRE_DO(MakeDirectories(data_directory, 0700));
  if (::access(fmt::format("{}/{}", data_directory, kRestoringFolder).c_str(), F_OK) == 0)
    return FailedPrecondition("GY1832", "a restore into {} has not ended", data_directory)
        .Fix(fmt::format("gyre restore FILE --data {}    (begins anew)", data_directory));
  auto impl = std::make_unique<Impl>();
  impl->directory = data_directory;
  const int descriptor =
      ::open(LockPath(data_directory).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return SystemError("opening " + LockPath(data_directory), errno);
  // A look by FindOwner holds a shared lock for microseconds; a few tries outlast it.
  int locked = -1;
  for (int attempt = 0; attempt < 20 && locked != 0; ++attempt) {
    locked = ::flock(descriptor, LOCK_EX | LOCK_NB);
    if (locked != 0 && errno != EWOULDBLOCK && errno != EINTR) break;
    if (locked != 0) ::usleep(1000);
  }
  if (locked != 0) {
    const int error_number = errno;
    ::close(descriptor);
    if (error_number != EWOULDBLOCK) {
      return FailedPrecondition("GY1831", "{} cannot be locked: its file system has no locks",
                                data_directory)
          .Fix("put the data directory on a local disk: --data DIR");
    }
    const int pid = PidInLock(data_directory);
    return FailedPrecondition("GY1830", "{} is in use by another gyre process{}", data_directory,
                              pid > 0 ? fmt::format(" (pid {})", pid) : "")
        .Why("one process owns a data directory at a time")
        .Fix(fmt::format("gyre server stop --data {}", data_directory))
        .Fix("or choose another folder with --data DIR");
  }
  impl->descriptor = descriptor;
  GYRE_DO(WritePid(descriptor));
  // Left by an owner that was killed; we hold the lock, so nobody answers there.
  ::unlink(SocketPath(data_directory).c_str());
  ::unlink(InfoPath(data_directory).c_str());
  return DirectoryLock(std::move(impl));
}

Result<> DirectoryLock::Announce(const OwnerInfo& info) {
  Json json = Json::Obj(
      {{"pid", info.pid}, {"url", info.url}, {"version", info.version}, {"kind", info.kind}});
  json.Set("log_file", info.log_file).Set("started_us", info.started_us);
  if (!info.taken.empty()) json.Set("taken", info.taken);
  impl_->announced = true;
  return WriteSmallFile(InfoPath(impl_->directory), json.DumpPretty() + "\n", 0600);
}

}  // namespace gyre::config
