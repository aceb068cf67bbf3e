#include "ml/data/sketches.h"

#include <cmath>
#include <utility>

namespace gyre::data {

double HyperLogLog::Estimate() const {
  double sum = 0;
  std::size_t zeros = 0;
  for (const unsigned char rank : registers_) {
    sum += std::ldexp(1.0, -static_cast<int>(rank));
    zeros += rank == 0;
  }
  constexpr double kCount = kRegisters;
  const double raw = 0.7213 / (1 + 1.079 / kCount) * kCount * kCount / sum;
  return raw <= 2.5 * kCount && zeros > 0 ? kCount * std::log(kCount / static_cast<double>(zeros))
                                          : raw;
}

void CountTable::Grow() {
  std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots_.size() * 4));
  for (const Slot& slot : before) {
    if (slot.count == 0) continue;
    std::size_t i = slot.key & (slots_.size() - 1);
    while (slots_[i].count != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

}  // namespace gyre::data
