#include "ml/registry/logged_gate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gyre::registry {
namespace {

std::string Why(std::string_view json) { return ParseThresholds(json).error().why(); }

// "pass rule: text" of each.
std::string Told(std::string_view json, const LoggedNumbers& numbers,
                 const LoggedNumbers* holder = nullptr) {
  const auto thresholds = ParseThresholds(json);
  EXPECT_TRUE(thresholds) << thresholds.error().ToString();
  std::string told;
  for (const Reason& reason : JudgeThresholds(*thresholds, numbers, holder, "m:v1"))
    told += fmt::format("{} {}: {}\n", reason.pass ? "yes" : "no", reason.rule, reason.text);
  return told;
}

TEST(Thresholds, AreWhatClientsPrint) {
  const auto read = ParseThresholds(
      R"({"acc":{"_threshold":0.8,"_min_absolute_change":null,"_min_relative_change":0.1,
          "_greater_is_better":true},"loss":{"threshold":2,"greater_is_better":false}})");
  ASSERT_TRUE(read) << read.error().ToString();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].threshold, 0.8);
  EXPECT_FALSE((*read)[0].min_absolute_change);
  EXPECT_EQ((*read)[0].min_relative_change, 0.1);
  EXPECT_FALSE((*read)[1].greater_is_better);
}

TEST(Thresholds, SayWhatIsWrong) {
  EXPECT_EQ(ParseThresholds("").error().gy(), "GY3650");
  EXPECT_EQ(Why("[]"), "it is no JSON object");
  EXPECT_EQ(Why("{}"), "there is none in it");
  EXPECT_EQ(Why(R"({"acc":0.8})"), "`acc` is no object");
  EXPECT_EQ(Why(R"({"acc":{"threshold":0.8}})"), "`acc` lacks greater_is_better");
  EXPECT_EQ(Why(R"({"acc":{"greater_is_better":true}})"), "`acc` names no threshold");
  EXPECT_EQ(Why(R"({"acc":{"threshold":"x","greater_is_better":true}})"),
            "threshold of `acc` is no number");
}

TEST(Thresholds, JudgeAsMlflowDoes) {
  const LoggedNumbers numbers{.values = {{"acc", 0.8}, {"loss", 0.5}, {"bad", NAN}}};
  EXPECT_EQ(Told(R"({"acc":{"threshold":0.8,"greater_is_better":true}})", numbers),
            "yes acc >= 0.8: acc is 0.8\n");
  EXPECT_EQ(Told(R"({"loss":{"threshold":0.4,"greater_is_better":false}})", numbers),
            "no loss <= 0.4: loss is 0.5\n");
  EXPECT_EQ(Told(R"({"f1":{"threshold":0.4,"greater_is_better":true}})", numbers),
            "no f1 >= 0.4: f1 was not logged\n");
  EXPECT_EQ(Told(R"({"bad":{"threshold":0.4,"greater_is_better":true}})", numbers),
            "no bad >= 0.4: bad is nan\n");
}

TEST(Thresholds, CompareWithWhoHasTheAlias) {
  const LoggedNumbers numbers{.values = {{"acc", 0.8}, {"loss", 0.5}, {"gain", -1}}};
  const LoggedNumbers holder{.values = {{"acc", 0.75}, {"loss", 0}, {"gain", -2}}};
  const std::string by = R"({"acc":{"min_absolute_change":0.04,"greater_is_better":true}})";
  EXPECT_EQ(Told(by, numbers),
            "yes acc better by 0.04: nobody has the alias: there is nothing to compare with\n");
  EXPECT_EQ(Told(by, numbers, &holder),
            "yes acc better by 0.04 than m:v1: acc is 0.8, that of m:v1 0.75\n");
  EXPECT_EQ(
      Told(R"({"acc":{"min_relative_change":0.1,"greater_is_better":true}})", numbers, &holder),
      "no acc better by 10 % than m:v1: acc is 0.8, that of m:v1 0.75\n");
  // Of nothing there is no share: any gain will do, and there is none.
  EXPECT_EQ(
      Told(R"({"loss":{"min_relative_change":0.1,"greater_is_better":false}})", numbers, &holder),
      "no loss better by 10 % than m:v1: loss is 0.5, that of m:v1 0\n");
  EXPECT_EQ(
      Told(R"({"gain":{"min_relative_change":0.5,"greater_is_better":true}})", numbers, &holder),
      "yes gain better by 50 % than m:v1: gain is -1, that of m:v1 -2\n");
  const LoggedNumbers nothing;
  EXPECT_EQ(Told(by, numbers, &nothing),
            "no acc better by 0.04 than m:v1: acc was not logged of m:v1\n");
}

}  // namespace
}  // namespace gyre::registry
