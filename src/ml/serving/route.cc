#include "ml/serving/route.h"

#include <cmath>
#include <limits>

namespace gyre::serving {

namespace {

// SplitMix64's last step.
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

std::size_t PickArm(const std::vector<Arm>& arms, std::uint64_t key) {
  std::size_t best = 0;
  double best_draw = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!(arms[i].weight > 0)) continue;
    // In (0, 1): an exponential draw with the weight as its rate.
    const double uniform = (static_cast<double>(Mix(key ^ arms[i].seed) >> 11) + 0.5) * 0x1p-53;
    const double draw = -std::log(uniform) / arms[i].weight;
    if (draw < best_draw) {
      best_draw = draw;
      best = i;
    }
  }
  return best;
}

}  // namespace gyre::serving
