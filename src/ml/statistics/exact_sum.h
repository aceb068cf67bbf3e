// The exact sum of doubles: order-independent and correctly rounded, so that a fit over shuffled,
// split or merged data gives the same bits. A 2,240-bit fixed-point number in 32-bit limbs held in
// 64-bit lanes (a superaccumulator); about 400 M additions per second. NaN in gives NaN; infinities
// behave as in IEEE 754; a sum of zeros is +0. Not thread-safe; merge one per thread.
#pragma once

#include <bit>
#include <cstdint>

namespace gyre::statistics {

class ExactSum {
 public:
  void Add(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    unsigned exponent = static_cast<unsigned>(bits >> 52) & 0x7ff;
    std::uint64_t significand = bits & 0xf'ffff'ffff'ffffull;
    if (exponent == 0x7ff) {
      AddSpecial(bits);
      return;
    }
    if (exponent != 0) {
      significand |= std::uint64_t{1} << 52;
    } else {
      exponent = 1;
    }
    const unsigned shift = exponent & 31, lane = exponent >> 5;
    const std::int64_t sign =
        -static_cast<std::int64_t>(bits >> 63);  // 0 or -1; (v ^ sign) - sign negates
    const auto low = static_cast<std::int64_t>((significand << shift) & 0xffff'ffffu);
    const auto middle = static_cast<std::int64_t>(
        (shift != 0 ? significand >> (32 - shift) : significand >> 32) & 0xffff'ffffu);
    const auto high = static_cast<std::int64_t>(shift != 0 ? significand >> (64 - shift) : 0);
    lanes_[lane] += (low ^ sign) - sign;
    lanes_[lane + 1] += (middle ^ sign) - sign;
    lanes_[lane + 2] += (high ^ sign) - sign;
    if (++pending_ == kPendingMax) Normalize();
  }
  void Merge(const ExactSum& other);  // as if everything added there had been added here
  void Clear();
  double Value() const;  // correctly rounded (half to even)

 private:
  static constexpr int kLanes = 70;
  static constexpr std::int64_t kPendingMax = std::int64_t{1} << 29;  // lanes stay below 2^62
  void Normalize();
  void AddSpecial(std::uint64_t bits);

  // Bit b of the whole stands for 2^(b - 1075). Lanes are signed; after Normalize all but the top
  // one are in [0, 2^32).
  std::int64_t lanes_[kLanes] = {};
  std::int64_t pending_ = 0;
  bool nan_ = false, plus_infinity_ = false, minus_infinity_ = false;
};

}  // namespace gyre::statistics
