// The hot loop of tree_shap.h, for vectors of a given width. Included by one source per instruction
// set, each compiled with its own flags; nothing here may call an inline function of a library,
// else the linker could keep the copy with the wider instructions for everybody. Private.
#pragma once

#include "ml/predictors/tree_shap.h"

// Only about vectors handed between object files; ours never leave theirs.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace gyre::predictors {

constexpr std::size_t kShapParts = 4;  // vectors side by side: they share the decoding of a step

// W: {Numbers, Mask}, vectors of doubles and of 64-bit integers.
template <class W, std::size_t kNodes>
class ShapWalker {
 public:
  // Walks the lanes from `lane` of a strip.
  ShapWalker(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room, std::size_t strip,
             std::size_t lane)
      : nodes_(kNodes != 0 ? kNodes : tree.nodes),
        keys_(rows.keys + strip * rows.slots),
        values_(rows.values + strip * rows.used),
        room_(room),
        lane_(lane),
        c_(tree.constants) {}

  void Walk(const ShapStep* steps, std::size_t count) {
    for (std::size_t q = 0; q < nodes_; ++q) {
      for (std::size_t p = 0; p < kShapParts; ++p) At(room_.products[q], p) = Same(1.0);
    }
    for (const ShapStep* step = steps; step != steps + count; ++step) {
      switch (step->kind * 4 + (step->right ? 2 : 0) + (step->before >= 0 ? 1 : 0)) {
        case ShapStep::kDown * 4:
        case ShapStep::kDown * 4 + 2:
          Down<false>(*step);
          break;
        case ShapStep::kDown * 4 + 1:
        case ShapStep::kDown * 4 + 3:
          Down<true>(*step);
          break;
        case ShapStep::kUp * 4:
          Up<false, false>(*step);
          break;
        case ShapStep::kUp * 4 + 1:
          Up<false, true>(*step);
          break;
        case ShapStep::kUp * 4 + 2:
          Up<true, false>(*step);
          break;
        case ShapStep::kUp * 4 + 3:
          Up<true, true>(*step);
          break;
        case ShapStep::kLeaf * 4:
          Leaf<false, false>(*step);
          break;
        case ShapStep::kLeaf * 4 + 1:
          Leaf<false, true>(*step);
          break;
        case ShapStep::kLeaf * 4 + 2:
          Leaf<true, false>(*step);
          break;
        default:
          Leaf<true, true>(*step);
      }
    }
  }

 private:
  using Numbers = typename W::Numbers;
  using Mask = typename W::Mask;
  static constexpr std::size_t kRows = sizeof(Numbers) / sizeof(double);
  struct Masks {
    Mask part[kShapParts];
  };

  Numbers& At(Strip& strip, std::size_t part) const {
    return *reinterpret_cast<Numbers*>(strip.at + lane_ + part * kRows);
  }
  const Numbers& At(const Strip& strip, std::size_t part) const {
    return *reinterpret_cast<const Numbers*>(strip.at + lane_ + part * kRows);
  }
  Mask& At(MaskStrip& strip, std::size_t part) const {
    return *reinterpret_cast<Mask*>(strip.at + lane_ + part * kRows);
  }
  const Mask& At(const MaskStrip& strip, std::size_t part) const {
    return *reinterpret_cast<const Mask*>(strip.at + lane_ + part * kRows);
  }
  // Minus zero changes nothing, so that this is one load.
  [[gnu::always_inline]] static Numbers Same(double x) { return x - Numbers{}; }

  [[gnu::always_inline]] Masks Before(const ShapStep& step) const {
    Masks masks;
    for (std::size_t p = 0; p < kShapParts; ++p)
      masks.part[p] = At(room_.followed[static_cast<std::size_t>(step.before)], p);
    return masks;
  }
  // The rows that take this edge.
  [[gnu::always_inline]] Masks Taken(const ShapStep& step) const {
    Masks masks;
    for (std::size_t p = 0; p < kShapParts; ++p) {
      const Mask& key = At(keys_[step.slot], p);
      masks.part[p] = step.right ? key > step.key : key <= step.key;
    }
    return masks;
  }

  template <bool kRepeated>
  [[gnu::always_inline]] void Down(const ShapStep& step) {
    Masks now = Taken(step), before;
    if constexpr (kRepeated) {
      before = Before(step);
      for (std::size_t p = 0; p < kShapParts; ++p) now.part[p] &= before.part[p];
    }
    for (std::size_t p = 0; p < kShapParts; ++p) At(room_.followed[step.depth], p) = now.part[p];
    const Strip* above = room_.products + step.depth * nodes_;
    Strip* below = room_.products + (step.depth + 1) * nodes_;
    const Numbers apart = Same(c_[2 * nodes_]);
    for (std::size_t q = 0; q < nodes_; ++q) {
      const Numbers follows = Same(c_[q]), leaves = Same(c_[nodes_ + q]);
      for (std::size_t p = 0; p < kShapParts; ++p) {
        Numbers factor = now.part[p] ? follows : leaves;
        if constexpr (kRepeated) factor = before.part[p] ? factor : apart;
        At(below[q], p) = At(above[q], p) * factor;
      }
    }
    c_ += 2 * nodes_ + 1;
  }

  template <bool kRight, bool kRepeated>
  [[gnu::always_inline]] void Up(const ShapStep& step) {
    Masks now, before;
    if constexpr (kRepeated) before = Before(step);
    Numbers added[kShapParts] = {};
    for (std::size_t p = 0; p < kShapParts; ++p) now.part[p] = At(room_.followed[step.depth], p);
    Strip* sum = room_.sums + step.depth * nodes_;
    const Strip* child = sum + nodes_;
    for (std::size_t q = 0; q < nodes_; ++q) {
      const Numbers follows = Same(c_[q]), leaves = Same(c_[nodes_ + q]);
      for (std::size_t p = 0; p < kShapParts; ++p) {
        const Numbers below = At(child[q], p);
        added[p] += below * (now.part[p] ? follows : leaves);
        At(sum[q], p) = kRight ? At(sum[q], p) + below : below;
      }
    }
    Add<kRepeated>(step, before, added);
    c_ += 2 * nodes_;
  }

  template <bool kRight, bool kRepeated>
  [[gnu::always_inline]] void Leaf(const ShapStep& step) {
    Masks now = Taken(step), before;
    if constexpr (kRepeated) {
      before = Before(step);
      for (std::size_t p = 0; p < kShapParts; ++p) now.part[p] &= before.part[p];
    }
    Numbers added[kShapParts] = {};
    const Strip* above = room_.products + step.depth * nodes_;
    Strip* sum = room_.sums + step.depth * nodes_;
    const Numbers apart = Same(c_[3 * nodes_]);
    for (std::size_t q = 0; q < nodes_; ++q) {
      const Numbers follows = Same(c_[q]), leaves = Same(c_[nodes_ + q]);
      const Numbers share = Same(c_[2 * nodes_ + q]);
      for (std::size_t p = 0; p < kShapParts; ++p) {
        const Numbers product = At(above[q], p);
        Numbers factor = now.part[p] ? follows : leaves;
        if constexpr (kRepeated) factor = before.part[p] ? factor : apart;
        const Numbers leaf = product * factor;
        At(sum[q], p) = kRight ? At(sum[q], p) + leaf : leaf;
        added[p] += product * share;
      }
    }
    const Numbers with = Same(c_[3 * nodes_ + 1]), without = Same(c_[3 * nodes_ + 2]);
    for (std::size_t p = 0; p < kShapParts; ++p) added[p] *= now.part[p] ? with : without;
    Add<kRepeated>(step, before, added);
    c_ += 3 * nodes_ + 3;
  }

  // To the rows that were on the feature's path until here.
  template <bool kRepeated>
  [[gnu::always_inline]] void Add(const ShapStep& step, const Masks& before, const Numbers* added) {
    Strip& value = values_[step.feature];
    for (std::size_t p = 0; p < kShapParts; ++p) {
      if constexpr (kRepeated)
        At(value, p) += before.part[p] ? added[p] : Numbers{};
      else
        At(value, p) += added[p];
    }
  }

  const std::size_t nodes_;
  const MaskStrip* const keys_;
  Strip* const values_;
  const ShapRoom room_;
  const std::size_t lane_;
  const double* c_;
};

template <class W, std::size_t kNodes>
void WalkStrips(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room) {
  constexpr std::size_t kTogether = kShapParts * sizeof(typename W::Numbers) / sizeof(double);
  for (std::size_t strip = 0; strip < rows.strips; ++strip) {
    for (std::size_t lane = 0; lane < kShapLanes; lane += kTogether)
      ShapWalker<W, kNodes>(tree, rows, room, strip, lane).Walk(tree.steps, tree.step_count);
  }
}

template <class W>
void WalkShapWith(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room) {
  switch (tree.nodes) {
    case 1:
      return WalkStrips<W, 1>(tree, rows, room);
    case 2:
      return WalkStrips<W, 2>(tree, rows, room);
    case 3:
      return WalkStrips<W, 3>(tree, rows, room);
    case 4:
      return WalkStrips<W, 4>(tree, rows, room);
    case 5:
      return WalkStrips<W, 5>(tree, rows, room);
    case 6:
      return WalkStrips<W, 6>(tree, rows, room);
    default:
      return WalkStrips<W, 0>(tree, rows, room);
  }
}

}  // namespace gyre::predictors
