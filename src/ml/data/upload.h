// An upload as it comes in. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "ml/data/datasets.h"
#include "platform/exec/files.h"

namespace gyre::data {

// Bytes as they came, in a folder of the scratch space, which is emptied at start.
class ScratchUpload : public Upload {
 public:
  explicit ScratchUpload(std::string folder) : folder_(std::move(folder)) {}
  ~ScratchUpload() override {
    if (!kept_) (void)exec::RemoveTree(folder_);  // what stays is removed at the next start
  }
  ScratchUpload(const ScratchUpload&) = delete;
  ScratchUpload& operator=(const ScratchUpload&) = delete;

  Result<> Append(std::string_view bytes) override {
    hash_.Update(bytes);
    size_ += static_cast<std::int64_t>(bytes.size());
    buffer_ += bytes;
    return buffer_.size() >= kBufferBytes ? Flush() : Result<>();
  }
  Result<> Finish() {
    GYRE_DO(Flush());
    digest_ = hash_.FinishHex();
    kept_ = true;
    return {};
  }
  const std::string& folder() const { return folder_; }
  const std::string& digest() const { return digest_; }
  std::int64_t size() const { return size_; }

 private:
  static constexpr std::size_t kBufferBytes = 4 << 20;
  Result<> Flush() {
    GYRE_DO(exec::AppendFile(folder_ + "/data", buffer_));
    buffer_.clear();
    return {};
  }
  const std::string folder_;
  Sha256 hash_;
  std::string buffer_, digest_;
  std::int64_t size_ = 0;
  bool kept_ = false;
};

}  // namespace gyre::data
