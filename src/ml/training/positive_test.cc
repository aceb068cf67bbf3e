#include "ml/training/positive.h"

#include <gtest/gtest.h>

namespace gyre::training {
namespace {

// `first` rows of the first class, then `second` of the second.
Target Binary(const std::string& a, std::size_t first, const std::string& b, std::size_t second) {
  Target target;
  target.classes = {a, b};
  for (std::uint32_t i = 0; i < first + second; ++i) {
    target.kept.push_back(i);
    target.labels.push_back(i < first ? 0 : 1);
  }
  return target;
}

std::string Positive(Target target, const PositiveWish& wish = {}) {
  const auto chosen = ChoosePositive(wish, &target);
  return chosen ? target.positive() : chosen.error().gy();
}

TEST(Positive, TheOneThatSaysYesWins) {
  EXPECT_EQ(Positive(Binary("ja", 60, "nein", 40)), "ja");
  EXPECT_EQ(Positive(Binary("No", 40, "Yes", 60)), "Yes");
  EXPECT_EQ(Positive(Binary("false", 40, "true", 60)), "true");
  EXPECT_EQ(Positive(Binary("0", 40, "1", 60)), "1");
  EXPECT_EQ(Positive(Binary("OUI", 60, "NON", 40)), "OUI");
  EXPECT_EQ(Positive(Binary("Churned", 90, "Stayed", 10)), "Churned");
  EXPECT_EQ(Positive(Binary("no-recurrence", 10, "none", 90)), "no-recurrence");
}

TEST(Positive, ElseTheRarerAndOfEqualsTheLast) {
  EXPECT_EQ(Positive(Binary("1st", 30, "2nd", 70)), "1st");
  EXPECT_EQ(Positive(Binary("cat", 70, "dog", 30)), "dog");
  EXPECT_EQ(Positive(Binary("cat", 50, "dog", 50)), "dog");
}

TEST(Positive, WhatTheUserSaysComesFirstThenWhatTheChampionLooksFor) {
  EXPECT_EQ(Positive(Binary("ja", 60, "nein", 40), {"nein", ""}), "nein");
  EXPECT_EQ(Positive(Binary("ja", 60, "nein", 40), {"", "nein"}), "nein");
  EXPECT_EQ(Positive(Binary("ja", 60, "nein", 40), {"ja", "nein"}), "ja");
  EXPECT_EQ(Positive(Binary("ja", 60, "nein", 40), {"", "gone"}), "ja");
}

TEST(Positive, LabelsFollow) {
  Target target = Binary("ja", 2, "nein", 1);
  ASSERT_TRUE(ChoosePositive({}, &target));
  EXPECT_EQ(target.classes, (std::vector<std::string>{"nein", "ja"}));
  EXPECT_EQ(target.labels, (std::vector<std::uint32_t>{1, 1, 0}));
}

TEST(Positive, AClassThatIsNotThereIsRefusedWithThoseThatAre) {
  Target target = Binary("ja", 2, "nein", 1);
  const auto refused = ChoosePositive({"yes", ""}, &target);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY3522");
  EXPECT_EQ(refused.error().fixes(),
            (std::vector<std::string>{"--positive ja", "--positive nein"}));
  target.task = predictors::Task::kRegression;
  EXPECT_EQ(ChoosePositive({"yes", ""}, &target).error().gy(), "GY3522");
  EXPECT_TRUE(ChoosePositive({}, &target));
}

}  // namespace
}  // namespace gyre::training
