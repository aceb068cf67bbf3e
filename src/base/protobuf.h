// The wire format of protocol buffers, for reading documents that other programs wrote: fields one
// after another, without a schema. Pure; never reads beyond what it was given.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace gyre {

struct ProtoField {
  std::uint32_t number = 0;
  enum class Wire : unsigned char { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  Wire wire = Wire::kVarint;
  std::uint64_t value = 0;      // of numbers
  std::string_view bytes = {};  // of kBytes

  std::int64_t AsInt() const { return static_cast<std::int64_t>(value); }
  // A double or a float, by its width; 0 for what is no number of that kind.
  double AsReal() const {
    if (wire == Wire::kFixed64) return std::bit_cast<double>(value);
    if (wire == Wire::kFixed32) return std::bit_cast<float>(static_cast<std::uint32_t>(value));
    return 0;
  }
};

class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}
  // False at the end and at the first thing that cannot be read; `ok` tells which.
  bool Next(ProtoField* field);
  bool ok() const { return ok_; }

 private:
  bool Varint(std::uint64_t* value);
  bool Fixed(std::size_t width, std::uint64_t* value);
  bool Fail() {
    ok_ = false;
    return false;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace gyre
