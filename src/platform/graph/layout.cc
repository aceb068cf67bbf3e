#include "platform/graph/layout.h"

#include <algorithm>
#include <limits>

#include "platform/graph/layered.h"

namespace gyre::graph {
namespace {

// The middle of each layer, from the left.
std::vector<double> Columns(const Layered& graph, double gap, double* width) {
  std::vector<double> middles;
  double left = 0;
  for (const auto& nodes : graph.order) {
    double widest = 0;
    for (const std::size_t node : nodes) widest = std::max(widest, graph.sizes[node].width);
    middles.push_back(left + widest / 2);
    left += widest + gap;
  }
  *width = middles.empty() ? 0 : left - gap;
  return middles;
}

Point SideOf(const Layered& graph, const std::vector<Point>& at, std::size_t node, bool right) {
  const double half = graph.sizes[node].width / 2;
  return {at[node].x + (right ? half : -half), at[node].y};
}

std::vector<Point> RouteOf(const Layered& graph, const std::vector<Point>& at, std::size_t edge) {
  const auto& through = graph.through[edge];
  std::vector<Point> route;
  if (through.empty()) return route;
  route.push_back(SideOf(graph, at, through.front(), true));
  for (std::size_t i = 1; i + 1 < through.size(); ++i) route.push_back(at[through[i]]);
  route.push_back(SideOf(graph, at, through.back(), false));
  if (graph.turned[edge]) std::ranges::reverse(route);
  return route;
}

}  // namespace

Result<Layout> LayOut(const std::vector<Size>& nodes, const std::vector<Edge>& edges,
                      const Spacing& spacing) {
  for (const Edge& edge : edges)
    if (edge.from >= nodes.size() || edge.to >= nodes.size())
      return Error(Code::kInvalidArgument, "GY1180",
                   fmt::format("an edge leads from node {} to node {}, and there are {}", edge.from,
                               edge.to, nodes.size()));
  Layout layout;
  if (nodes.empty()) return layout;
  GYRE_TRY(Layered graph, IntoLayers(nodes, edges));
  layout.crossings = Untangle(&graph);
  const std::vector<double> ys = Coordinates(graph, spacing.between_nodes);
  const std::vector<double> xs = Columns(graph, spacing.between_layers, &layout.size.width);
  double top = std::numeric_limits<double>::infinity(), bottom = -top;
  for (std::size_t node = 0; node < ys.size(); ++node) {
    top = std::min(top, ys[node] - graph.sizes[node].height / 2);
    bottom = std::max(bottom, ys[node] + graph.sizes[node].height / 2);
  }
  layout.size.height = bottom - top;
  std::vector<Point> at(ys.size());
  for (std::size_t node = 0; node < at.size(); ++node)
    at[node] = {xs[static_cast<std::size_t>(graph.layer[node])], ys[node] - top};
  for (std::size_t edge = 0; edge < edges.size(); ++edge)
    layout.routes.push_back(RouteOf(graph, at, edge));
  at.resize(nodes.size());
  layout.nodes = std::move(at);
  graph.layer.resize(nodes.size());
  layout.layers = std::move(graph.layer);
  return layout;
}

}  // namespace gyre::graph
