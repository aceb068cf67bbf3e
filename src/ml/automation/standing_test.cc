#include "ml/automation/automation_for_tests.h"

namespace gyre::automation {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

// Alerts of an endpoint that its monitor raises, and labels that come.
class StandingTest : public AutomationTest {
 protected:
  void SetUp() override {
    cooldown_s_ = 0;
    watches_ = true;
    AutomationTest::SetUp();
  }
  void Create(Cause cause = Cause::kDrift) {
    TriggerSpec spec = Spec(cause);
    spec.on.subject = "churn";
    spec.guards.cooldown_s = cooldown_s_;
    spec.guards.runs_per_day_max = 0;
    ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  }
  void Fires(std::string incident, Cause cause = Cause::kDrift) {
    StandingAlert alert{.occurrence = Drift("alert " + incident), .bad_us = kHour};
    alert.occurrence.cause = cause;
    alert.occurrence.source_id = incident;
    alert.occurrence.since_us = kHour;
    standing_.push_back(std::move(alert));
  }
  void Tell() { ASSERT_TRUE(automation_->Tell(standing_.back().occurrence)); }
  void Looks(int times = 2) {
    for (int i = 0; i < times; ++i) {
      clock_.now_us += 3 * kMicrosPerSecond;
      ASSERT_TRUE(automation_->Turn());
    }
  }
  void Promoted() {
    runs_[Newest().run_id] = {.state = "succeeded", .outcome = {"promoted", "promoted v2"}};
    Looks(1);
  }
  std::size_t Count() { return automation_->Firings({.project = "default"})->size(); }

  std::int64_t cooldown_s_ = 0;
};

TEST_F(StandingTest, WaitsForLabelsSinceTheTroubleBegan) {
  labels_ = {.rows = 120, .wanted = 500};
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  EXPECT_EQ(Newest().state, "waiting");
  EXPECT_EQ(Newest().guard, "labels");
  EXPECT_NE(Newest().reason.find("120 of 500 rows with labels since 1970-01-01T01:00:00Z"),
            std::string::npos)
      << Newest().reason;
  labels_.rows = 500;
  Looks(1);
  EXPECT_EQ(Newest().state, "running");
  EXPECT_EQ(starts_.back().since_us, kHour);
  EXPECT_EQ(Newest().labelled, 500);
}

TEST_F(StandingTest, AfterTheWaitAPersonIsTold) {
  labels_ = {.rows = 120, .wanted = 500};
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  clock_.now_us += 8 * 24 * kHour;
  Looks(1);
  EXPECT_EQ(Newest().state, "skipped");
  EXPECT_EQ(told_.size(), 1U);
  labels_.rows = 600;  // they have come after all
  Looks();
  EXPECT_EQ(Newest().state, "running");
}

TEST_F(StandingTest, AnIncidentThatTheAnswerDidNotEndFiresAgain) {
  labels_ = {.rows = 600, .wanted = 500};
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  newest_event_us_ = 10 * kHour;
  Promoted();
  labels_.rows = 1'099;
  standing_.back().bad_us = 12 * kHour;
  Looks();
  EXPECT_EQ(Count(), 1U) << "too few new ones";
  labels_.rows = 1'100;
  standing_.back().bad_us = 9 * kHour;
  Looks();
  EXPECT_EQ(Count(), 1U) << "no window of the new model was bad";
  standing_.back().bad_us = 12 * kHour;
  Looks();
  ASSERT_EQ(Count(), 2U);
  EXPECT_EQ(Newest().state, "running");
  EXPECT_EQ(Newest().source_id, "i1");
  EXPECT_NE(Newest().text.find("again with 500 new rows with labels: the last answer did not end "
                               "it (promoted v2)"),
            std::string::npos)
      << Newest().text;
  Promoted();
  standing_.clear();
  labels_.rows = 10'000;
  Looks();
  EXPECT_EQ(Count(), 2U) << "it is over";
}

TEST_F(StandingTest, PerformanceThatIsBadAfterDriftWasAnsweredIsHeard) {
  labels_ = {.rows = 600, .wanted = 500};
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  runs_[Newest().run_id] = {.state = "succeeded",
                            .outcome = {"not_promoted", "not promoted: not better"}};
  Looks(1);
  standing_.clear();
  Fires("i2", Cause::kPerformance);
  labels_.rows = 1'200;
  Looks();
  ASSERT_EQ(Count(), 2U);
  EXPECT_EQ(Newest().cause, "performance");
}

TEST_F(StandingTest, OthersThanRetrainingsFireOnce) {
  counts_labels_ = false;
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  Promoted();
  standing_.back().bad_us = 12 * kHour;
  Looks();
  EXPECT_EQ(Count(), 1U);
}

TEST_F(StandingTest, WhatACooldownSkippedIsHeardWhenItIsOver) {
  cooldown_s_ = 3600;
  counts_labels_ = false;
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  End(Newest(), "succeeded");
  Fires("i2");
  Tell();
  Looks();
  EXPECT_EQ(Newest().state, "skipped");
  EXPECT_EQ(Count(), 2U) << "once";
  clock_.now_us += kHour;
  Looks();
  EXPECT_EQ(Newest().state, "running");
}

TEST_F(StandingTest, APersonWhoCancelledHasAnswered) {
  labels_ = {.rows = 600, .wanted = 500};
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  End(Newest(), "cancelled");
  labels_.rows = 5'000;
  Looks();
  EXPECT_EQ(Count(), 1U);
}

TEST_F(StandingTest, ANewTriggerHearsWhatFiresAlready) {
  Fires("i1");
  Looks();
  Create();
  const auto before = automation_->DryRun("default", "churn-drift");
  ASSERT_TRUE(before);
  EXPECT_EQ((*before)["alerts"].size(), 1U);
  Looks();
  ASSERT_EQ(Count(), 1U);
  EXPECT_EQ(Newest().state, "running");
  const auto check = automation_->DryRun("default", "churn-drift");
  ASSERT_TRUE(check);
  EXPECT_EQ((*check)["action"].AsString(), "wait");
  EXPECT_NE((*check)["reason"].AsString().find("its firing goes on"), std::string::npos);
}

TEST_F(StandingTest, ATriggerThatIsSwitchedOnAgainHearsWhatFires) {
  Create();
  Trigger trigger = *automation_->Get("default", "churn-drift");
  trigger.spec.enabled = false;
  ASSERT_TRUE(automation_->Replace("default", trigger.spec, "ann"));
  Fires("i1");
  Tell();
  Looks();
  EXPECT_EQ(starts_.size(), 0U);
  trigger.spec.enabled = true;
  ASSERT_TRUE(automation_->Replace("default", trigger.spec, "ann"));
  Looks();
  EXPECT_EQ(starts_.size(), 1U);
}

TEST_F(StandingTest, ATriggerWhoseRunGoesOnStays) {
  Create();
  Fires("i1");
  Tell();
  Looks(1);
  const auto removed = automation_->Remove("default", "churn-drift");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().gy(), "GY4816");
  End(Newest(), "succeeded");
  EXPECT_TRUE(automation_->Remove("default", "churn-drift"));
}

TEST_F(StandingTest, ABusyTriggerKeepsNoOtherFromStarting) {
  TriggerSpec busy = Spec(Cause::kWebhook);
  busy.name = "busy";
  busy.guards.cooldown_s = busy.guards.runs_per_day_max = 0;
  ASSERT_TRUE(automation_->Create("default", busy, "ann"));
  for (int call = 0; call < 300; ++call)
    ASSERT_TRUE(automation_->Fire("default", "busy", {.cause = Cause::kWebhook}, "ann"));
  Create();
  clock_.now_us += kHour;  // all of them are due
  Fires("i1");
  Tell();
  Looks(1);
  ASSERT_EQ(starts_.size(), 2U);
  EXPECT_EQ(starts_.back().triggered_by["trigger"].AsString(), "churn-drift");
}

TEST_F(StandingTest, MoreCallsThanCanBeWorkedOffAreRefused) {
  TriggerSpec busy = Spec(Cause::kWebhook);
  busy.name = "busy";
  ASSERT_TRUE(automation_->Create("default", busy, "ann"));
  beside_ = "some-run";
  Result<Firing> fired = Internal("GY9999", "none");
  for (int call = 0; call <= 1'000; ++call)
    fired = automation_->Fire("default", "busy", {.cause = Cause::kWebhook}, "ann");
  ASSERT_FALSE(fired);
  EXPECT_EQ(fired.error().gy(), "GY4815");
  EXPECT_EQ(fired.error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace gyre::automation
