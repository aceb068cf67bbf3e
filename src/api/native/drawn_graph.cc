#include "api/native/drawn_graph.h"

#include <algorithm>
#include <unordered_map>

#include "platform/graph/layout.h"

namespace gyre::native {
namespace {

// Of a node as the browser draws it: a mark, a name of so many letters, a line of facts.
constexpr double kLetter = 7, kAround = 52, kHeight = 44;
constexpr double kNarrowest = 120, kWidest = 280;

graph::Size SizeOf(const DrawnNode& node) {
  const double wide = kAround + kLetter * static_cast<double>(node.label.size());
  return {std::clamp(wide, kNarrowest, kWidest), kHeight};
}

}  // namespace

bool WantsLayout(const net::Request& request) { return request.Query(kLayout.name) == "true"; }

Result<Json> LayoutToJson(const std::vector<DrawnNode>& nodes,
                          const std::vector<DrawnEdge>& edges) {
  std::unordered_map<std::string_view, std::size_t> index;
  std::vector<graph::Size> sizes;
  for (const DrawnNode& node : nodes) {
    index.emplace(node.id, sizes.size());
    sizes.push_back(SizeOf(node));
  }
  std::vector<graph::Edge> drawn;
  std::vector<const DrawnEdge*> of;
  for (const DrawnEdge& edge : edges) {
    const auto from = index.find(edge.from), to = index.find(edge.to);
    if (from == index.end() || to == index.end()) continue;
    drawn.push_back({from->second, to->second});
    of.push_back(&edge);
  }
  GYRE_TRY(const graph::Layout layout, graph::LayOut(sizes, drawn));
  Json places = Json::Arr(), routes = Json::Arr();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    places.Push(Json::Obj({{"id", nodes[i].id},
                           {"x", layout.nodes[i].x},
                           {"y", layout.nodes[i].y},
                           {"width", sizes[i].width},
                           {"height", sizes[i].height},
                           {"layer", layout.layers[i]}}));
  for (std::size_t i = 0; i < of.size(); ++i) {
    Json points = Json::Arr();
    for (const graph::Point& point : layout.routes[i]) points.Push(Json::Arr({point.x, point.y}));
    routes.Push(
        Json::Obj({{"from", of[i]->from}, {"to", of[i]->to}, {"points", std::move(points)}}));
  }
  return Json::Obj({{"width", layout.size.width},
                    {"height", layout.size.height},
                    {"crossings", layout.crossings},
                    {"nodes", std::move(places)},
                    {"edges", std::move(routes)}});
}

Result<Json> LayoutOfSteps(const Json& steps, std::string_view name_key) {
  std::vector<DrawnNode> nodes;
  std::vector<DrawnEdge> edges;
  for (const Json& step : steps.items()) {
    const std::string& name = step[name_key].AsString();
    nodes.push_back({name, name});
    for (const Json& need : step["needs"].items()) edges.push_back({need.AsString(), name});
  }
  return LayoutToJson(nodes, edges);
}

}  // namespace gyre::native
