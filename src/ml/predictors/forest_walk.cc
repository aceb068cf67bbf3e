// The hot loops. They are fastest as baseline x86-64 scalar code: wider instruction sets turn the
// loads into slow gathers.
#include <bit>
#include <cmath>
#include <type_traits>
#include <utility>

#include "ml/predictors/forest.h"
#include "ml/predictors/forest_layout.h"

namespace gyre::predictors {

namespace {

// Calls body(lane) for each lane with the lane as a constant, so that all eight positions stay in
// registers.
template <class Body>
[[gnu::always_inline]] inline void ForEachLane(Body body) {
  [&]<std::size_t... kLane>(std::index_sequence<kLane...>) {
    (body(std::integral_constant<std::size_t, kLane>()), ...);
  }(std::make_index_sequence<kLanes>());
}

template <int kDepth>
void WalkHeap(const HeapBlock& block, const std::int64_t* keys, double* values) {
  constexpr std::size_t kNodes = (std::size_t{1} << kDepth) - 1;
  constexpr std::size_t kLeaves = std::size_t{1} << kDepth;
  const std::int64_t* node_key = block.keys.data();
  const std::uint16_t* node_slot = block.slots.data();
  std::size_t at[kLanes] = {};
  for (int level = 0; level < kDepth; ++level) {
    ForEachLane([&](auto lane) {
      const std::size_t node = lane * kNodes + at[lane];
      at[lane] =
          2 * at[lane] + 1 + static_cast<std::size_t>(keys[node_slot[node]] > node_key[node]);
    });
  }
  ForEachLane([&](auto lane) { values[lane] = block.leaves[lane * kLeaves + at[lane] - kNodes]; });
}

// The whole part of x is in the bitset; NaN and negative values never are.
bool InSet(double x, const std::uint32_t* words, std::size_t count) {
  if (!(x > -1.0 && x < 2147483648.0)) return false;
  const auto category = static_cast<std::uint32_t>(static_cast<std::int64_t>(x));
  return category / 32 < count && ((words[category / 32] >> (category % 32)) & 1U) != 0;
}

bool IsZero(double x) { return x >= -kZeroThreshold && x <= kZeroThreshold; }

}  // namespace

std::int64_t KeyOf(double value) {
  const auto bits = std::bit_cast<std::int64_t>(value);
  return bits ^ ((bits >> 63) & kAlwaysRight);
}

double ThresholdForRawValues(double threshold) {
  if (threshold >= 0 && threshold < kZeroThreshold) return kZeroThreshold;
  if (threshold < 0 && threshold >= -kZeroThreshold) return std::nextafter(-kZeroThreshold, -1.0);
  return threshold;
}

void FillKeys(const Slots& slots, const double* x, std::int64_t* keys) {
  const std::uint32_t* feature = slots.feature.data();
  const auto& begin = slots.begin;
  keys[0] = 0;  // padding looks at slot 0 even when there is none
  for (std::size_t i = begin[kPlain]; i < begin[kPlain + 1]; ++i) {
    const double value = x[feature[i]];
    keys[i] = value != value ? 0 : KeyOf(value);
  }
  for (std::size_t i = begin[kZeroLeft]; i < begin[kZeroRight + 1]; ++i) {
    const double value = x[feature[i]];
    const std::int64_t missing = i < begin[kZeroRight] ? kAlwaysLeft : kAlwaysRight;
    keys[i] = value != value || IsZero(value) ? missing : KeyOf(value);
  }
  for (std::size_t i = begin[kNanLeft]; i < begin[kNanLeft + 1]; ++i) {
    const double value = x[feature[i]];
    keys[i] = value != value ? kAlwaysLeft : KeyOf(value);
  }
  for (std::size_t i = begin[kNanRight]; i < begin[kNanRight + 1]; ++i) {
    const double value = x[feature[i]];
    keys[i] = value != value ? kAlwaysRight : KeyOf(value);
  }
  for (std::size_t i = begin[kInSet]; i < begin[kInSet + 1]; ++i) {
    const std::size_t set = i - begin[kInSet];
    const std::uint32_t first = slots.set_begin[set];
    keys[i] =
        InSet(x[feature[i]], slots.sets.data() + first, slots.set_begin[set + 1] - first) ? 0 : 1;
  }
}

void Walk(const HeapBlock& block, const std::int64_t* keys, double* values) {
  switch (block.depth) {
    case 1:
      return WalkHeap<1>(block, keys, values);
    case 2:
      return WalkHeap<2>(block, keys, values);
    case 3:
      return WalkHeap<3>(block, keys, values);
    case 4:
      return WalkHeap<4>(block, keys, values);
    case 5:
      return WalkHeap<5>(block, keys, values);
    case 6:
      return WalkHeap<6>(block, keys, values);
    case 7:
      return WalkHeap<7>(block, keys, values);
    default:
      return WalkHeap<kHeapDepthMax>(block, keys, values);
  }
}

void Walk(const LinkedBlock& block, const std::int64_t* keys, double* values) {
  const LinkedNode* nodes = block.nodes.data();
  std::uint32_t at[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) at[lane] = block.roots[lane];
  const auto step = [&](auto lane) {
    const LinkedNode& node = nodes[at[lane]];
    at[lane] = node.child + static_cast<std::uint32_t>(keys[node.slot] > node.key);
  };
  for (int level = 0; level < block.depth_min; ++level) ForEachLane(step);
  std::uint32_t moved = 1;
  while (moved != 0) {
    moved = 0;
    ForEachLane([&](auto lane) {
      const std::uint32_t before = at[lane];
      step(lane);
      moved |= before ^ at[lane];
    });
  }
  ForEachLane([&](auto lane) { values[lane] = block.values[at[lane]]; });
}

// Straight from LightGBM's definition, on purpose without any of the tricks above.
namespace {
bool GoesLeft(const Split& split, const Tree& tree, double value) {
  if (split.categorical)
    return InSet(value, tree.bitsets.data() + split.bitset_begin, split.bitset_words);
  if (std::fabs(value) <= kZeroThreshold) value = 0;
  if (std::isnan(value) && split.missing != Missing::kNan) value = 0;
  if (split.missing == Missing::kZero && value == 0) return split.default_left;
  if (split.missing == Missing::kNan && std::isnan(value)) return split.default_left;
  return value <= split.threshold;
}
}  // namespace

double WalkTree(const Tree& tree, const double* x) {
  std::int32_t node = tree.splits.empty() ? ~0 : 0;
  while (node >= 0) {
    const Split& split = tree.splits[static_cast<std::size_t>(node)];
    node = GoesLeft(split, tree, x[split.feature]) ? split.left : split.right;
  }
  return tree.leaves[static_cast<std::size_t>(~node)];
}

}  // namespace gyre::predictors
