// A file descriptor that closes itself, and whole reads and writes through one: short ones are
// continued, interrupted ones repeated. `path` only names the file in an error.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace gyre::exec {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { Close(); }
  int get() const { return fd_; }  // -1: none
  void Close();

 private:
  int fd_ = -1;
};

Result<> WriteWhole(const Descriptor& file, const std::string& path, std::string_view bytes);

// Fills `into` from `offset` on; the bytes that were there, fewer only at the end of the file.
Result<std::size_t> ReadWhole(const Descriptor& file, const std::string& path, std::int64_t offset,
                              std::span<char> into);

}  // namespace gyre::exec
