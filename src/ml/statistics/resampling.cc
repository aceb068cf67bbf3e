#include "ml/statistics/resampling.h"

#include <algorithm>
#include <bit>

namespace gyre::statistics {
namespace {

constexpr int kPool = 4, kShift = 16;

// numpy's SeedSequence for one whole number: 32-bit words of entropy mixed into a pool, then hashed
// out again.
class SeedSequence {
 public:
  explicit SeedSequence(std::uint64_t seed) {
    const std::uint32_t entropy[2] = {static_cast<std::uint32_t>(seed),
                                      static_cast<std::uint32_t>(seed >> 32)};
    std::uint32_t constant = 0x43b0d7e5;
    for (int i = 0; i < kPool; ++i) pool_[i] = HashMix(i < 2 ? entropy[i] : 0, &constant);
    for (int from = 0; from < kPool; ++from) {
      for (int to = 0; to < kPool; ++to) {
        if (from == to) continue;
        const std::uint32_t mixed =
            0xca01f9dd * pool_[to] - 0x4973f715 * HashMix(pool_[from], &constant);
        pool_[to] = mixed ^ (mixed >> kShift);
      }
    }
  }
  void Generate(std::span<std::uint64_t> words) const {
    std::uint32_t constant = 0x8b51f9dd;
    int source = 0;
    const auto next = [&] {
      std::uint32_t value = pool_[source++ % kPool] ^ constant;
      constant *= 0x58f38ded;
      value *= constant;
      return std::uint64_t{value ^ (value >> kShift)};
    };
    for (std::uint64_t& word : words) {
      const std::uint64_t low = next();
      word = low | next() << 32;
    }
  }

 private:
  static std::uint32_t HashMix(std::uint32_t value, std::uint32_t* constant) {
    value ^= *constant;
    *constant *= 0x931e8875;
    value *= *constant;
    return value ^ (value >> kShift);
  }
  std::uint32_t pool_[kPool];
};

}  // namespace

Pcg64::Pcg64(std::uint64_t seed) {
  std::uint64_t words[4];
  SeedSequence(seed).Generate(words);
  increment_ = ((static_cast<Wide>(words[2]) << 64 | words[3]) << 1) | 1;
  Step();
  state_ += static_cast<Wide>(words[0]) << 64 | words[1];
  Step();
}

void Pcg64::Step() {
  constexpr Wide kMultiplier =
      static_cast<Wide>(2549297995355413924ull) << 64 | 4865540595714422341ull;
  state_ = state_ * kMultiplier + increment_;
}

std::uint64_t Pcg64::Next64() {
  Step();
  return std::rotr(static_cast<std::uint64_t>(state_ >> 64) ^ static_cast<std::uint64_t>(state_),
                   static_cast<int>(state_ >> 122));
}

std::uint32_t Pcg64::Next32() {
  if (has_half_) {
    has_half_ = false;
    return half_;
  }
  const std::uint64_t word = Next64();
  half_ = static_cast<std::uint32_t>(word >> 32);
  has_half_ = true;
  return static_cast<std::uint32_t>(word);
}

std::uint32_t Pcg64::Below(std::uint32_t bound) {
  if (bound == 1) return 0;  // numpy draws nothing here
  std::uint64_t product = std::uint64_t{Next32()} * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = (0u - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold)
      product = std::uint64_t{Next32()} * bound;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double Pcg64::Uniform() { return static_cast<double>(Next64() >> 11) * 0x1.0p-53; }

void DrawCounts(Pcg64& random, std::span<std::uint32_t> counts) {
  std::ranges::fill(counts, 0u);
  const auto bound = static_cast<std::uint32_t>(counts.size());
  for (std::uint32_t i = 0; i < bound; ++i) ++counts[random.Below(bound)];
}

}  // namespace gyre::statistics
