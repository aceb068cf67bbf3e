#include "ml/loop/loop.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gyre::loop {
namespace {

constexpr std::int64_t kDay = kMicrosPerDay;

// Three laps: v1 answered and was replaced, v2 did not pass, v3 answers now.
Facts ThreeLaps() {
  Facts facts{.project = "churn", .statement = "Who will leave?", .model = "churn"};
  facts.now_us = 100 * kDay;
  facts.problem_version = 1;
  facts.problem_us = 1 * kDay;
  facts.goals = {{.kpi = "auc >= 0.84", .state = "met", .value = 0.86, .since_us = 5 * kDay}};
  facts.dataset = DatasetFacts{.name = "customers",
                               .version = 3,
                               .rows = 61'240,
                               .created_us = 90 * kDay,
                               .rows_before = 58'822,
                               .columns = 20,
                               .expectations = 18,
                               .rows_of_versions = {50'000, 58'822, 61'240}};
  const VersionFacts common{.created_by = "ann",
                            .dataset = "customers:v1",
                            .dataset_rows = 50'000,
                            .recipe_hash = "aaaaaaaabbbb",
                            .inputs = 15,
                            .metric = "auc",
                            .value = 0.84,
                            .run_id = "run1",
                            .candidates = 10,
                            .reproducible = true};
  VersionFacts v1 = common, v2 = common, v3 = common;
  v1.version = 1, v1.name = "churn:v1", v1.created_us = 2 * kDay;
  v1.gate = {.judged = true, .passed = true, .rules = 4, .rules_passed = 4, .at_us = 2 * kDay};
  v1.champion_us = 2 * kDay, v1.deployed_us = 3 * kDay, v1.replaced_us = 92 * kDay;
  v1.alerts = 1, v1.alert = "tenure drifted", v1.alert_us = 80 * kDay;
  v2.version = 2, v2.name = "churn:v2", v2.created_us = 40 * kDay, v2.dataset = "customers:v2";
  v2.dataset_rows = 51'000, v2.candidates = 2, v2.recipe_hash = "cccccccc";
  v2.gate = {.judged = true, .rules = 4, .rules_passed = 3, .why = "worse by 0.01"};
  v3.version = 3, v3.name = "churn:v3", v3.created_us = 91 * kDay, v3.dataset = "customers:v3";
  v3.dataset_rows = 90'000, v3.recipe_hash = "cccccccc", v3.value = 0.86, v3.answers = true;
  v3.gate = v1.gate, v3.champion_us = 91 * kDay, v3.deployed_us = 92 * kDay;
  facts.versions = {v1, v2, v3};
  facts.endpoints = {{.name = "churn",
                      .model = "churn:v3",
                      .follows = "churn@champion",
                      .ready = true,
                      .deployed_us = 92 * kDay,
                      .requests = 12'345}};
  facts.monitoring = {.monitors = 1, .windows = 40, .newest_us = 99 * kDay};
  facts.work.has_runs = true;
  return facts;
}

std::string Efforts(const Lap& lap) {
  std::string text;
  for (const Arc& arc : lap.arcs) text += std::string(EffortName(arc.effort)) + " ";
  return text;
}

TEST(LapsTest, EachLapLeavesWhatWasDone) {
  const auto laps = LapsOf(ThreeLaps());
  ASSERT_EQ(laps.size(), 3u);
  EXPECT_EQ(Efforts(laps[0]), "some most most some most some some most ");
  EXPECT_EQ(Efforts(laps[1]), "reused some some reused some some none none ");
  EXPECT_EQ(Efforts(laps[2]), "reused most reused reused most some some some ");
  EXPECT_EQ(laps[0].arcs[kMonitoring].mark, "alert");
  EXPECT_EQ(laps[1].arcs[kEvaluation].mark, "rejected");
  EXPECT_EQ(laps[1].arcs[kEvaluation].text, "3 of 4 rules passed: worse by 0.01");
  EXPECT_TRUE(laps[2].answers);
  EXPECT_EQ(laps[2].arcs[kEvaluation].mark, "");
}

TEST(LapsTest, ARollbackIsAMarkAndAnImportHasNoRecipe) {
  Facts facts = ThreeLaps();
  facts.versions[1].deployed_us = 41 * kDay;
  facts.versions[1].rolled_back = true;
  facts.versions[1].rolled_back_us = 42 * kDay;
  facts.versions[2] = {.version = 3, .name = "churn:v3", .created_us = 91 * kDay};
  const auto laps = LapsOf(facts);
  EXPECT_EQ(laps[1].arcs[kDeployment].mark, "rolled back");
  EXPECT_EQ(laps[1].arcs[kDeployment].at_us, 42 * kDay);
  EXPECT_EQ(Efforts(laps[2]), "reused none none none reused none none none ");
  EXPECT_TRUE(LapsOf(Facts{}).empty());
}

TEST(LapsTest, WhatGoesOnIsTheCanaryElseTheWork) {
  Facts facts = ThreeLaps();
  EXPECT_EQ(RunningOf(facts).stage, -1);
  EXPECT_TRUE(RunningToJson(RunningOf(facts)).is_null());
  facts.work.running = 1;
  facts.work.now = "train churn";
  EXPECT_EQ(RunningOf(facts).stage, kDevelopment);
  EXPECT_EQ(RunningOf(facts).version, 0);
  facts.endpoints[0].canary = {.model = "churn:v2", .share = 0.25};
  EXPECT_EQ(RunningOf(facts).stage, kDeployment);
  EXPECT_EQ(RunningOf(facts).version, 2);
  EXPECT_EQ(RunningOf(facts).text, "canary at 25 %");
}

std::string States(const Facts& facts) {
  std::string text;
  for (const Stage& stage : StagesOf(facts)) text += std::string(StateName(stage.state)) + " ";
  return text;
}

TEST(StagesTest, AProjectInOrderIsQuiet) {
  const Facts facts = ThreeLaps();
  EXPECT_EQ(States(facts), "ok ok ok ok ok ok ok ok ");
  const Stages stages = StagesOf(facts);
  EXPECT_EQ(stages[kGoal].figure, "0.86, goal auc >= 0.84");
  EXPECT_EQ(stages[kData].figure, "customers:v3, 61,240 rows");
  EXPECT_EQ(stages[kData].fact, "+2,418 rows; 18 of 18 expectations hold");
  EXPECT_EQ(stages[kPreparation].fact, "unchanged since churn:v2");
  EXPECT_EQ(stages[kDevelopment].fact, "best of 10 for churn:v3");
  EXPECT_EQ(stages[kDeployment].figure, "churn:v3 answers");
  EXPECT_EQ(stages[kMonitoring].figure, "40 windows judged");
}

TEST(StagesTest, AnEmptyProjectSaysWhatToDoFirst) {
  const Facts facts{.project = "new"};
  EXPECT_EQ(States(facts), "idle idle idle idle idle idle idle idle ");
  for (const Stage& stage : StagesOf(facts)) {
    EXPECT_FALSE(stage.figure.empty());
    EXPECT_FALSE(stage.fact.empty());
    EXPECT_TRUE(stage.next.command.starts_with("gyre ")) << stage.next.command;
    EXPECT_FALSE(stage.next.page.empty());
  }
}

TEST(StagesTest, TroubleIsNamed) {
  Facts facts = ThreeLaps();
  facts.goals.push_back({.kpi = "cost <= 12", .state = "missed", .value = 13.9});
  facts.dataset->failed = 2;
  facts.versions[2].gate.passed = false;
  facts.endpoints[0].problem = "GY3805 its package is damaged";
  facts.monitoring.alerts = {
      {.name = "churn:drift", .what = "tenure drifted", .endpoint = "churn", .phase = "firing"}};
  EXPECT_EQ(States(facts), "bad bad ok ok ok warn bad bad ");
  EXPECT_EQ(StagesOf(facts)[kGoal].figure, "13.9, goal cost <= 12");
  EXPECT_EQ(StagesOf(facts)[kMonitoring].figure, "tenure drifted");
  facts.monitoring.alerts[0].acked = true;
  facts.versions[2].gate.passed = true;
  facts.versions[2].gate.approvals_min = 2;
  EXPECT_EQ(StagesOf(facts)[kMonitoring].state, State::kWarn);
  EXPECT_EQ(StagesOf(facts)[kEvaluation].fact, "0 of 2 approvals");
}

TEST(MaturityTest, LevelsCountFromBelow) {
  EXPECT_EQ(MaturityOf(Facts{}).google, 0);
  EXPECT_EQ(MaturityOf(Facts{}).azure, 0);
  Facts facts = ThreeLaps();
  EXPECT_EQ(MaturityOf(facts).azure, 0) << "no code is known";
  facts.work.code_known = true;
  facts.work.code_run = "run1";
  EXPECT_EQ(MaturityOf(facts).azure, 3);
  EXPECT_EQ(MaturityOf(facts).Missing(Scale::kAzure)->claim, "Production's signals retrain");
  EXPECT_EQ(MaturityOf(facts).google, 0);
  facts.triggers = {{.name = "churn",
                     .cause = "drift",
                     .pipeline = "retrain:v1",
                     .enabled = true,
                     .retrains = true}};
  facts.firings = {{.trigger = "churn",
                    .cause = "drift",
                    .state = "succeeded",
                    .outcome = "promoted",
                    .text = "promoted v3"}};
  EXPECT_EQ(MaturityOf(facts).google, 1);
  EXPECT_EQ(MaturityOf(facts).azure, 4);
  EXPECT_EQ(MaturityOf(facts).Missing(Scale::kAzure), nullptr);
  facts.triggers.push_back({.name = "ci", .cause = "push", .pipeline = "train", .enabled = true});
  EXPECT_EQ(MaturityOf(facts).google, 2);
  facts.triggers[0].enabled = false;
  EXPECT_EQ(MaturityOf(facts).google, 0) << "a level needs those below it";
}

TEST(MaturityTest, EachRowHasItsEvidenceOrItsAct) {
  for (const Facts& facts : {Facts{.project = "p"}, ThreeLaps()})
    for (const MaturityRow& row : MaturityOf(facts).rows) {
      EXPECT_FALSE(row.evidence.empty()) << row.claim;
      EXPECT_NE(row.met, !row.act.command.empty()) << row.claim;
      EXPECT_EQ(row.met, !row.evidence_page.empty()) << row.claim;
    }
}

TEST(LoopTest, TheDocumentHoldsItAll) {
  const Json loop = LoopToJson(ThreeLaps());
  EXPECT_EQ(loop["stages"].size(), 8u);
  EXPECT_EQ(loop["laps"].items()[1]["arcs"].items()[5]["mark"].AsString(), "rejected");
  EXPECT_TRUE(loop["running"].is_null());
  EXPECT_EQ(loop["maturity"].items()[1]["scale"].AsString(), "azure");
  EXPECT_EQ(loop["goals"].items()[0]["value"].AsDouble(), 0.86);
}

}  // namespace
}  // namespace gyre::loop
