// A graph whose edges all lead from one layer to the next: long ones pass through bends, which are
// nodes of no size. Private.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "platform/graph/layout.h"

namespace gyre::graph {

struct Layered {
  std::size_t drawn = 0;                          // nodes below this are the caller's, others bends
  std::vector<Size> sizes;                        // of all
  std::vector<int> layer;                         // of all
  std::vector<std::vector<std::size_t>> before;   // neighbours in the layer before
  std::vector<std::vector<std::size_t>> after;    // and in the next
  std::vector<std::vector<std::size_t>> order;    // of each layer, from the top
  std::vector<std::size_t> place;                 // in the order of its layer
  std::vector<std::vector<std::size_t>> through;  // of each edge: its nodes from left to right
  std::vector<bool> turned;                       // of each edge: it leads from right to left

  bool is_bend(std::size_t node) const { return node >= drawn; }
  void SetPlaces();  // after `order` changed
};

// layers.cc: into layers, with bends. Error: GY1181.
Result<Layered> IntoLayers(const std::vector<Size>& nodes, const std::vector<Edge>& edges);
// order.cc: fewer crossings; how many are left.
std::size_t Untangle(Layered* graph);
std::size_t CountCrossings(const Layered& graph);
// coordinates.cc: of each node's centre, down its layer; the smallest is not yet at 0.
std::vector<double> Coordinates(const Layered& graph, double gap);

}  // namespace gyre::graph
