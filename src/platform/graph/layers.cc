#include <algorithm>

#include "platform/graph/layered.h"

namespace gyre::graph {
namespace {

constexpr std::size_t kBendsMax = 200'000;

// Edges that close a cycle on a walk in the order of the nodes.
class CycleBreaker {
 public:
  CycleBreaker(std::size_t nodes, const std::vector<Edge>& edges)
      : edges_(edges), out_(nodes), state_(nodes, kNew), turned_(edges.size(), false) {
    for (std::size_t e = 0; e < edges.size(); ++e)
      if (edges[e].from != edges[e].to) out_[edges[e].from].push_back(e);
  }
  std::vector<bool> Run() {
    for (std::size_t node = 0; node < out_.size(); ++node)
      if (state_[node] == kNew) Walk(node);
    return std::move(turned_);
  }

 private:
  enum State : unsigned char { kNew, kOpen, kDone };
  struct Step {
    std::size_t node, next;
  };

  void Walk(std::size_t start) {
    std::vector<Step> path = {{start, 0}};
    state_[start] = kOpen;
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == out_[step.node].size()) {
        state_[step.node] = kDone;
        path.pop_back();
        continue;
      }
      const std::size_t edge = out_[step.node][step.next++];
      const std::size_t to = edges_[edge].to;
      if (state_[to] == kOpen) turned_[edge] = true;
      if (state_[to] != kNew) continue;
      state_[to] = kOpen;
      path.push_back({to, 0});
    }
  }

  const std::vector<Edge>& edges_;
  std::vector<std::vector<std::size_t>> out_;
  std::vector<State> state_;
  std::vector<bool> turned_;
};

struct Directed {  // without cycles
  std::vector<std::vector<std::size_t>> in, out;
};

Directed Directing(std::size_t nodes, const std::vector<Edge>& edges,
                   const std::vector<bool>& turned) {
  Directed graph{.in = std::vector<std::vector<std::size_t>>(nodes),
                 .out = std::vector<std::vector<std::size_t>>(nodes)};
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (edges[e].from == edges[e].to) continue;
    const std::size_t from = turned[e] ? edges[e].to : edges[e].from;
    const std::size_t to = turned[e] ? edges[e].from : edges[e].to;
    graph.out[from].push_back(to);
    graph.in[to].push_back(from);
  }
  return graph;
}

// By the longest path from a source; a source stands just before what follows it first.
std::vector<int> Layers(const Directed& graph) {
  const std::size_t nodes = graph.in.size();
  std::vector<int> layer(nodes, 0);
  std::vector<std::size_t> waits(nodes), ready;
  for (std::size_t node = 0; node < nodes; ++node) {
    waits[node] = graph.in[node].size();
    if (waits[node] == 0) ready.push_back(node);
  }
  for (std::size_t i = 0; i < ready.size(); ++i)
    for (const std::size_t to : graph.out[ready[i]]) {
      layer[to] = std::max(layer[to], layer[ready[i]] + 1);
      if (--waits[to] == 0) ready.push_back(to);
    }
  for (std::size_t node = 0; node < nodes; ++node) {
    if (!graph.in[node].empty() || graph.out[node].empty()) continue;
    int first = layer[graph.out[node].front()];
    for (const std::size_t to : graph.out[node]) first = std::min(first, layer[to]);
    layer[node] = first - 1;
  }
  return layer;
}

std::size_t AddBend(Layered* graph, int layer) {
  graph->sizes.push_back({});
  graph->layer.push_back(layer);
  graph->before.emplace_back();
  graph->after.emplace_back();
  return graph->sizes.size() - 1;
}

Error TooLarge() {
  return Error(Code::kResourceExhausted, "GY1181", "the graph is too large to be drawn")
      .Why(fmt::format("{} nodes, {} edges and {} bends of long edges at most", kNodesMax,
                       kEdgesMax, kBendsMax))
      .Fix("ask for a part of it");
}

}  // namespace

void Layered::SetPlaces() {
  place.resize(sizes.size());
  for (const auto& nodes : order)
    for (std::size_t i = 0; i < nodes.size(); ++i) place[nodes[i]] = i;
}

Result<Layered> IntoLayers(const std::vector<Size>& nodes, const std::vector<Edge>& edges) {
  if (nodes.size() > kNodesMax || edges.size() > kEdgesMax) return TooLarge();
  Layered graph;
  graph.drawn = nodes.size();
  graph.sizes = nodes;
  graph.turned = CycleBreaker(nodes.size(), edges).Run();
  graph.layer = Layers(Directing(nodes.size(), edges, graph.turned));
  graph.before.resize(nodes.size());
  graph.after.resize(nodes.size());
  graph.through.resize(edges.size());
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (edges[e].from == edges[e].to) continue;
    const std::size_t from = graph.turned[e] ? edges[e].to : edges[e].from;
    const std::size_t to = graph.turned[e] ? edges[e].from : edges[e].to;
    std::vector<std::size_t>& through = graph.through[e];
    through.push_back(from);
    for (int layer = graph.layer[from] + 1; layer < graph.layer[to]; ++layer)
      through.push_back(AddBend(&graph, layer));
    through.push_back(to);
    for (std::size_t i = 1; i < through.size(); ++i) {
      graph.after[through[i - 1]].push_back(through[i]);
      graph.before[through[i]].push_back(through[i - 1]);
    }
    if (graph.sizes.size() > kBendsMax) return TooLarge();
  }
  int last = -1;
  for (const int layer : graph.layer) last = std::max(last, layer);
  graph.order.resize(static_cast<std::size_t>(last + 1));
  for (std::size_t node = 0; node < graph.sizes.size(); ++node)
    graph.order[static_cast<std::size_t>(graph.layer[node])].push_back(node);
  graph.SetPlaces();
  return graph;
}

}  // namespace gyre::graph
