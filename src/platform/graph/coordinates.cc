#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>

#include "platform/graph/layered.h"

namespace gyre::graph {
namespace {

using Nodes = std::vector<std::size_t>;

std::uint64_t PairOf(std::size_t a, std::size_t b) {
  return (static_cast<std::uint64_t>(std::min(a, b)) << 32) | std::max(a, b);
}
using Pairs = std::unordered_set<std::uint64_t>;

// The place of the bend before a bend, where this is the right half of a long edge.
std::size_t InnerBefore(const Layered& graph, std::size_t node, std::size_t otherwise) {
  if (!graph.is_bend(node)) return otherwise;
  for (const std::size_t other : graph.before[node])
    if (graph.is_bend(other)) return graph.place[other];
  return otherwise;
}

// Edges that cross the inside of a long edge: the long one stays straight.
Pairs Conflicts(const Layered& graph) {
  Pairs conflicts;
  for (std::size_t layer = 1; layer < graph.order.size(); ++layer) {
    const Nodes& nodes = graph.order[layer];
    const std::size_t none = graph.order[layer - 1].size();
    std::size_t low = 0, done = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::size_t inner = InnerBefore(graph, nodes[i], none);
      if (inner == none && i + 1 < nodes.size()) continue;
      for (; done <= i; ++done)
        for (const std::size_t other : graph.before[nodes[done]]) {
          const std::size_t place = graph.place[other];
          const bool both_bends = graph.is_bend(other) && graph.is_bend(nodes[done]);
          if ((place < low || (inner != none && place > inner)) && !both_bends)
            conflicts.insert(PairOf(other, nodes[done]));
        }
      if (inner != none) low = inner;
    }
  }
  return conflicts;
}

// One of the four ways to look at it: from the left or the right end, from the top or the bottom.
struct View {
  bool from_right = false, from_bottom = false;
};

class Alignment {
 public:
  Alignment(const Layered& graph, const Pairs& conflicts, View view, double gap)
      : graph_(graph),
        view_(view),
        gap_(gap),
        root_(graph.sizes.size()),
        next_(graph.sizes.size()) {
    for (std::size_t node = 0; node < root_.size(); ++node) root_[node] = next_[node] = node;
    Align(conflicts);
  }
  std::vector<double> Compacted() const;

 private:
  std::size_t layers() const { return graph_.order.size(); }
  const Nodes& Layer(std::size_t i) const {
    return graph_.order[view_.from_right ? layers() - 1 - i : i];
  }
  // Seen from this side: the i-th of a layer.
  std::size_t At(const Nodes& nodes, std::size_t i) const {
    return nodes[view_.from_bottom ? nodes.size() - 1 - i : i];
  }
  std::size_t PlaceOf(std::size_t node) const {
    if (!view_.from_bottom) return graph_.place[node];
    const auto layer = static_cast<std::size_t>(graph_.layer[node]);
    return graph_.order[layer].size() - 1 - graph_.place[node];
  }
  void Align(const Pairs& conflicts);
  void AlignNode(std::size_t node, const Pairs& conflicts, std::ptrdiff_t* taken);

  const Layered& graph_;
  const View view_;
  const double gap_;
  Nodes root_, next_;
};

void Alignment::AlignNode(std::size_t node, const Pairs& conflicts, std::ptrdiff_t* taken) {
  Nodes others = view_.from_right ? graph_.after[node] : graph_.before[node];
  if (others.empty()) return;
  std::ranges::sort(others, {}, [&](std::size_t other) { return PlaceOf(other); });
  const std::size_t last = others.size() - 1;
  for (std::size_t m = last / 2; m <= (last + 1) / 2; ++m) {
    const std::size_t other = others[m];
    const auto place = static_cast<std::ptrdiff_t>(PlaceOf(other));
    if (next_[node] != node || *taken >= place || conflicts.contains(PairOf(other, node))) continue;
    next_[other] = node;
    root_[node] = root_[other];
    next_[node] = root_[node];
    *taken = place;
  }
}

void Alignment::Align(const Pairs& conflicts) {
  for (std::size_t i = 1; i < layers(); ++i) {
    std::ptrdiff_t taken = -1;
    const Nodes& nodes = Layer(i);
    for (std::size_t k = 0; k < nodes.size(); ++k) AlignNode(At(nodes, k), conflicts, &taken);
  }
}

// Blocks as close as their nodes allow: first as far up as they go, then down to what follows.
std::vector<double> Alignment::Compacted() const {
  struct Follows {
    std::size_t block;
    double distance;
  };
  const std::size_t nodes = root_.size();
  std::vector<std::vector<Follows>> below(nodes);
  Nodes waits(nodes, 0), ready;
  for (std::size_t i = 0; i < layers(); ++i) {
    const Nodes& layer = Layer(i);
    for (std::size_t k = 1; k < layer.size(); ++k) {
      const std::size_t upper = At(layer, k - 1), lower = At(layer, k);
      const double distance = (graph_.sizes[upper].height + graph_.sizes[lower].height) / 2 + gap_;
      below[root_[upper]].push_back({root_[lower], distance});
      ++waits[root_[lower]];
    }
  }
  for (std::size_t node = 0; node < nodes; ++node)
    if (root_[node] == node && waits[node] == 0) ready.push_back(node);
  std::vector<double> at(nodes, 0);
  for (std::size_t i = 0; i < ready.size(); ++i)
    for (const Follows& next : below[ready[i]]) {
      at[next.block] = std::max(at[next.block], at[ready[i]] + next.distance);
      if (--waits[next.block] == 0) ready.push_back(next.block);
    }
  for (std::size_t i = ready.size(); i-- > 0;) {
    double room = std::numeric_limits<double>::infinity();
    for (const Follows& next : below[ready[i]])
      room = std::min(room, at[next.block] - next.distance);
    if (room < std::numeric_limits<double>::infinity()) at[ready[i]] = std::max(at[ready[i]], room);
  }
  for (std::size_t node = 0; node < nodes; ++node) at[node] = at[root_[node]];
  if (view_.from_bottom)
    for (double& y : at) y = -y;
  return at;
}

struct Extent {
  double low = 0, high = 0;
};
Extent ExtentOf(const Layered& graph, const std::vector<double>& at) {
  Extent extent{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (std::size_t node = 0; node < at.size(); ++node) {
    extent.low = std::min(extent.low, at[node] - graph.sizes[node].height / 2);
    extent.high = std::max(extent.high, at[node] + graph.sizes[node].height / 2);
  }
  return extent;
}

}  // namespace

std::vector<double> Coordinates(const Layered& graph, double gap) {
  const Pairs conflicts = Conflicts(graph);
  constexpr std::array<View, 4> kViews = {View{}, View{.from_bottom = true},
                                          View{.from_right = true},
                                          View{.from_right = true, .from_bottom = true}};
  std::array<std::vector<double>, 4> four;
  std::array<Extent, 4> extents;
  std::size_t tightest = 0;
  for (std::size_t i = 0; i < four.size(); ++i) {
    four[i] = Alignment(graph, conflicts, kViews[i], gap).Compacted();
    extents[i] = ExtentOf(graph, four[i]);
    if (extents[i].high - extents[i].low < extents[tightest].high - extents[tightest].low)
      tightest = i;
  }
  for (std::size_t i = 0; i < four.size(); ++i) {
    const double shift = kViews[i].from_bottom ? extents[tightest].high - extents[i].high
                                               : extents[tightest].low - extents[i].low;
    for (double& y : four[i]) y += shift;
  }
  std::vector<double> result(graph.sizes.size());
  for (std::size_t node = 0; node < result.size(); ++node) {
    std::array<double, 4> ys = {four[0][node], four[1][node], four[2][node], four[3][node]};
    std::ranges::sort(ys);
    result[node] = (ys[1] + ys[2]) / 2;
  }
  return result;
}

}  // namespace gyre::graph
