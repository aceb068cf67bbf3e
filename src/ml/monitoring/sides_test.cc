#include "ml/monitoring/sides.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace gyre::monitoring {
namespace {

// Two classes, answered with scores that are right as often as they say; `blunt` of them are
// replaced by chance. The first `labelled` rows have labels.
Answers MakeAnswers(std::size_t rows, std::size_t labelled, double blunt, std::uint64_t seed) {
  Random random(seed);
  Answers answers;
  answers.classes = 2;
  for (std::uint32_t i = 0; i < rows; ++i) {
    double p = random.Uniform();
    const bool truth = random.Uniform() < p;
    if (random.Uniform() < blunt) p = random.Uniform();
    answers.p.insert(answers.p.end(), {1 - p, p});
    answers.decided.push_back(p >= 0.5 ? 1 : 0);
    answers.delays_us.push_back(i < labelled ? 0 : -1);
    if (i >= labelled) continue;
    answers.labelled.push_back(i);
    answers.label.push_back(truth ? 1 : 0);
  }
  return answers;
}

TEST(CompareSides, SaysHowMuchWorseAndHowSureThatIs) {
  const auto& auc = *statistics::FindMetric("auc");
  const Sides sides =
      CompareSides(MakeAnswers(4000, 4000, 0, 1), MakeAnswers(1000, 600, 0.8, 2), auc);
  EXPECT_EQ(sides.champion.rows, 4000);
  EXPECT_EQ(sides.canary.labelled, 600);
  EXPECT_EQ(sides.metric, "auc");
  EXPECT_NEAR(sides.worse, sides.champion.value - sides.canary.value, 1e-12);
  EXPECT_GT(sides.worse, 0.15);
  EXPECT_GT(sides.error, 0.01);
  EXPECT_LT(sides.error, 0.04);
}

Answers Together(Answers all, const Answers& more) {
  AppendAnswers(more, &all);
  return all;
}

// The canary answers most when the world is hard to answer for both: it is no worse for that.
TEST(CompareParts, ARisingShareInAHarderWorldBlamesNobody) {
  const auto& auc = *statistics::FindMetric("auc");
  const std::vector<Answers> champion = {MakeAnswers(2000, 2000, 0, 1),
                                         MakeAnswers(1000, 1000, 0.8, 2)};
  const std::vector<Answers> canary = {MakeAnswers(100, 100, 0, 3), MakeAnswers(1000, 800, 0.8, 4)};
  const Sides mixed =
      CompareSides(Together(champion[0], champion[1]), Together(canary[0], canary[1]), auc);
  EXPECT_GT(mixed.worse, 4 * mixed.error) << "what one heap of rows says";
  const Sides parts = CompareParts(champion, canary, auc);
  EXPECT_LT(std::fabs(parts.worse), 3 * parts.error);
  EXPECT_LT(parts.error, CompareSides(champion[1], canary[1], auc).error) << "both parts tell";
  EXPECT_EQ(parts.canary.labelled, 900);
  EXPECT_EQ(parts.canary.rows, 1000) << "answers are those of the last part";
  EXPECT_NEAR(parts.worse, parts.champion.value - parts.canary.value, 1e-12);
}

TEST(CompareParts, WhatTellsNothingByItselfGoesWithTheNext) {
  const auto& auc = *statistics::FindMetric("auc");
  const std::vector<Answers> champion = {MakeAnswers(60, 60, 0, 1), MakeAnswers(60, 60, 0, 2)};
  const std::vector<Answers> canary = {MakeAnswers(30, 30, 0, 3), MakeAnswers(60, 60, 0, 4)};
  EXPECT_TRUE(std::isnan(CompareParts({champion[0]}, {canary[0]}, auc).worse));
  EXPECT_TRUE(std::isfinite(CompareParts(champion, canary, auc).worse));
  EXPECT_TRUE(std::isnan(CompareParts({Answers()}, {Answers()}, auc).worse));
}

// The error is what equal versions differ by: their differences in units of it are normal.
TEST(CompareSides, TheErrorIsThatOfTheDifference) {
  const auto& auc = *statistics::FindMetric("auc");
  constexpr int kPairs = 300;
  double squares = 0;
  for (int i = 0; i < kPairs; ++i) {
    const auto seed = static_cast<std::uint64_t>(10 + 2 * i);
    const Sides sides =
        CompareSides(MakeAnswers(300, 300, 0, seed), MakeAnswers(100, 100, 0, seed + 1), auc);
    squares += std::pow(sides.worse / sides.error, 2);
  }
  EXPECT_NEAR(std::sqrt(squares / kPairs), 1, 0.15);
}

// Of a rare class: with a handful of its rows nothing is said, and what is said is as sure as it
// says.
TEST(CompareSides, SaysNothingOfAClassThatItHardlySaw) {
  const auto& auc = *statistics::FindMetric("auc");
  const auto rare = [](std::size_t positives, std::uint64_t seed) {
    Random random(seed);
    Answers answers;
    answers.classes = 2;
    for (std::uint32_t i = 0; i < 200; ++i) {
      const bool truth = i < positives;
      const double p = 1 / (1 + std::exp(-(random.Normal() + (truth ? 1.5 : 0))));
      answers.p.insert(answers.p.end(), {1 - p, p});
      answers.decided.push_back(p >= 0.5 ? 1 : 0);
      answers.delays_us.push_back(0);
      answers.labelled.push_back(i);
      answers.label.push_back(truth ? 1 : 0);
    }
    return answers;
  };
  for (const std::size_t positives : {1U, 2U, 19U, 181U, 200U}) {
    const Sides sides = CompareSides(rare(100, 1), rare(positives, 2), auc);
    EXPECT_TRUE(std::isnan(sides.worse)) << positives;
    EXPECT_EQ(sides.canary.labelled, 200);
  }
  constexpr int kPairs = 150;
  double squares = 0;
  for (std::uint64_t i = 0; i < kPairs; ++i) {
    const Sides sides = CompareSides(rare(100, 1000 + i), rare(20, 2000 + i), auc);
    squares += std::pow(sides.worse / sides.error, 2);
  }
  EXPECT_NEAR(std::sqrt(squares / kPairs), 1, 0.2);
}

TEST(CompareSides, LowerIsBetterForErrors) {
  Random random(5);
  Answers good, bad;
  for (std::uint32_t i = 0; i < 200; ++i) {
    for (Answers* side : {&good, &bad}) {
      const double truth = random.Normal();
      side->predicted.push_back(truth + (side == &bad ? 1.0 : 0.1) * random.Normal());
      side->truth.push_back(truth);
      side->labelled.push_back(i);
      side->delays_us.push_back(0);
    }
  }
  const Sides sides = CompareSides(good, bad, *statistics::FindMetric("rmse"));
  EXPECT_NEAR(sides.worse, 0.9, 0.2);
  EXPECT_EQ(sides.answers_method.empty(), false);
}

TEST(CompareSides, AnswersThatLieElsewhereAreFarAway) {
  const auto& auc = *statistics::FindMetric("auc");
  const Answers champion = MakeAnswers(2000, 0, 0, 1);
  const Sides alike = CompareSides(champion, MakeAnswers(500, 0, 0, 2), auc);
  EXPECT_GT(alike.p_value, 0.001);
  EXPECT_TRUE(std::isnan(alike.worse)) << "nothing has a label";
  Answers other = MakeAnswers(500, 0, 0, 3);
  for (std::size_t i = 0; i < other.p.size(); i += 2) {
    other.p[i + 1] = 0.5 + other.p[i + 1] / 2;
    other.p[i] = 1 - other.p[i + 1];
  }
  const Sides apart = CompareSides(champion, other, auc);
  EXPECT_LT(apart.p_value, 1e-9);
  EXPECT_GT(apart.effect, 0.5);
}

TEST(CompareSides, FewRowsSayNothingAndWhatIsSaidCanBeReadBack) {
  const auto& auc = *statistics::FindMetric("auc");
  const Sides few = CompareSides(MakeAnswers(20, 20, 0, 1), MakeAnswers(9, 9, 0, 2), auc);
  EXPECT_TRUE(few.answers_method.empty());
  const auto json = Json::Parse(SidesToJson(few).Dump());
  ASSERT_TRUE(json);
  const Sides again = SidesFromJson(*json);
  EXPECT_EQ(again.canary.labelled, 9);
  EXPECT_TRUE(std::isnan(again.worse));
  EXPECT_TRUE(std::isnan(again.error));
}

}  // namespace
}  // namespace gyre::monitoring
