// Where the nodes of a directed graph stand in a picture: layers from left to right, few crossings,
// straight long edges. Pure and deterministic: the same graph is the same picture.
//
// Sugiyama's framework: cycles are broken along a depth-first walk, nodes are layered by their
// longest path, long edges pass through bends, layers are ordered by barycentres until nothing gets
// better (crossings are counted as in Barth, Jünger and Mutzel, "Simple and efficient bilayer cross
// counting", 2002), and coordinates are those of Brandes and Köpf, "Fast and simple horizontal
// coordinate assignment", 2001.
#pragma once

#include <cstddef>
#include <vector>

#include "base/error.h"

namespace gyre::graph {

struct Size {
  double width = 0, height = 0;
};
struct Point {
  double x = 0, y = 0;
};
struct Edge {
  std::size_t from = 0, to = 0;  // indices of nodes; an edge from a node to itself is not drawn
};

// In the unit of the sizes, pixels as a rule.
struct Spacing {
  double between_layers = 64;  // gap from the widest node of a layer to the next layer
  double between_nodes = 20;   // gap between neighbours of a layer
};

struct Layout {
  std::vector<Point> nodes;                // centres, in the order of the sizes; from (0, 0) on
  std::vector<int> layers;                 // of each node, from 0
  std::vector<std::vector<Point>> routes;  // of each edge, from its right end to its left one
  Size size;                               // of the whole picture
  std::size_t crossings = 0;
};

inline constexpr std::size_t kNodesMax = 10'000, kEdgesMax = 50'000;

// Errors: kInvalidArgument GY1180 an edge names a node that is not there; kResourceExhausted GY1181
// more than kNodesMax nodes or kEdgesMax edges, with bends.
Result<Layout> LayOut(const std::vector<Size>& nodes, const std::vector<Edge>& edges,
                      const Spacing& spacing = {});

}  // namespace gyre::graph
