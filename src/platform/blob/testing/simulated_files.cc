#include "platform/blob/testing/simulated_files.h"

#include <cerrno>

namespace gyre::blob {
namespace {

Result<> Outcome(std::string_view doing, int error) {
  if (error != 0) return SystemError(doing, error);
  return {};
}

class SimulatedWritable : public WritableFile {
 public:
  SimulatedWritable(db::SimulatedDisk& disk, std::string path, db::SimulatedDisk::File file)
      : disk_(disk), path_(std::move(path)), file_(std::move(file)) {}
  Result<> Append(std::string_view bytes) override {
    return Outcome("writing " + path_, disk_.Write(path_, file_, disk_.Size(file_), bytes));
  }
  Result<> Sync() override { return Outcome("fsync of " + path_, disk_.Sync(path_, file_)); }

 private:
  db::SimulatedDisk& disk_;
  std::string path_;
  db::SimulatedDisk::File file_;
};

class SimulatedReadable : public ReadableFile {
 public:
  SimulatedReadable(db::SimulatedDisk& disk, db::SimulatedDisk::File file)
      : disk_(disk), file_(std::move(file)), size_(disk.Size(file_)) {}
  std::int64_t size_bytes() const override { return size_; }
  Result<std::string> Read(std::int64_t offset, std::int64_t length) override {
    return disk_.Read(file_, offset, length);
  }

 private:
  db::SimulatedDisk& disk_;
  db::SimulatedDisk::File file_;
  std::int64_t size_;
};

}  // namespace

Result<std::unique_ptr<WritableFile>> SimulatedFiles::Create(const std::string& path) {
  db::SimulatedDisk::File file;
  GYRE_DO(Outcome("creating " + path, disk_.Create(path, &file)));
  return std::unique_ptr<WritableFile>(new SimulatedWritable(disk_, path, std::move(file)));
}

Result<std::unique_ptr<ReadableFile>> SimulatedFiles::Open(const std::string& path) {
  auto file = disk_.Find(path);
  if (!file) return SystemError("opening " + path, ENOENT);
  return std::unique_ptr<ReadableFile>(new SimulatedReadable(disk_, std::move(file)));
}

Result<std::optional<FileInfo>> SimulatedFiles::Stat(const std::string& path) {
  const auto file = disk_.Find(path);
  if (!file) return std::optional<FileInfo>();
  return std::optional(FileInfo{disk_.Size(file), disk_.ChangedMicros(file)});
}

Result<std::vector<std::string>> SimulatedFiles::List(const std::string& directory) {
  return disk_.List(directory);
}

// Directories are names with slashes here; that one is missing after a cut cannot be told from its
// being empty.
Result<> SimulatedFiles::MakeDirectory(const std::string&) { return {}; }

Result<> SimulatedFiles::Rename(const std::string& from, const std::string& to) {
  return Outcome("renaming " + from, disk_.Rename(from, to));
}

Result<> SimulatedFiles::Remove(const std::string& path) {
  for (const std::string& name : disk_.List(path)) GYRE_DO(Remove(path + "/" + name));
  const int error = disk_.Remove(path);
  return error == ENOENT ? Result<>() : Outcome("removing " + path, error);
}

Result<> SimulatedFiles::Touch(const std::string& path) {
  if (const auto file = disk_.Find(path)) disk_.Touch(file);
  return {};
}

Result<> SimulatedFiles::SyncDirectory(const std::string& path) {
  return Outcome("fsync of " + path, disk_.SyncDirectory(path));
}

}  // namespace gyre::blob
