#include "cli/demo_loop.h"

#include <gtest/gtest.h>

namespace gyre::cli {
namespace {

Json Node(std::string_view id) {
  return Json::Obj({{"id", id}, {"name", "kind:" + std::string(id)}});
}
Json Edge(std::string_view from, std::string_view to) {
  return Json::Obj({{"from", from}, {"to", to}});
}

// alert -> run -> data -> model, and run -> model; another cause beside them.
Json Graph() {
  return Json::Obj(
      {{"start", Node("model")},
       {"nodes",
        Json::Arr({Node("model"), Node("run"), Node("data"), Node("alert"), Node("other")})},
       {"edges", Json::Arr({Edge("alert", "run"), Edge("run", "data"), Edge("data", "model"),
                            Edge("run", "model"), Edge("other", "data")})}});
}

TEST(DemoLoop, FindsTheShortestWayFromACauseToItsEffect) {
  EXPECT_EQ(WayFrom(Graph(), "alert"),
            (std::vector<std::string>{"kind:alert", "kind:run", "kind:model"}));
  EXPECT_EQ(WayFrom(Graph(), "model"), (std::vector<std::string>{"kind:model"}));
}

TEST(DemoLoop, SaysSoWhenThereIsNone) {
  EXPECT_TRUE(WayFrom(Graph(), "stranger").empty());
  Json apart = Graph();
  apart.Set("edges", Json::Arr({Edge("model", "alert")}));  // an effect is no cause
  EXPECT_TRUE(WayFrom(apart, "alert").empty());
}

}  // namespace
}  // namespace gyre::cli
