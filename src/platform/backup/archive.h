// The file that a backup is: a plain tar, so that any tar can open it, of which every byte is
// determined. A reader that is fed the bytes as they come tells what is damaged, where, and in
// which member; a name that is not on its list, a link or a second way to write a header is damage.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"

namespace gyre::backup {

using Sink = std::function<Result<>(std::string_view bytes)>;
using Source = std::function<Result<std::string>()>;  // the next piece; empty at the end

class ArchiveWriter {
 public:
  ArchiveWriter(Sink sink, std::int64_t made_us) : sink_(std::move(sink)), made_us_(made_us) {}
  Result<> Add(std::string_view name, std::string_view bytes);
  // Error: kDataLoss GY1900 when the source has another size.
  Result<> AddStream(std::string_view name, std::int64_t size, const Source& source);
  Result<> Finish();  // the SHA-256 of all that, and the end

 private:
  Result<> Put(std::string_view bytes);
  Result<> Pad(std::int64_t size);

  Sink sink_;
  std::int64_t made_us_;
  Sha256 whole_;
};

struct Member {
  std::string name;
  std::int64_t size = 0;
  std::int64_t offset = 0;  // of its header in the file
};

class MemberSink {
 public:
  virtual ~MemberSink() = default;
  virtual Result<> Begin(const Member& member) = 0;
  virtual Result<> Data(std::string_view bytes) = 0;
  virtual Result<> End() = 0;
};

// Errors: kInvalidArgument GY1901 when the file is something else, kDataLoss GY1902 when it is
// damaged, kDataLoss GY1903 when it ends too early; those of the sink.
class ArchiveReader {
 public:
  explicit ArchiveReader(MemberSink& sink) : sink_(sink) {}
  Result<> Feed(std::string_view bytes);
  Result<> Finish();  // no more bytes
  // "byte 1536, in blobs/ab12...": where the reader is.
  std::string Where() const;

 private:
  enum class State { kHeader, kData, kPadding, kTail, kDone };
  Result<> Step(std::string_view bytes);
  Result<> TakeHeader();
  Result<> EndMember();
  Error Damaged(std::string_view what) const;

  MemberSink& sink_;
  State state_ = State::kHeader;
  std::string header_;  // as far as it has come
  Member member_;
  std::int64_t offset_ = 0;     // of all that was fed
  std::int64_t remaining_ = 0;  // of the data, the padding or the tail
  std::int64_t made_s_ = -1;    // the same in every header
  bool is_end_ = false;         // the member is the hash of all before it
  std::string end_text_;
  Sha256 whole_;
};

}  // namespace gyre::backup
