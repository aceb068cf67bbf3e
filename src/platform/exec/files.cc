#include "platform/exec/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "platform/exec/descriptor.h"
#include "platform/exec/folders.h"

namespace gyre::exec {

namespace {

namespace fs = std::filesystem;

Result<> WriteWith(const std::string& path, std::string_view bytes, int flags) {
  const Descriptor file(open(path.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return SystemError("writing " + path, errno);
  return WriteWhole(file, path, bytes);
}

// So that a name in it outlives a crash.
Result<> SyncFolderOf(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  const Descriptor directory(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0)
    return SystemError("fsync of " + folder, errno);
  return {};
}

// Where the last whole line ends.
Result<off_t> EndOfLines(const Descriptor& file, const std::string& path) {
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return SystemError("reading " + path, errno);
  off_t end = info.st_size;
  for (char last = 0; end > 0; --end) {
    if (pread(file.get(), &last, 1, end - 1) != 1) return SystemError("reading " + path, errno);
    if (last == '\n') break;
  }
  return end;
}

std::int64_t ModifiedMicros(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return 0;
  return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000 + info.st_mtim.tv_nsec / 1'000;
}

}  // namespace

Result<std::string> MakeTemporaryDirectory() {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "gyre-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr)
    return SystemError("making a temporary folder", error ? error.value() : errno);
  return pattern;
}

Result<> MakeDirectories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return SystemError("making the folder " + path, error.value());
  return {};
}

Result<> MakeDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return {};
  return SystemError("making the folder " + path, errno);
}

void RemoveContents(const std::string& directory, std::string_view kept) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().native().starts_with(kept)) found.push_back(at->path());
  }
  for (const fs::path& path : found) fs::remove_all(path, error);
}

Result<> RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return SystemError("removing " + path, error.value());
  return {};
}

Result<std::string> ReadFilePart(const std::string& path, std::int64_t offset,
                                 std::int64_t length) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("reading " + path, errno);
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return SystemError("reading " + path, errno);
  if (!S_ISREG(info.st_mode)) return InvalidArgument("GY1331", "{} is not a plain file", path);
  std::string bytes;
  bytes.resize(
      static_cast<std::size_t>(std::clamp<std::int64_t>(info.st_size - offset, 0, length)));
  GYRE_TRY(const std::size_t done, ReadWhole(file, path, offset, bytes));
  bytes.resize(done);
  return bytes;
}

Result<std::string> ReadFile(const std::string& path, std::int64_t bytes_max) {
  GYRE_TRY(auto bytes, ReadFilePart(path, 0, bytes_max + 1));
  if (static_cast<std::int64_t>(bytes.size()) > bytes_max) {
    return MakeError(Code::kResourceExhausted, "GY1332", "{} is larger than {} bytes", path,
                     bytes_max);
  }
  return bytes;
}

Result<> WriteFile(const std::string& path, std::string_view bytes) {
  return WriteWith(path, bytes, O_TRUNC);
}

Result<> AppendFile(const std::string& path, std::string_view bytes) {
  return WriteWith(path, bytes, O_APPEND);
}

Result<> AppendLineDurably(const std::string& path, std::string_view line) {
  const bool is_new = !FileExists(path);
  const Descriptor file(open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return SystemError("writing " + path, errno);
  GYRE_TRY(const off_t end, EndOfLines(file, path));
  if (ftruncate(file.get(), end) != 0) return SystemError("writing " + path, errno);
  GYRE_DO(WriteWhole(file, path, std::string(line) + "\n"));
  if (fsync(file.get()) != 0) return SystemError("fsync of " + path, errno);
  return is_new ? SyncFolderOf(path) : Result<>();
}

Result<> RenameDurably(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0)
    return SystemError(fmt::format("renaming {} to {}", from, to), errno);
  return SyncFolderOf(to);
}

Result<> WritePrivateFile(const std::string& path, std::string_view bytes) {
  const std::string partial = path + ".partial";
  GYRE_DO(RemoveTree(partial));
  GYRE_DO(WriteWith(partial, bytes, O_EXCL));
  {
    const Descriptor file(open(partial.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0 || fsync(file.get()) != 0) return SystemError("fsync of " + partial, errno);
  }
  return RenameDurably(partial, path);
}

Result<std::string> ReadPrivateFile(const std::string& path, std::int64_t bytes_max) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return SystemError("reading " + path, errno);
  if ((info.st_mode & 077) != 0) {
    return MakeError(Code::kPermissionDenied, "GY1333", "{} may be read by others (mode {:03o})",
                     path, info.st_mode & 0777)
        .Why("it holds a key")
        .Fix("chmod 600 " + path);
  }
  return ReadFile(path, bytes_max);
}

Result<std::string> ReadSystemFile(const std::string& path) {
  constexpr std::size_t kBytesMax = std::size_t{64} << 10;
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("reading " + path, errno);
  std::string bytes(kBytesMax, '\0');
  std::size_t done = 0;
  while (done < kBytesMax) {
    const ssize_t n = read(file.get(), bytes.data() + done, kBytesMax - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("reading " + path, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

std::int64_t FileSize(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_size) : -1;
}

bool FileExists(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool FolderExists(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<std::vector<FileEntry>> ListFiles(const std::string& directory, std::size_t count_max) {
  std::vector<FileEntry> files;
  std::error_code error;
  if (!fs::exists(directory, error)) return files;
  fs::recursive_directory_iterator it(directory, fs::directory_options::skip_permission_denied,
                                      error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->is_symlink(ignored) || !it->is_regular_file(ignored)) continue;
    if (files.size() == count_max) {
      return MakeError(Code::kResourceExhausted, "GY1330", "{} holds more than {} files", directory,
                       count_max);
    }
    files.push_back({fs::relative(it->path(), directory, ignored).generic_string(),
                     static_cast<std::int64_t>(it->file_size(ignored)),
                     ModifiedMicros(it->path().string())});
  }
  if (error) return SystemError("listing " + directory, error.value());
  std::ranges::sort(files, {}, &FileEntry::path);
  return files;
}

Result<std::vector<FolderEntry>> ListFolders(const std::string& directory) {
  std::vector<FolderEntry> folders;
  std::error_code error;
  if (!fs::exists(directory, error)) return folders;
  fs::directory_iterator it(directory, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->is_symlink(ignored) || !it->is_directory(ignored)) continue;
    folders.push_back({it->path().filename().string(), ModifiedMicros(it->path().string())});
  }
  if (error) return SystemError("listing " + directory, error.value());
  std::ranges::sort(folders, {}, &FolderEntry::name);
  return folders;
}

}  // namespace gyre::exec
