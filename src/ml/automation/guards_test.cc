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
  EXPECT_EQ(decision.checks.size(), 9);
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

TEST(Guards, NothingIsCancelledForARunThatMayNotStart) {
  TriggerSpec spec = Spec();
  spec.on.cause = Cause::kSchedule;
  spec.on.overlap = pipelines::Overlap::kCancel;
  GuardFacts facts = Facts();
  facts.running = "run-1";
  facts.starts_us = {kNow - 7 * kHour};
  EXPECT_EQ(Judge(spec, facts).action, Action::kCancel);
  facts.quiet_until_us = kNow + kHour;
  spec.guards.quiet_hours = QuietHours{.from_minute = 0, .to_minute = 60};
  EXPECT_EQ(Judge(spec, facts).action, Action::kWait);
  EXPECT_EQ(Judge(spec, facts).guard, "quiet hours");
  facts.starts_us = {kNow - kHour};  // within the cooldown
  EXPECT_EQ(Judge(spec, facts).action, Action::kSkip);
  EXPECT_EQ(Judge(spec, facts).guard, "cooldown");
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
  facts.quiet_until_us = kNow + 7 * kHour;
  const Decision decision = Judge(spec, facts);
  EXPECT_EQ(decision.action, Action::kWait);
  EXPECT_EQ(decision.again_us, kNow + 7 * kHour);
  facts.by_hand = true;
  EXPECT_EQ(Judge(spec, facts).action, Action::kStart);
  facts = Facts();
  EXPECT_EQ(Judge(spec, facts).action, Action::kStart);
}

TEST(QuietHours, HoldTheirBeginningAndNotTheirEnd) {
  const QuietHours night{.from_minute = 22 * 60, .to_minute = 6 * 60};
  const QuietHours noon{.from_minute = 12 * 60, .to_minute = 13 * 60};
  for (int minute = 0; minute < 24 * 60; ++minute) {
    EXPECT_EQ(IsQuiet(night, minute), minute >= 22 * 60 || minute < 6 * 60);
    EXPECT_EQ(IsQuiet(noon, minute), minute / 60 == 12);
  }
}

// Whichever way the clocks jump, quiet hours end when they show that it is over.
TEST(QuietHours, EndByTheClocksOfTheirZone) {
  const auto zone = pipelines::TimeZone::Load("Europe/Zurich");
  ASSERT_TRUE(zone) << zone.error().ToString();
  const QuietHours night{.from_minute = 22 * 60, .to_minute = 6 * 60};
  const auto until = [&](const QuietHours& hours, std::string_view now) {
    const std::int64_t until_us = QuietUntil(hours, *zone, *ParseTime(now));
    return until_us == 0 ? std::string() : FormatTime(until_us);
  };
  EXPECT_EQ(until(night, "2026-02-01T21:00:30Z"), "2026-02-02T05:00:00Z");
  EXPECT_EQ(until(night, "2026-02-01T20:59:59Z"), "");
  EXPECT_EQ(until(night, "2026-02-02T05:00:00Z"), "");
  EXPECT_EQ(until(night, "2026-03-28T22:00:00Z"), "2026-03-29T04:00:00Z") << "a short night";
  EXPECT_EQ(until(night, "2026-10-24T22:00:00Z"), "2026-10-25T05:00:00Z") << "a long night";
  const QuietHours early{.from_minute = 60, .to_minute = 2 * 60 + 30};
  EXPECT_EQ(until(early, "2026-03-29T00:10:00Z"), "2026-03-29T01:00:00Z") << "02:30 never comes";
}

}  // namespace
}  // namespace gyre::automation
