#include "ml/automation/canary.h"

#include <gtest/gtest.h>

#include <cmath>

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
  facts.canary.slow = 5;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kRollBack);
  facts.champion.slow = 95;  // the machine was busy, whoever answered
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);
  facts.champion.slow = 0;
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

TEST(Canary, OneEarlyFailureEndsNothing) {
  const CanaryPlan plan;
  CanaryFacts facts;
  facts.canary = {.requests = 1, .failed = 1, .rows = 1};  // the champion has answered nobody yet
  for (facts.step = 0; facts.step < 3; ++facts.step)
    EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kHold) << facts.step;
  facts.step = 0;
  facts.canary = {.requests = 20, .failed = 20, .rows = 20};
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kRollBack);
}

// Three percent more failures: too few to tell in any step, and plain over the steps.
TEST(Canary, HarmAddsUpOverTheSteps) {
  const CanaryPlan plan;
  CanaryFacts facts;
  facts.seconds_in_step = 600;
  bool back = false;
  for (; facts.step < 3 && !back; ++facts.step) {
    const auto others = static_cast<std::int64_t>(
        300 * (1 / plan.weights[static_cast<std::size_t>(facts.step)] - 1));
    facts.canary = {.requests = 300, .failed = 12, .rows = 300};
    facts.champion = {.requests = others, .failed = others / 100, .rows = others};
    CanaryFacts alone = facts;
    alone.before = {};
    EXPECT_NE(DecideCanary(plan, alone).move, CanaryMove::kRollBack) << facts.step;
    back = DecideCanary(plan, facts).move == CanaryMove::kRollBack;
    facts.before = CarryOn(plan, facts);
  }
  EXPECT_TRUE(back);
  EXPECT_EQ(facts.before.canary.requests, 300 * facts.step);
}

// The same over all steps: a step that begins anew is no new chance of a false alarm.
TEST(Canary, SurvivesManyLooksOverAllItsSteps) {
  CanaryPlan plan;
  plan.error_rate_more_max = 0;
  int sent_back = 0;
  constexpr int kReleases = 2000;
  Random random(11);
  for (int release = 0; release < kReleases; ++release) {
    CanaryFacts facts;
    facts.seconds_in_step = 1;
    bool back = false;
    for (facts.step = 0; facts.step < 3 && !back; ++facts.step) {
      facts.canary = facts.champion = {};
      const double share = plan.weights[static_cast<std::size_t>(facts.step)];
      for (int request = 0; request < 1'500 && !back; ++request) {
        SideFacts& side = random.Uniform() < share ? facts.canary : facts.champion;
        ++side.requests;
        if (random.Uniform() >= 0.03) continue;
        ++side.failed;
        back = DecideCanary(plan, facts).move == CanaryMove::kRollBack;
      }
      facts.before = CarryOn(plan, facts);
    }
    sent_back += back ? 1 : 0;
  }
  EXPECT_LT(sent_back, 35);
}

std::string CheckNamed(const CanaryDecision& decision, std::string_view name) {
  for (const std::string& check : decision.checks) {
    if (check.find(fmt::format(" {}: ", name)) != std::string::npos) return check;
  }
  return {};
}

Beside Alike() {
  return {.champion = {.rows = 9500, .labelled = 4000, .value = 0.85},
          .canary = {.rows = 500, .labelled = 200, .value = 0.84},
          .metric = "auc",
          .worse = 0.01,
          .error = 0.02,
          .method = "ks",
          .p_value = 0.4,
          .effect = 0.02};
}

TEST(Canary, GoesBackWhenItIsSurelyWorse) {
  const CanaryPlan plan;
  CanaryFacts facts = Healthy();
  facts.beside = Alike();
  CanaryDecision decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kAdvance);
  EXPECT_EQ(CheckNamed(decision, "quality"),
            "pass quality: auc 0.84 on 200 labels, 0.85 on 4,000 at the champion; worse by 0.01, "
            "not surely; 0.017 is allowed");
  facts.beside->canary.value = 0.74;
  facts.beside->worse = 0.11;
  decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kRollBack);
  EXPECT_TRUE(decision.reason.starts_with("quality: auc 0.74 on 200 labels")) << decision.reason;
  facts.beside->looks = 30;  // many looks need more evidence each
  facts.beside->error = 0.025;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);
}

TEST(Canary, SaysHowManyLabelsThereAreWhenThereAreTooFew) {
  CanaryPlan plan;
  CanaryFacts facts = Healthy();
  facts.beside = Alike();
  facts.beside->canary.labelled = 12;
  facts.beside->worse = 0.5;
  CanaryDecision decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kAdvance);
  EXPECT_EQ(CheckNamed(decision, "quality"),
            "wait quality: 12 rows with labels, 4,000 at the champion; 100 of each are wanted");
  plan.quality_required = true;
  decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kHold);
  EXPECT_NE(decision.reason.find("labels"), std::string::npos);
  facts.seconds_in_step = plan.step_s_max;
  decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kRollBack);
  EXPECT_TRUE(decision.reason.starts_with("quality: too few labels")) << decision.reason;
  facts.beside->canary.labelled = 120;
  facts.beside->worse = std::nan("");
  EXPECT_EQ(
      CheckNamed(DecideCanary(plan, facts), "quality"),
      "wait quality: 120 rows with labels say too little of auc: too few of a class, or alike");
}

TEST(Canary, OtherAnswersAreToldUnlessThePlanSaysMore) {
  CanaryPlan plan;
  CanaryFacts facts = Healthy();
  facts.beside = Alike();
  facts.beside->p_value = 1e-12;
  facts.beside->effect = 0.4;
  CanaryDecision decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kAdvance);
  EXPECT_TRUE(CheckNamed(decision, "predictions")
                  .starts_with("note predictions: 500 answers lie "
                               "0.4 from the champion's 9,500"))
      << CheckNamed(decision, "predictions");
  plan.prediction_drift_back = true;
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kRollBack);
  facts.beside->effect = 0.05;  // sure, but of no size
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);
  facts.beside->method.clear();
  EXPECT_TRUE(CheckNamed(DecideCanary(plan, facts), "predictions").starts_with("wait "));
  facts.beside->problem = "the disk is full";
  EXPECT_EQ(DecideCanary(plan, facts).move, CanaryMove::kAdvance);
}

// An equal canary, looked at again and again while labels come.
TEST(Canary, SurvivesManyLooksAtEqualQuality) {
  CanaryPlan plan;
  plan.quality_worse_max = 0;
  Random random(11);
  int sent_back = 0;
  constexpr int kReleases = 2000;
  for (int release = 0; release < kReleases; ++release) {
    CanaryFacts facts = Healthy();
    facts.seconds_in_step = 1;
    facts.beside = Alike();
    double sum = 0;
    bool back = false;
    for (int look = 1, rows = 0; look <= 30 && !back; ++look) {
      for (int i = 0; i < 20; ++i, ++rows) sum += random.Normal();
      facts.beside->looks = look;
      facts.beside->worse = sum / rows;
      facts.beside->error = 1 / std::sqrt(rows);
      back = DecideCanary(plan, facts).move == CanaryMove::kRollBack;
    }
    sent_back += back ? 1 : 0;
  }
  EXPECT_LT(sent_back, 35);
}

TEST(Canary, AlertsOfOthersAreToldAndStopNothing) {
  const CanaryPlan plan;
  CanaryFacts facts = Healthy();
  facts.told = {"churn:performance: auc 0.459 (of churn:v1)"};
  CanaryDecision decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kAdvance);
  EXPECT_EQ(CheckNamed(decision, "alert"),
            "note alert: churn:performance: auc 0.459 (of churn:v1)");
  facts.alert = "churn:performance: auc 0.4";
  decision = DecideCanary(plan, facts);
  EXPECT_EQ(decision.move, CanaryMove::kRollBack);
  EXPECT_EQ(decision.reason, "alert: churn:performance: auc 0.4");
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
  plan.prediction_drift_back = plan.quality_required = true;
  EXPECT_TRUE(CanaryPlanFromJson(CanaryPlanToJson(plan))->prediction_drift_back);
  EXPECT_TRUE(CanaryPlanFromJson(CanaryPlanToJson(plan))->quality_required);
  for (const char* text :
       {R"({"weights": []})", R"({"weights": [0.5, 0.5]})", R"({"weights": [1]})",
        R"({"weights": ["a"]})", R"({"bake": 1})", R"({"bake_s": 10, "step_s_max": 5})",
        R"({"prediction_drift": "ignore"})", R"({"quality_labels_min": 3})", R"([])"}) {
    const auto json = Json::Parse(text);
    ASSERT_TRUE(json);
    const auto read = CanaryPlanFromJson(*json);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().gy(), "GY4802");
  }
}

}  // namespace
}  // namespace gyre::automation
