#include "ml/automation/canary.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace gyre::automation {
namespace {

CanaryFacts Healthy() {
  return {.step = 0,
          .seconds_in_step = 600,
          .champion = {.requests = 9500, .failed = 5, .rows = 9500, .latency_us_p99 = 900},
          .canary = {.requests = 500, .failed = 0, .rows = 500, .latency_us_p99 = 950}};
}

TEST(Canary, HoldsAdvancesAndPromotes) {
  const CanaryPlan plan;
  CanaryFacts facts = Healthy();
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);
  facts.seconds_in_step = 599;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kHold);
  facts.seconds_in_step = 600;
  facts.canary.rows = 199;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kHold);
  facts.canary.rows = 200;
  facts.step = 2;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kPromote);
}

TEST(Canary, GoesBackForHarmAtOnce) {
  const CanaryPlan plan;
  CanaryFacts facts = Healthy();
  facts.seconds_in_step = 1;
  facts.canary.failed = 50;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kRollBack);
  EXPECT_NE(DecideCanary(plan, facts).reason.find("50 of 500"), std::string::npos);

  facts = Healthy();
  facts.canary.latency_us_p99 = 9000;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kRollBack);
  facts.canary.requests = 299;  // the slowest of a few
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);
  facts.canary.requests = 500;
  facts.canary.latency_us_p99 = 3000;  // more than half slower, but by two milliseconds
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);

  facts = Healthy();
  facts.alert = "data quality of `age`";
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kRollBack);
}

TEST(Canary, GivesUpWithoutTraffic) {
  const CanaryPlan plan;
  CanaryFacts facts = Healthy();
  facts.canary.rows = 3;
  facts.seconds_in_step = plan.step_s_max;
  const CanaryDecision decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kRollBack);
  EXPECT_NE(decision.reason.find("3 of 200 rows"), std::string::npos);
}

// A canary that fails as rarely as the champion is looked at after each request: chance alone must
// not send it back.
TEST(Canary, SurvivesManyLooksAtEqualFailureRates) {
  const CanaryPlan plan;
  int sent_back = 0;
  constexpr int kReleases = 2000;
  Random random(7);
  for (int release = 0; release < kReleases; ++release) {
    CanaryFacts facts;
    facts.seconds_in_step = 1;
    bool back = false;
    for (int request = 0; request < 400 && !back; ++request) {
      facts.champion.requests += 19;
      for (int i = 0; i < 19; ++i) facts.champion.failed += random.Uniform() < 0.005 ? 1 : 0;
      ++facts.canary.requests;
      facts.canary.failed += random.Uniform() < 0.005 ? 1 : 0;
      back = DecideCanary(plan, facts).move == CanaryMove::kRollBack;
    }
    sent_back += back ? 1 : 0;
  }
  // At most one in a hundred, and what 2,000 draws of that may show (99.9 %).
  EXPECT_LT(sent_back, 35);
}

TEST(Canary, JudgesLargeCounts) {
  const CanaryPlan plan;
  CanaryFacts facts = Healthy();
  facts.champion = {.requests = 95'000'000, .failed = 95'000, .rows = 95'000'000};
  facts.canary = {.requests = 5'000'000, .failed = 5'000, .rows = 5'000'000};
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);
  facts.canary.failed = 60'000;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kRollBack);
}

TEST(Canary, ReadsBackWhatItWritesAndRefusesByName) {
  CanaryPlan plan;
  plan.weights = {0.1, 0.9};
  plan.bake_s = 0;
  const auto again = CanaryPlanFromJson(CanaryPlanToJson(plan));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->weights, plan.weights);
  EXPECT_EQ(again->bake_s, 0);
  for (const char* text :
       {R"({"weights": []})", R"({"weights": [0.5, 0.5]})", R"({"weights": [1]})",
        R"({"weights": ["a"]})", R"({"bake": 1})", R"({"bake_s": 10, "step_s_max": 5})", R"([])"}) {
    const auto json = Json::Parse(text);
    ASSERT_TRUE(json);
    const auto read = CanaryPlanFromJson(*json);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().gy(), "GY4802");
  }
}

}  // namespace
}  // namespace gyre::automation
