// A file's bytes without reading them into memory: for files of any size that stay as they are
// while they are looked at (blobs).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace gyre::exec {

class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(void* start, std::size_t size) : start_(start), size_(size) {}
  MappedFile(MappedFile&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  std::string_view bytes() const { return {static_cast<const char*>(start_), size_}; }

 private:
  void* start_ = nullptr;
  std::size_t size_ = 0;
};

Result<MappedFile> MapFile(const std::string& path);

}  // namespace gyre::exec
