// What a run came to, and the occurrences that its firing answers.
#include "ml/automation/automation_for_tests.h"

namespace gyre::automation {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

class OutcomesTest : public AutomationTest {
 protected:
  Firing Fired(std::string key) {
    EXPECT_TRUE(automation_->Tell(Drift(std::move(key))));
    EXPECT_TRUE(automation_->Turn());
    return Newest();
  }
  std::size_t Count() { return automation_->Firings({.project = "default"})->size(); }
  Occurrence OfPredictions() {
    Occurrence other = Drift("alert 2");
    other.source_id = "alert-2";
    other.text = "answers drifted";
    return other;
  }
};

TEST_F(OutcomesTest, WhatARunCameToStandsInItsFiringAndIsToldOnce) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 0;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  const Outcome outcomes[] = {{"promoted", "promoted v4"},
                              {"not_promoted", "not promoted: auc: worse by 0.01"},
                              {"rolled_back", "canary rolled back: errors"}};
  for (const Outcome& outcome : outcomes) {
    clock_.now_us += kHour;
    told_.clear();
    const Firing firing = Fired(outcome.kind);
    const bool failed = outcome.kind == "rolled_back";
    runs_[firing.run_id] = {.state = failed ? "failed" : "succeeded", .outcome = outcome};
    ASSERT_TRUE(automation_->Turn());
    ASSERT_TRUE(automation_->Turn());
    EXPECT_EQ(told_, std::vector<std::string>{outcome.text});
    EXPECT_EQ(Newest().state, failed ? "failed" : "succeeded");
    const Json json = FiringToJson(Newest());
    EXPECT_EQ(json["outcome"]["kind"].AsString(), outcome.kind);
    EXPECT_EQ(json["outcome"]["text"].AsString(), outcome.text);
  }
}

TEST_F(OutcomesTest, ARunThatJudgesNothingEndsQuietly) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  End(Fired("1"), "succeeded");
  EXPECT_TRUE(told_.empty());
  EXPECT_TRUE(FiringToJson(Newest())["outcome"].is_null());
}

// A notice that cannot be written leaves the firing where it was: both are done again.
TEST_F(OutcomesTest, TheNoticeIsWrittenWithTheEnd) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  const Firing firing = Fired("1");
  deaf_ = true;
  runs_[firing.run_id] = {.state = "succeeded", .outcome = {"promoted", "promoted v4"}};
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
  deaf_ = false;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "succeeded");
  EXPECT_EQ(told_, std::vector<std::string>{"promoted v4"});
}

TEST_F(OutcomesTest, OneDriftInTwoSignalsAsksOnce) {
  TriggerSpec spec = Spec();
  spec.approval = "approver";
  spec.guards.cooldown_s = 0;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("alert 1")));
  EXPECT_EQ(*automation_->Tell(OfPredictions()), 1) << "before a turn";
  ASSERT_TRUE(automation_->Turn());
  Occurrence third = OfPredictions();
  third.key = "alert 3";
  ASSERT_TRUE(automation_->Tell(third)) << "while it waits for an approval";
  ASSERT_TRUE(automation_->Tell(third)) << "told again";
  ASSERT_TRUE(automation_->Tell(Drift("alert 1"))) << "its own";
  ASSERT_TRUE(automation_->Turn());
  ASSERT_EQ(Count(), 1u);
  EXPECT_EQ(asked_.size(), 1u);
  ASSERT_EQ(Newest().joined.size(), 2u);
  EXPECT_EQ(FiringToJson(Newest())["joined"].items()[0]["text"].AsString(), "answers drifted");
  ASSERT_TRUE(automation_->Approve("default", Newest().id, true, "ben", ""));
  End(Newest(), "succeeded");
  ASSERT_TRUE(automation_->Tell(third));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Count(), 1u) << "answered by the firing that it joined";
  clock_.now_us += kHour;
  EXPECT_EQ(Fired("alert 4").state, "approval") << "what comes after its end is another";
  EXPECT_EQ(Count(), 2u);
}

TEST_F(OutcomesTest, WhatJoinsStandsInTheLineageOfTheRun) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("alert 1")));
  ASSERT_TRUE(automation_->Tell(OfPredictions()));
  ASSERT_TRUE(automation_->Turn());
  Occurrence late = OfPredictions();
  late.key = "alert 3";
  late.source_id = "alert-3";
  ASSERT_TRUE(automation_->Tell(late)) << "while it runs";
  const lineage::Lineage lineage(*database_);
  for (const std::string_view alert : {"alert-1", "alert-2", "alert-3"}) {
    const auto graph = lineage.Walk(alert, lineage::Direction::kDown);
    ASSERT_TRUE(graph) << alert;
    EXPECT_EQ(graph->nodes.size(), 2u) << alert;
  }
}

TEST_F(OutcomesTest, AnotherEndpointIsAnotherFiring) {
  TriggerSpec spec = Spec();
  spec.on.subject.clear();  // any
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("alert 1")));
  Occurrence other = OfPredictions();
  other.subject = "fraud";
  ASSERT_TRUE(automation_->Tell(other));
  EXPECT_EQ(Count(), 2u);
}

TEST_F(OutcomesTest, WhatJoinedGoesAndComesBackWithItsTrigger) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("alert 1")));
  ASSERT_TRUE(automation_->Tell(OfPredictions()));
  ASSERT_TRUE(automation_->Turn());
  End(Newest(), "succeeded");
  EXPECT_EQ(*automation_->Forget(clock_.now_us + kHour), 1);
  ASSERT_TRUE(automation_->Tell(OfPredictions()));
  EXPECT_EQ(Count(), 1u) << "forgotten: it fires anew";
  ASSERT_TRUE(automation_->Tell(Drift("alert 5")));
  EXPECT_TRUE(automation_->Remove("default", "churn-drift"));
}

TEST_F(OutcomesTest, OneIncidentIsAnsweredOnceAndTheTriggerSaysSo) {
  const auto trigger = automation_->Create("default", Spec(), "ann");
  ASSERT_TRUE(trigger);
  const auto answered = [&] {
    return AnsweredToJson(*trigger, *automation_->Firings({.project = "default"}));
  };
  EXPECT_TRUE(answered().is_null()) << "nothing was heard";
  const Firing firing = Fired("alert 1");
  EXPECT_EQ(answered()["incident"].AsString(), "alert-1");
  EXPECT_EQ(answered()["firing"].AsString(), firing.id);
  EXPECT_NE(answered()["next"].AsString().find("joins"), std::string::npos);
  runs_[firing.run_id] = {.state = "succeeded", .outcome = {"not_promoted", "not promoted: auc"}};
  ASSERT_TRUE(automation_->Turn());
  clock_.now_us += 7 * kHour;  // the cooldown is over, and the alert fires still
  EXPECT_EQ(Fired("alert 1").id, firing.id);
  EXPECT_EQ(Count(), 1u);
  const std::string next = answered()["next"].AsString();
  EXPECT_NE(next.find("new incident"), std::string::npos) << next;
  EXPECT_NE(next.find(FormatTime(firing.started_us + 6 * kHour)), std::string::npos) << next;
  EXPECT_NE(next.find("gyre triggers fire churn-drift"), std::string::npos) << next;
}

// A run that broke answered nobody: the alerts that had joined it are not lost with it.
TEST_F(OutcomesTest, WhatJoinedARunThatFailedWaitsForTheNext) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 3600;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  const Firing first = Fired("alert 1");
  Occurrence third = OfPredictions();
  third.key = "alert 3";
  third.source_id = "alert-3";
  ASSERT_TRUE(automation_->Tell(OfPredictions()));
  ASSERT_TRUE(automation_->Tell(third));
  ASSERT_EQ(Newest().joined.size(), 2u);
  clock_.now_us += kHour / 2;
  End(first, "failed");
  const auto failed = automation_->GetFiring("default", first.id);
  EXPECT_NE(failed->reason.find("2 that joined it wait for the next run"), std::string::npos)
      << failed->reason;
  EXPECT_TRUE(failed->joined.empty());
  ASSERT_EQ(Count(), 2u);
  EXPECT_EQ(Newest().state, "waiting") << "not before the cooldown is over";
  EXPECT_EQ(Newest().source_id, "alert-2");
  ASSERT_EQ(Newest().joined.size(), 1u);
  ASSERT_TRUE(automation_->Tell(third));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Count(), 2u) << "told again";
  EXPECT_EQ(starts_.size(), 1u);
  clock_.now_us += kHour;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
  EXPECT_EQ(starts_.size(), 2u);
  End(Newest(), "succeeded");
  EXPECT_EQ(Count(), 2u);
}

TEST_F(OutcomesTest, WhatJoinedARunThatWasJudgedOrCancelledHasItsAnswer) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 0;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  for (const bool cancelled : {false, true}) {
    const Firing firing = Fired(cancelled ? "a" : "b");
    Occurrence other = OfPredictions();
    other.key = firing.key + " too";
    ASSERT_TRUE(automation_->Tell(other));
    const std::size_t count = Count();
    runs_[firing.run_id] = {.state = cancelled ? "cancelled" : "failed"};
    if (!cancelled) runs_[firing.run_id].outcome = {"rolled_back", "canary rolled back: errors"};
    ASSERT_TRUE(automation_->Turn());
    EXPECT_EQ(Count(), count);
    EXPECT_EQ(Newest().joined.size(), 1u);
    clock_.now_us += kHour;
  }
}

// Labels of a new class, hashed inputs: the pipeline is as good as before.
TEST_F(OutcomesTest, DataThatCannotBeLearnedFromIsNoFailureOfTheTrigger) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 0;
  spec.guards.failures_max = 2;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  for (int i = 0; i < 4; ++i) {
    clock_.now_us += kHour;
    told_.clear();
    const Firing firing = Fired(fmt::format("alert {}", i));
    ASSERT_EQ(firing.state, "running") << i;
    runs_[firing.run_id] = {.state = "failed",
                            .reason = "step `fresh` failed: GY4618 a class that is new",
                            .error = i % 2 == 0 ? "GY4618" : "GY4619"};
    ASSERT_TRUE(automation_->Turn());
    EXPECT_EQ(Newest().state, "failed");
    EXPECT_EQ(Newest().outcome.kind, "refused");
    EXPECT_EQ(told_, std::vector<std::string>{
                         "not retrained: step `fresh` failed: GY4618 a class that is new"});
  }
}

}  // namespace
}  // namespace gyre::automation
