// Layouts of the forest engine and the loops that walk them. Private.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "ml/predictors/tree_model.h"

namespace gyre::predictors {

constexpr std::size_t kLanes = 8;          // trees walked together
constexpr std::size_t kSlotsMax = 2048;    // keys of one row stand on the stack
constexpr std::size_t kSetSlotsMax = 256;  // categorical slots are evaluated for every row
constexpr int kHeapDepthMax = 8;
constexpr std::int64_t kAlwaysLeft = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kAlwaysRight = std::numeric_limits<std::int64_t>::max();

// Slots stand in this order, so that each kind is filled by one tight loop.
enum SlotKind : unsigned char {
  kPlain,
  kZeroLeft,
  kZeroRight,
  kNanLeft,
  kNanRight,
  kInSet,
  kSlotKinds
};

struct Slots {
  std::vector<std::uint32_t> feature;                  // by slot
  std::array<std::size_t, kSlotKinds + 1> begin = {};  // slots of kind k: [begin[k], begin[k + 1])
  std::vector<std::uint32_t> set_begin;                // by categorical slot, one more at the end
  std::vector<std::uint32_t> sets;
  std::size_t size() const { return feature.size(); }
};

// Eight trees padded to complete heaps of one depth; a key greater than the node's goes right.
struct HeapBlock {
  int depth = 0;
  std::size_t nodes = 0;             // of one tree: 2^depth - 1
  std::vector<std::int64_t> keys;    // [lane][node]
  std::vector<std::uint16_t> slots;  // [lane][node]
  std::vector<double> leaves;        // [lane][leaf]
};

// Eight trees of any depth: both children stand side by side, leaves point at themselves.
struct LinkedNode {
  std::int64_t key = kAlwaysRight;
  std::uint32_t slot = 0;
  std::uint32_t child = 0;  // the left one; the right one is next to it
};
struct LinkedBlock {
  std::array<std::uint32_t, kLanes> roots = {};
  int depth_min = 0;  // steps before it is worth asking whether all trees have arrived
  std::vector<LinkedNode> nodes;
  std::vector<double> values;  // by node; leaves only
};

std::int64_t KeyOf(double value);
// LightGBM reads values of at most kZeroThreshold as zero before it compares; moving the threshold
// instead costs nothing per row.
double ThresholdForRawValues(double threshold);

void FillKeys(const Slots& slots, const double* x, std::int64_t* keys);
// values[lane] = the leaf of each tree.
void Walk(const HeapBlock& block, const std::int64_t* keys, double* values);
void Walk(const LinkedBlock& block, const std::int64_t* keys, double* values);

}  // namespace gyre::predictors
