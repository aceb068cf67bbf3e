#include "ml/automation/guards.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace gyre::automation {
namespace {

constexpr std::int64_t kNow = 1'800'000'000 * kMicrosPerSecond;
constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

TriggerSpec Spec() {
  TriggerSpec spec;
  spec.name = "t";
  spec.pipeline = "retrain";
  return spec;
}
GuardFacts Facts() { return {.now_us = kNow}; }

TEST(Guards, AllAgreeAtFirst) {
  const Decision decision = Judge(Spec(), Facts());
  EXPECT_EQ(decision.action, Action::kStart);
  EXPECT_EQ(decision.guard, "");
  EXPECT_EQ(decision.checks.size(), 8);
}

TEST(Guards, CooldownCountsFromTheLastStart) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 3600;
  GuardFacts facts = Facts();
  facts.starts_us = {kNow - 5 * kHour, kNow - kHour + 1};
  EXPECT_EQ(Judge(spec, facts).guard, "cooldown");
  EXPECT_EQ(Judge(spec, facts).action, Action::kSkip);
  facts.starts_us = {kNow - kHour};
  EXPECT_EQ(Judge(spec, facts).action, Action::kStart);
  facts.starts_us = {kNow + 30 * kHour};  // the clock was set back
  EXPECT_EQ(Judge(spec, facts).guard, "cooldown");
  facts.by_hand = true;
  EXPECT_EQ(Judge(spec, facts).action, Action::kStart);
}

TEST(Guards, LimitsRunsADayAndCpuAMonth) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 0;
  spec.guards.runs_per_day_max = 2;
  spec.guards.cpu_seconds_per_month = 100;
  GuardFacts facts = Facts();
  facts.starts_us = {kNow - 25 * kHour, kNow - 23 * kHour};
  EXPECT_EQ(Judge(spec, facts).action, Action::kStart);
  facts.starts_us.push_back(kNow - kHour);
  EXPECT_EQ(Judge(spec, facts).guard, "runs a day");
  facts.starts_us.clear();
  facts.cpu_seconds_of_month = 100;
  EXPECT_EQ(Judge(spec, facts).guard, "budget");
  facts.by_hand = true;  // money is money
  EXPECT_EQ(Judge(spec, facts).guard, "budget");
}

TEST(Guards, AskAPersonAfterFailuresInARow) {
  GuardFacts facts = Facts();
  facts.failures_in_a_row = 3;
  EXPECT_EQ(Judge(Spec(), facts).action, Action::kPerson);
  facts.failures_in_a_row = 2;
  EXPECT_EQ(Judge(Spec(), facts).action, Action::kStart);
}

TEST(Guards, DoubtfulDataStopsAndBusyWaits) {
  GuardFacts facts = Facts();
  facts.running = "run-1";
  Decision decision = Judge(Spec(), facts);
  EXPECT_EQ(decision.action, Action::kWait);
  EXPECT_GT(decision.again_us, kNow);
  facts.quality_alert = "alert-7";  // weighs more
  decision = Judge(Spec(), facts);
  EXPECT_EQ(decision.action, Action::kSkip);
  EXPECT_EQ(decision.guard, "quality");
  EXPECT_NE(decision.reason.find("alert-7"), std::string::npos);
}

TEST(Guards, ADisabledTriggerStartsNothingEvenByHand) {
  TriggerSpec spec = Spec();
  spec.enabled = false;
  GuardFacts facts = Facts();
  facts.by_hand = true;
  EXPECT_EQ(Judge(spec, facts).guard, "enabled");
}

TEST(Guards, QuietHoursWaitUntilTheyEnd) {
  TriggerSpec spec = Spec();
  spec.guards.quiet_hours = QuietHours{.from_minute = 22 * 60, .to_minute = 6 * 60};
  GuardFacts facts = Facts();
  facts.minute_of_day = 23 * 60;
  const Decision decision = Judge(spec, facts);
  EXPECT_EQ(decision.action, Action::kWait);
  EXPECT_EQ(decision.again_us, kNow + 7 * kHour);
  facts.minute_of_day = 12 * 60;
  EXPECT_EQ(Judge(spec, facts).action, Action::kStart);
}

TEST(QuietHours, HoldTheirBeginningAndNotTheirEnd) {
  const QuietHours night{.from_minute = 22 * 60, .to_minute = 6 * 60};
  const QuietHours noon{.from_minute = 12 * 60, .to_minute = 13 * 60};
  for (int minute = 0; minute < 24 * 60; ++minute) {
    EXPECT_EQ(IsQuiet(night, minute), minute >= 22 * 60 || minute < 6 * 60);
    EXPECT_EQ(IsQuiet(noon, minute), minute / 60 == 12);
    for (const QuietHours& hours : {night, noon}) {
      const int left = QuietMinutesLeft(hours, minute);
      EXPECT_EQ(left > 0, IsQuiet(hours, minute));
      if (left > 0) {
        EXPECT_EQ((minute + left) % (24 * 60), hours.to_minute);
      }
    }
  }
}

}  // namespace
}  // namespace gyre::automation
