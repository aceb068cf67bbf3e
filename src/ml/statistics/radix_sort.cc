#include "ml/statistics/radix_sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace gyre::statistics {
namespace {

constexpr int kDigitBits = 11, kDigits = 3;
constexpr std::size_t kBuckets = std::size_t{1} << kDigitBits;
constexpr std::uint64_t kDigitMask = kBuckets - 1;
constexpr std::size_t kFewValues = 512;  // below, comparing is as fast
constexpr std::size_t kMovesPerKey = 4;  // more cost as much as three passes

using Histogram = std::array<std::uint32_t, kBuckets>;

// Where each bucket begins; false where all keys share the digit and nothing need be moved.
bool Begins(Histogram& counts, std::size_t size) {
  std::uint32_t before = 0;
  for (std::uint32_t& count : counts) {
    if (count == size) return false;
    const std::uint32_t here = count;
    count = before;
    before += here;
  }
  return true;
}

// Orders values of which only near ones are out of order. False where that would take quadratic
// time.
bool Insert(std::vector<double>* values) {
  std::size_t moves_left = values->size() * kMovesPerKey;
  double* const data = values->data();
  for (std::size_t i = 1; i < values->size(); ++i) {
    const double value = data[i];
    std::size_t at = i;
    for (; at > 0 && data[at - 1] > value; --at) data[at] = data[at - 1];
    data[at] = value;
    if (i - at > moves_left) return false;
    moves_left -= i - at;
  }
  return true;
}

// Where a value lies between the smallest and the largest, in two digits.
struct Cells {
  double low, scale;
  std::uint32_t Of(double value) const { return static_cast<std::uint32_t>((value - low) * scale); }
};

// By cells of equal width, then the values within each: two passes, for samples without far
// outliers. False, with the values in some order, where too many share a cell.
bool SortByCells(double low, double high, std::vector<double>* values, SortScratch* scratch) {
  const Cells cells{low, (kBuckets * kBuckets - 1.0) / (high - low)};
  if (!std::isfinite(cells.scale) || !(cells.scale > 0)) return false;
  std::array<Histogram, 2> counts = {};
  for (const double value : *values) {
    const std::uint32_t cell = cells.Of(value);
    ++counts[0][cell & kDigitMask];
    ++counts[1][cell >> kDigitBits];
  }
  double together = 0;  // expected moves, were the values spread evenly within each bucket
  for (const double count : counts[1]) together += count * count / (2.0 * kBuckets);
  if (together > static_cast<double>(kMovesPerKey * values->size()) / 2) return false;
  scratch->values.resize(values->size());
  if (!Begins(counts[0], values->size())) return false;
  for (const double value : *values)
    scratch->values[counts[0][cells.Of(value) & kDigitMask]++] = value;
  if (!Begins(counts[1], values->size())) return false;
  for (const double value : scratch->values)
    (*values)[counts[1][cells.Of(value) >> kDigitBits]++] = value;
  return Insert(values);
}

// Unsigned keys in the order of the doubles.
std::uint64_t KeyOf(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return bits ^ (static_cast<std::uint64_t>(static_cast<std::int64_t>(bits) >> 63) |
                 0x8000000000000000ULL);
}
double ValueOf(std::uint64_t key) {
  return std::bit_cast<double>(key ^ (((key >> 63) - 1) | 0x8000000000000000ULL));
}

// One stable pass by the digit at `shift`.
template <typename Out, typename Make>
void Scatter(const std::vector<std::uint64_t>& from, int shift, Histogram& begins, Out* to,
             const Make& make) {
  for (const std::uint64_t key : from) to[begins[(key >> shift) & kDigitMask]++] = make(key);
}

// Orders by `kDigits` digits from `shift` on. The last pass goes where the values belong.
void SortDigits(int shift, SortScratch* scratch, std::vector<double>* values) {
  std::array<Histogram, kDigits> counts = {};
  for (const std::uint64_t key : scratch->keys) {
    for (int digit = 0; digit < kDigits; ++digit)
      ++counts[static_cast<std::size_t>(digit)][(key >> (shift + digit * kDigitBits)) & kDigitMask];
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    Histogram& begins = counts[static_cast<std::size_t>(digit)];
    const int at = shift + digit * kDigitBits;
    const bool moves = Begins(begins, scratch->keys.size());
    if (digit + 1 < kDigits) {
      if (!moves) continue;
      Scatter(scratch->keys, at, begins, scratch->other.data(),
              [](std::uint64_t key) { return key; });
      scratch->keys.swap(scratch->other);
    } else if (moves) {
      Scatter(scratch->keys, at, begins, values->data(), ValueOf);
    } else {
      std::ranges::transform(scratch->keys, values->begin(), ValueOf);
    }
  }
}

// By the bits of the values, whatever they are: three passes, six where too many share their
// leading bits.
void SortByBits(std::vector<double>* values, SortScratch* scratch) {
  std::vector<std::uint64_t>& keys = scratch->keys;
  keys.resize(values->size());
  scratch->other.resize(values->size());
  std::uint64_t all = ~std::uint64_t{0}, any = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i] = KeyOf((*values)[i]);
    all &= keys[i];
    any |= keys[i];
  }
  // Bits that all keys share order nothing: the digits begin below them.
  const int differing = 64 - std::countl_zero(all ^ any);
  const int shift = std::max(0, differing - kDigits * kDigitBits);
  SortDigits(shift, scratch, values);
  if (shift > 0 && !Insert(values)) {
    SortDigits(0, scratch, values);
    std::ranges::transform(*values, keys.begin(), KeyOf);
    SortDigits(kDigits * kDigitBits, scratch, values);
  }
}

struct Range {
  double low, high;
  bool finite;
};

// Also turns -0.0 into 0.0. In four lanes, which need not wait for each other.
Range RangeOf(std::vector<double>& values) {
  constexpr std::size_t kLanes = 4;
  constexpr double kMost = std::numeric_limits<double>::max();
  double low[kLanes], high[kLanes];
  bool strange[kLanes] = {};
  std::ranges::fill(low, kMost);
  std::ranges::fill(high, -kMost);
  const auto take = [&](double& value, std::size_t lane) {
    value += 0.0;
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    strange[lane] |= !(std::abs(value) <= kMost);
  };
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) take(values[i + lane], lane);
  }
  for (; i < values.size(); ++i) take(values[i], 0);
  return {std::ranges::min(low), std::ranges::max(high),
          std::ranges::none_of(strange, [](bool is) { return is; })};
}

}  // namespace

void SortFinite(std::vector<double>* values, SortScratch* scratch) {
  Range range = RangeOf(*values);
  if (!range.finite) {
    std::erase_if(*values, [](double value) { return !std::isfinite(value); });
    range = RangeOf(*values);
  }
  GYRE_CHECK(values->size() <= UINT32_MAX);
  if (values->size() < kFewValues) {
    std::ranges::sort(*values);
  } else if (range.low < range.high && !SortByCells(range.low, range.high, values, scratch)) {
    SortByBits(values, scratch);
  }
}

}  // namespace gyre::statistics
