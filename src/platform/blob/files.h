// The files of the blob store, behind an interface, so that a test can lose, tear and reorder what
// was not synced.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::blob {

class WritableFile {
 public:
  virtual ~WritableFile() = default;  // closes; what was not synced may be lost
  virtual Result<> Append(std::string_view bytes) = 0;
  virtual Result<> Sync() = 0;  // contents and size; the name needs SyncDirectory
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::int64_t size_bytes() const = 0;
  // Fewer bytes than asked only at the end of the file.
  virtual Result<std::string> Read(std::int64_t offset, std::int64_t length) = 0;
};

struct FileInfo {
  std::int64_t size_bytes = 0;
  std::int64_t changed_us = 0;
  bool directory = false;
  // Another one after each change, also after one that keeps the time above; 0 = not known.
  std::int64_t change_stamp = 0;
};

// Errors: those of SystemError (kNotFound, kOutOfSpace, kPermissionDenied, ...). Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<WritableFile>> Create(
      const std::string& path) = 0;  // must not exist
  virtual Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) = 0;
  virtual Result<std::optional<FileInfo>> Stat(const std::string& path) = 0;  // empty = not there
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;  // names, sorted
  virtual Result<> MakeDirectory(const std::string& path) = 0;  // fine when it is there
  virtual Result<> Rename(const std::string& from, const std::string& to) = 0;  // replaces
  virtual Result<> Remove(const std::string& path) = 0;  // file or tree; fine when it is not there
  virtual Result<> Touch(const std::string& path) = 0;   // changed now
  virtual Result<> SyncDirectory(const std::string& path) = 0;  // names in it become durable
};

FileSystem& RealFileSystem();

}  // namespace gyre::blob
