// How long a picture takes: pipelines of 1,000 and lineage of 2,000 nodes.
#include <fmt/format.h>

#include <ctime>
#include <random>

#include "platform/graph/layout.h"

int main() {
  for (const std::size_t count : {100uz, 1000uz, 2000uz, 10'000uz}) {
    std::mt19937 random(1);
    std::vector<gyre::graph::Edge> edges;
    for (std::size_t to = 1; to < count; ++to)
      for (int k = 0; k < 2; ++k) {
        const std::size_t window = std::min<std::size_t>(to, 40);
        edges.push_back({to - 1 - random() % window, to});
      }
    const std::vector<gyre::graph::Size> sizes(count, {160, 40});
    const std::clock_t begin = std::clock();
    const auto layout = gyre::graph::LayOut(sizes, edges);
    const double ms = 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    if (!layout) {
      fmt::print("{} nodes: {}\n", count, layout.error().ToString());
      continue;
    }
    fmt::print("{} nodes, {} edges: {:.1f} ms, {} crossings\n", count, edges.size(), ms,
               layout->crossings);
  }
}
