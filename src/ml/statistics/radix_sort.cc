#include "ml/statistics/radix_sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace gyre::statistics {
namespace {

constexpr int kDigitBits = 11, kDigits = 3;
constexpr std::size_t kBuckets = std::size_t{1} << kDigitBits;
constexpr std::uint64_t kDigitMask = kBuckets - 1;
constexpr std::size_t kFewValues = 512;  // below, comparing is as fast
constexpr std::size_t kMovesPerKey = 4;  // more cost as much as three passes

using Histogram = std::array<std::uint32_t, kBuckets>;

// Unsigned keys in the order of the doubles.
std::uint64_t KeyOf(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return bits ^ (static_cast<std::uint64_t>(static_cast<std::int64_t>(bits) >> 63) |
                 0x8000000000000000ULL);
}
double ValueOf(std::uint64_t key) {
  return std::bit_cast<double>(key ^ (((key >> 63) - 1) | 0x8000000000000000ULL));
}

// One stable pass by the digit at `shift`; false where all keys share it and nothing was moved.
bool Scatter(const std::vector<std::uint64_t>& from, int shift, Histogram& counts,
             std::vector<std::uint64_t>* to) {
  std::uint32_t before = 0;
  for (std::uint32_t& count : counts) {
    if (count == from.size()) return false;
    const std::uint32_t here = count;
    count = before;
    before += here;
  }
  for (const std::uint64_t key : from) (*to)[counts[(key >> shift) & kDigitMask]++] = key;
  return true;
}

// Orders by `kDigits` digits from `shift` on.
void SortDigits(int shift, SortScratch* scratch) {
  std::array<Histogram, kDigits> counts = {};
  for (const std::uint64_t key : scratch->keys) {
    for (int digit = 0; digit < kDigits; ++digit)
      ++counts[static_cast<std::size_t>(digit)][(key >> (shift + digit * kDigitBits)) & kDigitMask];
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    if (Scatter(scratch->keys, shift + digit * kDigitBits, counts[static_cast<std::size_t>(digit)],
                &scratch->other))
      scratch->keys.swap(scratch->other);
  }
}

// Orders keys whose leading bits are in order already. False where too many share them, which
// would take quadratic time.
bool Insert(std::vector<std::uint64_t>* keys) {
  std::size_t moves_left = keys->size() * kMovesPerKey;
  for (std::size_t i = 1; i < keys->size(); ++i) {
    const std::uint64_t key = (*keys)[i];
    std::size_t at = i;
    for (; at > 0 && (*keys)[at - 1] > key; --at) (*keys)[at] = (*keys)[at - 1];
    (*keys)[at] = key;
    if (i - at > moves_left) return false;
    moves_left -= i - at;
  }
  return true;
}

}  // namespace

void SortFinite(std::vector<double>* values, SortScratch* scratch) {
  std::vector<std::uint64_t>& keys = scratch->keys;
  keys.resize(values->size());
  std::size_t count = 0;
  std::uint64_t all = ~std::uint64_t{0}, any = 0;
  for (const double value : *values) {
    const std::uint64_t key = KeyOf(value + 0.0);  // -0.0 + 0.0 is 0.0
    keys[count] = key;
    const bool finite = std::isfinite(value);
    count += finite;
    all &= finite ? key : ~std::uint64_t{0};
    any |= finite ? key : 0;
  }
  GYRE_CHECK(count <= UINT32_MAX);
  keys.resize(count);
  values->resize(count);
  if (count < kFewValues) {
    std::sort(keys.begin(), keys.end());
  } else {
    scratch->other.resize(count);
    // Bits that all keys share order nothing: the digits begin below them.
    const int differing = 64 - std::countl_zero(all ^ any);
    const int shift = std::max(0, differing - kDigits * kDigitBits);
    SortDigits(shift, scratch);
    if (shift > 0 && !Insert(&keys)) {
      SortDigits(0, scratch);
      SortDigits(kDigits * kDigitBits, scratch);
    }
  }
  for (std::size_t i = 0; i < count; ++i) (*values)[i] = ValueOf(keys[i]);
}

}  // namespace gyre::statistics
