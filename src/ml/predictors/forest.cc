#include "ml/predictors/forest.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "ml/predictors/forest_layout.h"
#include "ml/predictors/forest_slots.h"

namespace gyre::predictors {

namespace {

int DepthOf(const Tree& tree) {
  int deepest = 0;
  std::vector<std::pair<std::int32_t, int>> waiting;
  if (!tree.splits.empty()) waiting.emplace_back(0, 1);
  while (!waiting.empty()) {
    const auto [node, depth] = waiting.back();
    waiting.pop_back();
    deepest = std::max(deepest, depth);
    const Split& split = tree.splits[static_cast<std::size_t>(node)];
    for (const std::int32_t child : {split.left, split.right}) {
      if (child >= 0) waiting.emplace_back(child, depth + 1);
    }
  }
  return deepest;
}

using Group = std::vector<const Tree*>;  // at most kLanes

// An early leaf becomes nodes that always go left, over copies of the leaf.
HeapBlock MakeHeap(const Group& group, const SlotBook& book, int depth) {
  HeapBlock block;
  block.depth = std::max(depth, 1);
  block.nodes = (std::size_t{1} << block.depth) - 1;
  const std::size_t leaves = block.nodes + 1;
  block.keys.assign(kLanes * block.nodes, kAlwaysRight);
  block.slots.assign(kLanes * block.nodes, 0);
  block.leaves.assign(kLanes * leaves, 0.0);
  for (std::size_t lane = 0; lane < group.size(); ++lane) {
    const Tree& tree = *group[lane];
    std::vector<std::pair<std::size_t, std::int32_t>> waiting = {{0, tree.splits.empty() ? ~0 : 0}};
    while (!waiting.empty()) {
      const auto [place, node] = waiting.back();
      waiting.pop_back();
      if (place >= block.nodes) {
        block.leaves[lane * leaves + place - block.nodes] =
            tree.leaves[static_cast<std::size_t>(~node)];
        continue;
      }
      std::int32_t left = node, right = node;
      if (node >= 0) {
        const Split& split = tree.splits[static_cast<std::size_t>(node)];
        block.keys[lane * block.nodes + place] = NodeKey(split);
        block.slots[lane * block.nodes + place] =
            static_cast<std::uint16_t>(book.Find(tree, split));
        left = split.left;
        right = split.right;
      }
      waiting.emplace_back(2 * place + 1, left);
      waiting.emplace_back(2 * place + 2, right);
    }
  }
  return block;
}

// Breadth first, so that the top of a tree stands together.
LinkedBlock MakeLinked(const Group& group, const SlotBook& book) {
  LinkedBlock block;
  const auto add = [&block] {
    block.nodes.push_back(LinkedNode{.child = static_cast<std::uint32_t>(block.nodes.size())});
    block.values.push_back(0.0);
    return static_cast<std::uint32_t>(block.nodes.size() - 1);
  };
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    block.roots[lane] = add();
    if (lane >= group.size()) continue;
    const Tree& tree = *group[lane];
    std::vector<std::pair<std::uint32_t, std::int32_t>> level = {
        {block.roots[lane], tree.splits.empty() ? ~0 : 0}};
    for (std::size_t i = 0; i < level.size(); ++i) {
      const auto [place, node] = level[i];
      if (node < 0) {
        block.values[place] = tree.leaves[static_cast<std::size_t>(~node)];
        continue;
      }
      const Split& split = tree.splits[static_cast<std::size_t>(node)];
      const std::uint32_t left = add();
      const std::uint32_t right = add();
      block.nodes[place] = LinkedNode{NodeKey(split), book.Find(tree, split), left};
      level.emplace_back(left, split.left);
      level.emplace_back(right, split.right);
    }
  }
  return block;
}

using Block = std::variant<HeapBlock, LinkedBlock>;

Block MakeBlock(const Group& group, const SlotBook& book) {
  int depth = 0;
  std::size_t splits = 0;
  for (const Tree* tree : group) {
    depth = std::max(depth, DepthOf(*tree));
    splits += tree->splits.size();
  }
  // Padding that more than quadruples the trees costs more cache than the simpler step saves.
  const bool heap =
      depth <= 6 || (depth <= kHeapDepthMax && (kLanes << depth) <= 4 * (splits + kLanes));
  if (heap) return MakeHeap(group, book, depth);
  LinkedBlock linked = MakeLinked(group, book);
  linked.depth_min = std::min(depth - depth / 3, 64);
  return linked;
}

class Forest final : public Predictor {
 public:
  Forest(const TreeModel& model, const SlotBook& book, Slots slots)
      : features_(model.features),
        link_(model.link),
        sigmoid_(model.sigmoid),
        slots_(std::move(slots)) {
    iterations_ = model.average ? model.trees.size() / model.outputs : 0;
    for (std::size_t output = 0; output < model.outputs; ++output) {
      Group order;
      for (std::size_t i = output; i < model.trees.size(); i += model.outputs)
        order.push_back(&model.trees[i]);
      for (std::size_t i = 0; i < order.size(); i += kLanes) {
        const std::size_t end = std::min(i + kLanes, order.size());
        blocks_.push_back(MakeBlock(Group(order.begin() + static_cast<std::ptrdiff_t>(i),
                                          order.begin() + static_cast<std::ptrdiff_t>(end)),
                                    book));
      }
      block_end_.push_back(blocks_.size());
    }
  }

  std::string_view format() const override { return "lightgbm.text"; }
  std::size_t features() const override { return features_; }
  std::size_t outputs() const override { return block_end_.size(); }

  void Predict(const double* x, double* out) const override {
    std::int64_t keys[kSlotsMax];
    FillKeys(slots_, x, keys);
    std::size_t block = 0;
    for (std::size_t output = 0; output < block_end_.size(); ++output) {
      double sum = 0;  // in the order of the trees, as LightGBM does it: the processor hides these
                       // additions behind the walks
      double values[kLanes];
      for (; block < block_end_[output]; ++block) {
        if (const auto* heap = std::get_if<HeapBlock>(&blocks_[block]))
          Walk(*heap, keys, values);
        else
          Walk(*std::get_if<LinkedBlock>(&blocks_[block]), keys, values);
        for (const double value : values) sum += value;
      }
      out[output] = iterations_ != 0 ? sum / static_cast<double>(iterations_) : sum;
    }
    ApplyLink(link_, sigmoid_, out, block_end_.size());
  }

  std::int64_t memory_bytes() const override {
    std::size_t bytes = sizeof *this + slots_.size() * sizeof(std::uint32_t) +
                        slots_.sets.size() * sizeof(std::uint32_t);
    for (const Block& block : blocks_) {
      if (const auto* heap = std::get_if<HeapBlock>(&block)) {
        bytes += heap->keys.size() * sizeof(std::int64_t) +
                 heap->slots.size() * sizeof(std::uint16_t) + heap->leaves.size() * sizeof(double);
      } else {
        bytes +=
            std::get_if<LinkedBlock>(&block)->nodes.size() * (sizeof(LinkedNode) + sizeof(double));
      }
    }
    return static_cast<std::int64_t>(bytes);
  }

 private:
  std::size_t features_;
  Link link_;
  double sigmoid_;
  std::size_t iterations_ = 0;  // 0 = no averaging
  Slots slots_;
  std::vector<Block> blocks_;
  std::vector<std::size_t> block_end_;  // by output
};

// For models with more slots than the engine holds.
class WideForest final : public Predictor {
 public:
  explicit WideForest(TreeModel model) : model_(std::move(model)) {}
  std::string_view format() const override { return "lightgbm.text"; }
  std::size_t features() const override { return model_.features; }
  std::size_t outputs() const override { return model_.outputs; }
  void Predict(const double* x, double* out) const override {
    std::fill(out, out + model_.outputs, 0.0);
    for (std::size_t i = 0; i < model_.trees.size(); ++i)
      out[i % model_.outputs] += WalkTree(model_.trees[i], x);
    if (model_.average && !model_.trees.empty()) {
      const auto iterations = static_cast<double>(model_.trees.size() / model_.outputs);
      for (std::size_t k = 0; k < model_.outputs; ++k) out[k] /= iterations;
    }
    ApplyLink(model_.link, model_.sigmoid, out, model_.outputs);
  }
  std::int64_t memory_bytes() const override {
    std::size_t bytes = sizeof *this;
    for (const Tree& tree : model_.trees) {
      bytes += sizeof tree + tree.splits.size() * sizeof(Split) +
               tree.leaves.size() * sizeof(double) + tree.bitsets.size() * sizeof(std::uint32_t);
    }
    return static_cast<std::int64_t>(bytes);
  }

 private:
  TreeModel model_;
};

}  // namespace

std::unique_ptr<Predictor> CompileForest(TreeModel model) {
  SlotBook book;
  for (const Tree& tree : model.trees) book.Note(tree);
  Slots slots = book.Number();
  const std::size_t sets = slots.begin[kInSet + 1] - slots.begin[kInSet];
  if (slots.size() > kSlotsMax || sets > kSetSlotsMax)
    return std::make_unique<WideForest>(std::move(model));
  return std::make_unique<Forest>(model, book, std::move(slots));
}

}  // namespace gyre::predictors
