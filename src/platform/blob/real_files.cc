#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/time.h"
#include "platform/blob/files.h"
#include "platform/exec/descriptor.h"

namespace gyre::blob {
namespace {

class RealWritableFile : public WritableFile {
 public:
  RealWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Result<> Append(std::string_view bytes) override { return exec::WriteWhole(fd_, path_, bytes); }

  Result<> Sync() override {
    if (fsync(fd_.get()) != 0) return SystemError("fsync of " + path_, errno);
    return {};
  }

 private:
  exec::Descriptor fd_;
  std::string path_;
};

class RealReadableFile : public ReadableFile {
 public:
  RealReadableFile(int fd, std::string path, std::int64_t size)
      : fd_(fd), path_(std::move(path)), size_(size) {}
  std::int64_t size_bytes() const override { return size_; }

  Result<std::string> Read(std::int64_t offset, std::int64_t length) override {
    const std::int64_t wanted = std::clamp<std::int64_t>(size_ - offset, 0, length);
    std::string bytes;
    Result<std::size_t> done = std::size_t{0};  // it may have become shorter
    bytes.resize_and_overwrite(static_cast<std::size_t>(wanted), [&](char* text, std::size_t size) {
      done = exec::ReadWhole(fd_, path_, offset, std::span(text, size));
      return done ? *done : 0;
    });
    if (!done) return std::move(done).error();
    return bytes;
  }

 private:
  exec::Descriptor fd_;
  std::string path_;
  std::int64_t size_;
};

class RealFiles : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return SystemError("creating " + path, errno);
    return std::unique_ptr<WritableFile>(new RealWritableFile(fd, path));
  }

  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return SystemError("opening " + path, errno);
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
      const int error = S_ISDIR(info.st_mode) ? EISDIR : errno;
      close(fd);
      return SystemError("opening " + path, error);
    }
    return std::unique_ptr<ReadableFile>(new RealReadableFile(fd, path, info.st_size));
  }

  Result<std::optional<FileInfo>> Stat(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) {
      if (errno == ENOENT) return std::optional<FileInfo>();
      return SystemError("looking at " + path, errno);
    }
    return std::optional(FileInfo{
        info.st_size, info.st_mtim.tv_sec * kMicrosPerSecond + info.st_mtim.tv_nsec / 1000,
        S_ISDIR(info.st_mode), info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec});
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) return SystemError("listing " + directory, error.value());
    std::ranges::sort(names);
    return names;
  }

  Result<> MakeDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), 0750) != 0 && errno != EEXIST)
      return SystemError("making " + path, errno);
    return {};
  }

  Result<> Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0)
      return SystemError(fmt::format("renaming {} to {}", from, to), errno);
    return {};
  }

  Result<> Remove(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return SystemError("removing " + path, error.value());
    return {};
  }

  Result<> Touch(const std::string& path) override {
    if (utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0)
      return SystemError("touching " + path, errno);
    return {};
  }

  Result<> SyncDirectory(const std::string& path) override {
    const exec::Descriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return SystemError("opening " + path, errno);
    if (fsync(fd.get()) != 0) return SystemError("fsync of " + path, errno);
    return {};
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static RealFiles files;
  return files;
}

}  // namespace gyre::blob
