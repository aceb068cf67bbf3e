// Seeded random numbers that are the same on every machine and library version.
#pragma once

#include <cstdint>
#include <utility>

namespace gyre {

// xoshiro256** 1.0 (Blackman and Vigna), seeded by SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t Next();
  std::uint64_t Below(std::uint64_t bound);  // uniform in [0, bound), unbiased (Lemire); bound > 0
  double Uniform();                          // [0, 1), 53 bits
  double Normal();                           // mean 0, deviation 1 (Marsaglia polar)

  // Fisher-Yates over anything with size() and operator[].
  template <class Items>
  void Shuffle(Items& items) {
    for (std::uint64_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[Below(i)]);
    }
  }

 private:
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace gyre
