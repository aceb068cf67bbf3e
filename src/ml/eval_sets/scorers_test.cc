#include "ml/eval_sets/scorers.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/testing/set_clock.h"
#include "ml/eval_sets/eval_sets.h"

namespace gyre::eval_sets {
namespace {

TEST(Scorers, HaveVersions) {
  char pattern[] = "/tmp/gyre-scorers-XXXXXX";
  const std::string directory = mkdtemp(pattern);
  const SetClock clock;
  auto database = *db::OpenSqlite({.path = directory + "/gyre.db"});
  const db::ModuleSchema schemas[] = {EvalSetsSchema()};
  ASSERT_TRUE(database->Migrate(schemas));
  Scorers scorers(*database, clock);
  const ScorerName good{"default", 1, "good"};
  EXPECT_EQ(scorers.Register(good, "{}")->version, 1);
  const auto second = scorers.Register(good, "{\"a\":1}");
  EXPECT_EQ(second->version, 2);
  ASSERT_TRUE(scorers.Register({"default", 2, "good"}, "{}"));
  ASSERT_TRUE(scorers.Register({"shop", 1, "good"}, "{}"));
  EXPECT_EQ(scorers.List("default", std::nullopt)->size(), 2u);
  const auto of_one = scorers.List("default", std::vector<std::int64_t>{1});
  ASSERT_EQ(of_one->size(), 1u);
  EXPECT_EQ((*of_one)[0].body, "{\"a\":1}");
  EXPECT_EQ(scorers.Versions(good)->size(), 2u);
  EXPECT_EQ(scorers.Get(good, std::nullopt)->version, 2);
  EXPECT_EQ(scorers.Get(good, 1)->body, "{}");
  EXPECT_EQ(scorers.Get(good, 3).error().gy(), "GY3735");
  EXPECT_EQ(scorers.Remove(good, 3).error().gy(), "GY3735");
  ASSERT_TRUE(scorers.Remove(good, 2));
  EXPECT_EQ(scorers.Register(good, "{}")->version, 3);
  ASSERT_TRUE(scorers.Remove(good, std::nullopt));
  EXPECT_EQ(scorers.Versions(good).error().gy(), "GY3735");
  EXPECT_EQ(scorers.Register({"default", 1, " "}, "{}").error().gy(), "GY3734");
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace gyre::eval_sets
