// TensorBoard's event files: records with a length and two masked CRC-32C, one event each. Private
// to cli.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/transfer.h"

namespace gyre::cli::imports {

std::uint32_t MaskedCrc32c(std::string_view bytes);

class EventFile {
 public:
  enum class End : unsigned char { kNone, kWhole, kCutOff, kDamaged };

  static Result<EventFile> Open(const std::string& path);
  // The bytes of the next event; false at the end, which `end` tells.
  bool Next(std::string* event);
  End end() const { return end_; }
  std::int64_t offset() const { return offset_; }  // of the first byte that was not taken

 private:
  explicit EventFile(File file) : file_(std::move(file)) {}
  bool Read(std::size_t count, std::string* bytes);
  bool Stop(End end) {
    end_ = end;
    return false;
  }

  File file_;
  End end_ = End::kNone;
  std::int64_t offset_ = 0;
};

}  // namespace gyre::cli::imports
