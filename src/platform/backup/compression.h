// zstd, in pieces. A frame says how large its content is, so that no more than that is ever made
// of it, and ends with a checksum of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/backup/archive.h"

namespace gyre::backup {

// Empty when it would not become a tenth smaller at least.
std::string CompressIfItPays(std::string_view bytes);
// `size` bytes of the source as one frame.
Result<> Compress(const Source& source, std::int64_t size, const Sink& out);

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  // False when the bytes are no frame of ours; errors are those of `out`.
  Result<bool> Feed(std::string_view bytes, const Sink& out);
  bool complete() const;  // all of one frame, and nothing after it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gyre::backup
