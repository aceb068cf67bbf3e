#include "platform/graph/layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace gyre::graph {
namespace {

std::vector<Size> Nodes(std::size_t count) { return std::vector<Size>(count, {100, 30}); }

// No two nodes of a layer overlap, edges lead to the right, all is within the picture.
void ExpectSound(const std::vector<Size>& sizes, const std::vector<Edge>& edges,
                 const Layout& layout) {
  for (std::size_t a = 0; a < sizes.size(); ++a) {
    EXPECT_GE(layout.nodes[a].y - sizes[a].height / 2, -1e-6);
    EXPECT_LE(layout.nodes[a].y + sizes[a].height / 2, layout.size.height + 1e-6);
    EXPECT_LE(layout.nodes[a].x + sizes[a].width / 2, layout.size.width + 1e-6);
    for (std::size_t b = 0; b < a; ++b) {
      if (layout.layers[a] != layout.layers[b]) continue;
      const double apart = std::abs(layout.nodes[a].y - layout.nodes[b].y);
      EXPECT_GE(apart + 1e-6, (sizes[a].height + sizes[b].height) / 2 + 20) << a << " " << b;
    }
  }
  ASSERT_EQ(layout.routes.size(), edges.size());
}

TEST(LayoutTest, AChainIsALine) {
  const auto layout = *LayOut(Nodes(4), {{0, 1}, {1, 2}, {2, 3}});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(layout.layers[i], static_cast<int>(i));
    EXPECT_DOUBLE_EQ(layout.nodes[i].y, 15);
    EXPECT_DOUBLE_EQ(layout.nodes[i].x, 50 + 164.0 * static_cast<double>(i));
  }
  EXPECT_DOUBLE_EQ(layout.size.width, 4 * 100 + 3 * 64);
  EXPECT_DOUBLE_EQ(layout.routes[0].front().x, 100);
  EXPECT_DOUBLE_EQ(layout.routes[0].back().x, 164);
}

TEST(LayoutTest, NothingAndOneAndALoop) {
  EXPECT_TRUE(LayOut({}, {})->nodes.empty());
  const auto one = *LayOut(Nodes(1), {{0, 0}});
  EXPECT_DOUBLE_EQ(one.size.height, 30);
  EXPECT_TRUE(one.routes[0].empty());
  EXPECT_EQ(LayOut(Nodes(1), {{0, 1}}).error().gy(), "GY1180");
  EXPECT_EQ(LayOut(Nodes(kNodesMax + 1), {}).error().gy(), "GY1181");
}

TEST(LayoutTest, CrossingsThatNeedNotBeAreGone) {
  // a0-b1, a1-b0 as they come: one swap untangles them.
  const auto layout = *LayOut(Nodes(4), {{0, 3}, {1, 2}});
  EXPECT_EQ(layout.crossings, 0u);
  EXPECT_DOUBLE_EQ(layout.nodes[0].y, layout.nodes[3].y);
  EXPECT_DOUBLE_EQ(layout.nodes[1].y, layout.nodes[2].y);
}

TEST(LayoutTest, ALongEdgeIsStraightInside) {
  // 0 -> 1 -> 2 -> 3 and 0 -> 3 beside it.
  const std::vector<Edge> edges = {{0, 1}, {1, 2}, {2, 3}, {0, 3}};
  const auto layout = *LayOut(Nodes(4), edges);
  ASSERT_EQ(layout.routes[3].size(), 4u);
  EXPECT_DOUBLE_EQ(layout.routes[3][1].y, layout.routes[3][2].y);
  EXPECT_EQ(layout.crossings, 0u);
  ExpectSound(Nodes(4), edges, layout);
}

TEST(LayoutTest, ACycleIsDrawnWithOneEdgeBack) {
  const std::vector<Edge> edges = {{0, 1}, {1, 2}, {2, 0}};
  const auto layout = *LayOut(Nodes(3), edges);
  EXPECT_EQ(layout.layers, (std::vector<int>{0, 1, 2}));
  EXPECT_GT(layout.routes[2].front().x, layout.routes[2].back().x);
}

TEST(LayoutTest, ASourceStandsBeforeWhatItFeeds) {
  const auto layout = *LayOut(Nodes(5), {{0, 1}, {1, 2}, {2, 3}, {4, 3}});
  EXPECT_EQ(layout.layers[4], 2);
}

TEST(LayoutTest, RandomGraphsAreSoundAndAlwaysTheSame) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const std::size_t count = 2 + random() % 60;
    std::vector<Size> sizes;
    for (std::size_t i = 0; i < count; ++i)
      sizes.push_back({40.0 + random() % 100, 20.0 + random() % 40});
    std::vector<Edge> edges;
    for (std::size_t i = 0; i < count * 3 / 2; ++i)
      edges.push_back({random() % count, random() % count});
    const auto layout = LayOut(sizes, edges);
    ASSERT_TRUE(layout);
    ExpectSound(sizes, edges, *layout);
    const auto again = *LayOut(sizes, edges);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(again.nodes[i].y, layout->nodes[i].y);
  }
}

TEST(LayoutTest, ATreeHasNoCrossings) {
  std::vector<Edge> edges;
  for (std::size_t i = 1; i < 255; ++i) edges.push_back({(i - 1) / 2, i});
  EXPECT_EQ(LayOut(Nodes(255), edges)->crossings, 0u);
}

}  // namespace
}  // namespace gyre::graph
