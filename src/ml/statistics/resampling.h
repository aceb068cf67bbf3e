// Resamples that a few lines of numpy repeat exactly: numpy.random.default_rng(seed).integers(0, n,
// size=n), row after row.
#pragma once

#include <cstdint>
#include <span>

namespace gyre::statistics {

// PCG64 (XSL-RR 128/64, O'Neill) seeded through numpy's SeedSequence. Not thread-safe.
class Pcg64 {
 public:
  explicit Pcg64(std::uint64_t seed);
  std::uint64_t Next64();
  std::uint32_t Next32();  // low half first, then the high one
  std::uint32_t Below(
      std::uint32_t bound);  // uniform in [0, bound), Lemire on 32 bits as numpy does; bound > 0
  double Uniform();          // [0, 1), 53 bits: Generator.random()

 private:
  void Step();
  __extension__ using Wide = unsigned __int128;
  Wide state_ = 0, increment_ = 0;
  std::uint32_t half_ = 0;
  bool has_half_ = false;
};

// Draws rows with replacement: counts[i] = how often row i was drawn; the sum is counts.size().
void DrawCounts(Pcg64& random, std::span<std::uint32_t> counts);

}  // namespace gyre::statistics
