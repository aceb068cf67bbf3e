// A graph with the places of its nodes, for those who draw it: the browser only paints.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::native {

inline constexpr net::Field kLayout{
    "layout", net::Type::kBool,
    "`layout` says where nodes and edges stand in a picture, in pixels"};
bool WantsLayout(const net::Request& request);

struct DrawnNode {
  std::string id, label;
};
struct DrawnEdge {
  std::string from, to;
};

// {"width", "height", "crossings", "nodes": [{"id", "x", "y", "width", "height", "layer"}],
// "edges": [{"from", "to", "points": [[x, y], ...]}]}; x and y are of centres. Edges to nodes that
// are not there are left out. Error: GY1181 it is too large.
Result<Json> LayoutToJson(const std::vector<DrawnNode>& nodes, const std::vector<DrawnEdge>& edges);

// Of [{"step" or "name", "needs": ["step", ...]}, ...].
Result<Json> LayoutOfSteps(const Json& steps, std::string_view name_key);

}  // namespace gyre::native
