#include <algorithm>
#include <numeric>

#include "platform/graph/layered.h"

namespace gyre::graph {
namespace {

constexpr int kSweepsMax = 24;
constexpr int kPatience = 4;  // sweeps that made nothing better

using Neighbours = std::vector<std::vector<std::size_t>>;

// Inversions of a sequence of places, by an accumulator tree: each is one crossing.
std::size_t Inversions(const std::vector<std::size_t>& places, std::size_t count) {
  std::size_t first = 1;
  while (first < count) first *= 2;
  std::vector<std::uint32_t> tree(2 * first, 0);
  std::size_t crossings = 0;
  for (const std::size_t place : places) {
    std::size_t index = place + first;
    ++tree[index];
    while (index > 1) {
      if (index % 2 == 0) crossings += tree[index + 1];
      index /= 2;
      ++tree[index];
    }
  }
  return crossings;
}

// By the mean place of the neighbours; a node without any stays where it is.
void OrderByMeans(Layered* graph, std::size_t layer, const Neighbours& neighbours) {
  std::vector<std::size_t>& nodes = graph->order[layer];
  struct Ranked {
    double mean;
    std::size_t node;
  };
  std::vector<Ranked> ranked;
  for (const std::size_t node : nodes) {
    if (neighbours[node].empty()) continue;
    double sum = 0;
    for (const std::size_t other : neighbours[node])
      sum += static_cast<double>(graph->place[other]);
    ranked.push_back({sum / static_cast<double>(neighbours[node].size()), node});
  }
  std::ranges::stable_sort(ranked, {}, &Ranked::mean);
  std::size_t next = 0;
  for (std::size_t& node : nodes)
    if (!neighbours[node].empty()) node = ranked[next++].node;
  for (std::size_t i = 0; i < nodes.size(); ++i) graph->place[nodes[i]] = i;
}

// Crossings of the edges of two neighbours of a layer, with `a` above `b`.
std::size_t CrossingsOf(const Layered& graph, const std::vector<std::size_t>& a,
                        const std::vector<std::size_t>& b) {
  std::size_t crossings = 0;
  for (const std::size_t one : a)
    for (const std::size_t other : b) crossings += graph.place[other] < graph.place[one] ? 1 : 0;
  return crossings;
}

// Swaps neighbours of a layer as long as that helps, a few rounds at most.
void Exchange(Layered* graph) {
  constexpr int kRounds = 4;
  constexpr std::size_t kDegreeMax = 64;  // above it a pair is not worth its time
  for (int round = 0; round < kRounds; ++round) {
    bool better = false;
    for (auto& nodes : graph->order)
      for (std::size_t i = 1; i < nodes.size(); ++i) {
        const std::size_t a = nodes[i - 1], b = nodes[i];
        const auto& a_in = graph->before[a];
        const auto& b_in = graph->before[b];
        const auto& a_out = graph->after[a];
        const auto& b_out = graph->after[b];
        if (std::max({a_in.size(), b_in.size(), a_out.size(), b_out.size()}) > kDegreeMax) continue;
        const std::size_t now = CrossingsOf(*graph, a_in, b_in) + CrossingsOf(*graph, a_out, b_out);
        const std::size_t then =
            CrossingsOf(*graph, b_in, a_in) + CrossingsOf(*graph, b_out, a_out);
        if (then >= now) continue;
        std::swap(nodes[i - 1], nodes[i]);
        std::swap(graph->place[a], graph->place[b]);
        better = true;
      }
    if (!better) return;
  }
}

void Sweep(Layered* graph, bool forward) {
  const std::size_t layers = graph->order.size();
  for (std::size_t i = 1; i < layers; ++i) {
    const std::size_t layer = forward ? i : layers - 1 - i;
    OrderByMeans(graph, layer, forward ? graph->before : graph->after);
  }
}

}  // namespace

std::size_t CountCrossings(const Layered& graph) {
  std::size_t crossings = 0;
  std::vector<std::size_t> places, of_one;
  for (std::size_t layer = 1; layer < graph.order.size(); ++layer) {
    places.clear();
    for (const std::size_t node : graph.order[layer - 1]) {
      of_one.clear();
      for (const std::size_t to : graph.after[node]) of_one.push_back(graph.place[to]);
      std::ranges::sort(of_one);
      places.insert(places.end(), of_one.begin(), of_one.end());
    }
    crossings += Inversions(places, graph.order[layer].size());
  }
  return crossings;
}

std::size_t Untangle(Layered* graph) {
  std::size_t best = CountCrossings(*graph);
  auto best_order = graph->order;
  int since_better = 0;
  for (int sweep = 0; sweep < kSweepsMax && best > 0 && since_better < kPatience; ++sweep) {
    Sweep(graph, sweep % 2 == 0);
    Exchange(graph);
    const std::size_t crossings = CountCrossings(*graph);
    ++since_better;
    if (crossings >= best) continue;
    best = crossings;
    best_order = graph->order;
    since_better = 0;
  }
  graph->order = std::move(best_order);
  graph->SetPlaces();
  return best;
}

}  // namespace gyre::graph
