#include "ml/automation/automation_for_tests.h"

namespace gyre::automation {
namespace {

// Every hour, and each run takes two.
class ScheduleRulesTest : public AutomationTest {
 protected:
  void Create(pipelines::CatchUp catch_up, pipelines::Overlap overlap,
              std::string_view approval = {}) {
    TriggerSpec spec = Spec(Cause::kSchedule);
    spec.on.at = "0 * * * *";
    spec.on.catch_up = catch_up;
    spec.on.overlap = overlap;
    spec.guards.cooldown_s = spec.guards.runs_per_day_max = 0;
    spec.guards.failures_max = 1;
    spec.approval = approval;
    clock_.now_us = *ParseTime("2026-03-01T11:59:00Z");
    ASSERT_TRUE(automation_->Create("default", spec, "ann"));
    ASSERT_TRUE(automation_->Turn());
  }
  void At(std::string_view time) {
    clock_.now_us = *ParseTime(time);
    ASSERT_TRUE(automation_->Turn());
  }
  std::vector<std::string> States() {  // oldest first
    std::vector<std::string> states;
    const auto firings = *automation_->Firings({.project = "default"});
    for (const Firing& firing : firings) states.insert(states.begin(), firing.state);
    return states;
  }
  using States_ = std::vector<std::string>;
};

TEST_F(ScheduleRulesTest, SkipLetsATimePass) {
  Create(pipelines::CatchUp::kLast, pipelines::Overlap::kSkip);
  At("2026-03-01T12:00:01Z");
  At("2026-03-01T13:00:01Z");
  EXPECT_EQ(States(), (States_{"running", "skipped"}));
  EXPECT_EQ(Newest().guard, "one at a time");
}

TEST_F(ScheduleRulesTest, QueueStartsItWhenTheOtherHasEnded) {
  Create(pipelines::CatchUp::kLast, pipelines::Overlap::kQueue);
  At("2026-03-01T12:00:01Z");
  const Firing first = Newest();
  At("2026-03-01T13:00:01Z");
  EXPECT_EQ(States(), (States_{"running", "waiting"}));
  End(first, "succeeded");
  At("2026-03-01T13:00:30Z");
  EXPECT_EQ(States(), (States_{"succeeded", "running"}));
}

TEST_F(ScheduleRulesTest, CancelEndsTheOtherWhichIsNoFailure) {
  Create(pipelines::CatchUp::kLast, pipelines::Overlap::kCancel);
  At("2026-03-01T12:00:01Z");
  At("2026-03-01T13:00:01Z");
  At("2026-03-01T13:00:04Z");
  At("2026-03-01T13:00:07Z");
  EXPECT_EQ(States(), (States_{"failed", "running"}));
  EXPECT_EQ(starts_.size(), 2u);
}

TEST_F(ScheduleRulesTest, NothingIsCancelledBeforeSomebodyAgreed) {
  Create(pipelines::CatchUp::kLast, pipelines::Overlap::kCancel, "approver");
  At("2026-03-01T12:00:01Z");
  ASSERT_TRUE(automation_->Approve("default", Newest().id, true, "ben", ""));
  At("2026-03-01T13:00:01Z");
  At("2026-03-01T13:00:04Z");
  EXPECT_EQ(States(), (States_{"running", "approval"}));
  ASSERT_TRUE(automation_->Approve("default", Newest().id, true, "ben", ""));
  At("2026-03-01T13:00:10Z");
  At("2026-03-01T13:00:13Z");
  EXPECT_EQ(States(), (States_{"failed", "running"}));
}

TEST_F(ScheduleRulesTest, AllThatWasMissedRunsOneAfterTheOther) {
  Create(pipelines::CatchUp::kAll, pipelines::Overlap::kQueue);
  At("2026-03-01T15:30:00Z");  // the server was off
  EXPECT_EQ(States().size(), 4u);
  EXPECT_EQ(starts_.size(), 1u);
}

TEST_F(ScheduleRulesTest, NoneOfWhatWasMissedRuns) {
  Create(pipelines::CatchUp::kNone, pipelines::Overlap::kQueue);
  At("2026-03-01T15:30:00Z");
  EXPECT_TRUE(States().empty());
}

}  // namespace
}  // namespace gyre::automation
