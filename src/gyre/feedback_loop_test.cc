#include "gyre/feedback_loop.h"

#include <gtest/gtest.h>

namespace gyre {
namespace {

pipelines::RunView Ended(std::string state, std::string error, Json outputs = {}) {
  pipelines::RunView run;
  run.state = std::move(state);
  run.error = std::move(error);
  run.outputs = std::move(outputs);
  run.ended_us = 1;
  return run;
}

automation::Release Canary(std::string state, std::string reason) {
  automation::Release release;
  release.state = std::move(state);
  release.reason = std::move(reason);
  return release;
}

Result<std::string> Worse(const std::string& /*model*/) { return std::string("auc: worse"); }

TEST(OutcomeOf, ACanaryThatWasSentBackSaysWhy) {
  const auto back = Canary("rolled back", "errors: 60 of 300 requests failed");
  for (const char* const code : {"GY4810", "GY4813"}) {
    const auto outcome = OutcomeOf(Ended("failed", code), back, Worse);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->kind, "rolled_back");
    EXPECT_EQ(outcome->text, "canary rolled back: errors: 60 of 300 requests failed");
  }
}

TEST(OutcomeOf, ACanaryThatAPersonPromotedIsPromoted) {
  auto release = Canary("passed", "promoted by ann while it baked, at step 1 of 3");
  release.model = "churn:v4";
  release.history = Json::Arr({Json::Obj({{"move", "promoted"}})});
  const auto outputs = Json::Obj({{"model", "churn:v4"}, {"promoted", true}});
  const auto outcome = OutcomeOf(Ended("succeeded", "", outputs), release, Worse);
  EXPECT_EQ(outcome->kind, "promoted");
  EXPECT_EQ(outcome->text, "v4 promoted by ann while it baked, at step 1 of 3");
  pipelines::RunView failed = Ended("failed", "GY3606");
  failed.reason = "churn:v4 has 0 of 1 approvals for @champion";
  EXPECT_EQ(OutcomeOf(failed, release, Worse)->kind, "promoted");
  EXPECT_EQ(OutcomeOf(failed, release, Worse)->text,
            "v4 promoted by ann while it baked, at step 1 of 3; its run failed after that: " +
                failed.reason);
}

// Its share was taken back behind it, and nothing was judged.
TEST(OutcomeOf, ARunThatBrokeHasNone) {
  const auto back = Canary("rolled back", "its run failed: step `promote` failed");
  EXPECT_EQ(OutcomeOf(Ended("failed", "GY1501"), back, Worse)->kind, "");
  EXPECT_EQ(OutcomeOf(Ended("failed", ""), std::nullopt, Worse)->kind, "");
  EXPECT_EQ(OutcomeOf(Ended("cancelled", "GY4810"), back, Worse)->kind, "");
  pipelines::RunView runs = Ended("running", "");
  runs.ended_us = 0;
  EXPECT_EQ(OutcomeOf(runs, back, Worse)->kind, "");
}

TEST(OutcomeOf, AVerdictStandsInTheOutputs) {
  const auto outputs = [](bool passed) {
    return Json::Obj({{"model", "churn:v4"}, {"promoted", passed}});
  };
  EXPECT_EQ(OutcomeOf(Ended("succeeded", "", outputs(true)), {}, Worse)->text, "promoted v4");
  EXPECT_EQ(OutcomeOf(Ended("succeeded", "", outputs(false)), {}, Worse)->text,
            "not promoted: auc: worse");
  EXPECT_EQ(OutcomeOf(Ended("succeeded", "", Json::Obj()), {}, Worse)->kind, "");
}

SeenAlert Alert(std::string_view signal, const std::string& version,
                const std::vector<std::string>& answering) {
  SeenAlert seen;
  seen.alert.monitor = "churn";
  seen.alert.signal = signal;
  seen.alert.what = "something";
  seen.alert.model = version.empty() ? "" : "churn:" + version;
  seen.alert.model_version_id = version;
  seen.alert.updated_us = 10;
  Json versions = Json::Arr();
  for (const std::string& id : answering)
    versions.Push(Json::Obj({{"model", "churn:" + id}, {"model_version_id", id}}));
  seen.window.document =
      Json::Obj({{"versions", std::move(versions)},
                 {"signals", Json::Array{Json::Obj({{"signal", signal}, {"level", "bad"}})}}});
  return seen;
}

TEST(TellAlerts, ItsOwnStopsACanaryAndAnothersIsTold) {
  automation::CanaryFacts facts;
  TellAlerts({Alert(monitoring::kPerformance, "v1", {"v1", "v2"})}, "v2", 5, &facts);
  EXPECT_EQ(facts.alert, "");
  ASSERT_EQ(facts.told.size(), 1u);
  EXPECT_EQ(facts.told[0],
            "churn:performance: something (of churn:v1; it does not stop the canary)");
  TellAlerts({Alert(monitoring::kPerformance, "v2", {"v1", "v2"})}, "v2", 5, &facts);
  EXPECT_EQ(facts.alert, "churn:performance: something");
}

TEST(TellAlerts, AWindowOfBothIsNobodysOwn) {
  automation::CanaryFacts facts;
  TellAlerts({Alert(monitoring::kDrift, "v2", {"v1", "v2"}), Alert(monitoring::kDrift, "", {})},
             "v2", 5, &facts);
  EXPECT_EQ(facts.alert, "");
  ASSERT_EQ(facts.told.size(), 2u);
  EXPECT_NE(facts.told[0].find("of all that answer"), std::string::npos);
  EXPECT_NE(facts.told[1].find("of another model"), std::string::npos);
  TellAlerts({Alert(monitoring::kDrift, "v2", {"v2"})}, "v2", 5, &facts);
  EXPECT_EQ(facts.alert, "churn:drift: something");
}

TEST(TellAlerts, WhatWasSeenBeforeItBeganOrIsOfTheServiceIsNotItsOwn) {
  automation::CanaryFacts facts;
  TellAlerts({Alert(monitoring::kPerformance, "v2", {"v2"})}, "v2", 11, &facts);
  TellAlerts({Alert(monitoring::kService, "v2", {"v2"})}, "v2", 5, &facts);
  EXPECT_EQ(facts.alert, "");
  EXPECT_TRUE(facts.told.empty());
}

}  // namespace
}  // namespace gyre
