#include "ml/monitoring/alerts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

// Windows an hour apart.
class Watched {
 public:
  explicit Watched(AlertRule with = {}) : rule(with) {}
  Step See(Level level, std::string inhibited_by = {}) {
    time_us += kHour;
    return Observe(rule, &state,
                   {.level = level,
                    .begin_us = time_us - kHour,
                    .time_us = time_us,
                    .what = "2 columns drifted",
                    .inhibited_by = std::move(inhibited_by),
                    .behind = behind},
                   now_us);
  }
  AlertRule rule;
  AlertState state;
  std::int64_t time_us = 0, now_us = 0;
  bool behind = false;
};

TEST(Alerts, OfWindowsJudgedTogetherTheOutcomeIsOwed) {
  Watched run;
  run.behind = true;
  run.See(Level::kBad);
  const Step began = run.See(Level::kBad);
  EXPECT_TRUE(began.began && !began.tell);
  EXPECT_EQ(began.mute, "told with the newest window");
  EXPECT_EQ(run.state.owed, "2 columns drifted (2 of the last 2 windows)");
  run.See(Level::kCalm);
  EXPECT_FALSE(run.See(Level::kCalm).tell);
  EXPECT_EQ(run.state.owed,
            "2 columns drifted (2 of the last 2 windows); then: 2 calm windows in a row");
  EXPECT_EQ(StateFromJson(StateToJson(run.state)), run.state);
  run.behind = false;
  run.See(Level::kBad);
  const Step told = run.See(Level::kBad);
  EXPECT_TRUE(told.began);
  EXPECT_TRUE(told.tell || !run.state.owed.empty());
  run.behind = true;
  for (int i = 0; i < 40; ++i) run.See(i % 4 < 2 ? Level::kBad : Level::kCalm);
  EXPECT_LT(run.state.owed.size(), 1'000U);
}

TEST(Alerts, AnIncidentBeginsWithTheBadWindowsThatLeadToIt) {
  Watched run;
  run.See(Level::kBad);   // chance, at hour 0
  run.See(Level::kCalm);  // 1
  run.See(Level::kBad);   // 2
  EXPECT_EQ(run.state.incident_us, 2 * kHour) << "not with the one before the calm one";
  run.See(Level::kBad);
  run.See(Level::kCalm);
  EXPECT_EQ(run.state.incident_us, 2 * kHour) << "as long as it goes on";
  EXPECT_EQ(run.state.bad_us, 3 * kHour);
  EXPECT_EQ(StateFromJson(StateToJson(run.state)), run.state);
}

TEST(Alerts, ASnoozeIsNotADayLongerWhenTheClockIsSetBack) {
  constexpr std::int64_t kDay = 24 * kHour;
  Watched run;
  run.now_us = 100 * kDay;
  Snooze(&run.state, run.now_us, run.now_us + 4 * kHour);
  EXPECT_TRUE(IsSnoozed(run.state, run.now_us + kHour));
  EXPECT_FALSE(IsSnoozed(run.state, run.now_us + kDay));
  EXPECT_TRUE(IsSnoozed(run.state, run.now_us - 2 * kHour));
  EXPECT_FALSE(IsSnoozed(run.state, run.now_us - kDay)) << "not for a day longer";
}

TEST(Alerts, FireAfterMOfNAndEndAfterCalmOnes) {
  Watched run;
  Step step = run.See(Level::kBad);
  EXPECT_EQ(step.to, Phase::kPending);
  EXPECT_EQ(step.reason, "2 columns drifted (1 of 2 windows that an alert takes)");
  EXPECT_EQ(run.See(Level::kCalm).to, Phase::kPending);
  step = run.See(Level::kBad);
  EXPECT_TRUE(step.began && step.tell);
  EXPECT_EQ(step.reason, "2 columns drifted (2 of the last 3 windows)");
  EXPECT_EQ(run.See(Level::kCalm).to, Phase::kFiring);
  step = run.See(Level::kCalm);
  EXPECT_TRUE(step.ended && step.tell);
  EXPECT_EQ(step.reason, "2 calm windows in a row");
  EXPECT_EQ(run.state.phase, Phase::kOk);
}

TEST(Alerts, OneBadWindowPasses) {
  Watched run;
  run.See(Level::kBad);
  run.See(Level::kCalm);
  EXPECT_EQ(run.See(Level::kCalm).to, Phase::kPending);
  EXPECT_EQ(run.See(Level::kCalm).reason, "it has passed");
  EXPECT_EQ(run.state.phase, Phase::kOk);
}

TEST(Alerts, BetweenTheThresholdsNothingBeginsOrEnds) {
  EXPECT_EQ(LevelOf(1.0, 1.0, 0.8), Level::kBad);
  EXPECT_EQ(LevelOf(0.9, 1.0, 0.8), Level::kBetween);
  EXPECT_EQ(LevelOf(0.7, 1.0, 0.8), Level::kCalm);
  Watched run;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(run.See(Level::kBetween).to, Phase::kOk);
  run.See(Level::kBad);
  run.See(Level::kBad);
  for (int i = 0; i < 10; ++i) {
    run.See(Level::kCalm);
    EXPECT_EQ(run.See(Level::kBetween).to, Phase::kFiring);
  }
}

TEST(Alerts, WhatIsNotKnownChangesNothing) {
  Watched run;
  run.See(Level::kBad);
  const AlertState before = run.state;
  EXPECT_EQ(run.See(Level::kUnknown).to, Phase::kPending);
  EXPECT_EQ(run.state, before);
}

TEST(Alerts, AreToldOnceThenAgainAfterAPauseUnlessAcknowledged) {
  Watched run({.renotify_us = 5 * kHour});
  run.See(Level::kBad);
  EXPECT_TRUE(run.See(Level::kBad).tell);
  for (int i = 0; i < 4; ++i) {
    const Step step = run.See(Level::kBad);
    EXPECT_FALSE(step.tell);
    EXPECT_TRUE(step.mute.starts_with("told at "));
  }
  EXPECT_TRUE(run.See(Level::kBad).tell);
  ASSERT_TRUE(Acknowledge(&run.state, "ann"));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(run.See(Level::kBad).tell);
  EXPECT_EQ(run.See(Level::kBad).mute, "acknowledged by ann");
}

// Back by a day, the clock falls into the pause; back by a year, what was told then counts no more.
TEST(Alerts, AClockThatJumpsNeitherStormsNorSilences) {
  for (const std::int64_t year : {0, 1}) {
    Watched run({.renotify_us = 48 * kHour});
    run.time_us = run.now_us = 20'000 * kHour;
    run.See(Level::kBad);
    run.time_us += year * 8'760 * kHour;
    EXPECT_TRUE(run.See(Level::kBad).tell);
    run.time_us -= year * 8'760 * kHour + 24 * kHour;
    int told = 0;
    for (int i = 0; i < 24; ++i) told += run.See(Level::kBad).tell ? 1 : 0;
    EXPECT_EQ(told, year) << "once at most, whatever the clock did";
    run.now_us += 8'760 * kHour;
    EXPECT_FALSE(run.See(Level::kBad).tell) << "the pause is one of the data";
  }
}

TEST(Alerts, OnlyWhatFiresIsAcknowledged) {
  AlertState state;
  EXPECT_EQ(Acknowledge(&state, "ann").error().gy(), "GY4504");
}

TEST(Alerts, SnoozedOnesChangeButTellNobody) {
  Watched run;
  Snooze(&run.state, 0, 10 * kHour);
  run.See(Level::kBad);
  const Step step = run.See(Level::kBad);
  EXPECT_TRUE(step.began);
  EXPECT_FALSE(step.tell);
  EXPECT_TRUE(step.mute.starts_with("snoozed until "));
  run.now_us = 11 * kHour;
  EXPECT_TRUE(run.See(Level::kBad).tell);
}

TEST(Alerts, FlappingOnesAreToldUntilTheyFlap) {
  Watched run({.bad_windows = 1, .of_windows = 1, .calm_windows = 1, .renotify_us = 1});
  int told = 0;
  for (int i = 0; i < 40; ++i) told += run.See(i % 2 == 0 ? Level::kBad : Level::kCalm).tell;
  EXPECT_EQ(told, 3);
  for (int i = 0; i < 12; ++i) run.See(Level::kCalm);
  EXPECT_TRUE(run.See(Level::kBad).tell);
}

TEST(Alerts, AreHeldBackWhileAnotherExplainsThem) {
  Watched run;
  for (int i = 0; i < 5; ++i) {
    const Step step = run.See(Level::kBad, "data quality");
    EXPECT_EQ(step.to, Phase::kPending);
    EXPECT_EQ(step.reason, "2 columns drifted; held back: data quality explains it");
  }
  EXPECT_TRUE(run.See(Level::kBad).began);
}

TEST(Alerts, NameTheColumnsThatSeveralWindowsNamed) {
  AlertState state;
  const auto see = [&](std::vector<std::string> columns) {
    return Observe({}, &state, {.level = Level::kBad, .what = "x", .columns = std::move(columns)},
                   0);
  };
  EXPECT_TRUE(see({"chance"}).columns.empty());
  const Step step = see({"hour"});
  EXPECT_EQ(step.to, Phase::kPending);
  EXPECT_EQ(step.reason, "x; not the same columns as before");
  state = {};
  EXPECT_TRUE(see({"hour", "chance"}).columns.empty());
  EXPECT_EQ(see({"temp", "hour"}).columns, std::vector<std::string>{"hour"});
  EXPECT_EQ(see({"temp", "hour"}).columns, (std::vector<std::string>{"temp", "hour"}));
}

TEST(Alerts, StateSurvivesAsJson) {
  Watched run;
  Observe(run.rule, &run.state, {.level = Level::kBad, .what = "x", .columns = {"hour"}}, 0);
  run.See(Level::kBad);
  run.See(Level::kBad);
  Snooze(&run.state, 7, 77);
  ASSERT_TRUE(Acknowledge(&run.state, "ann"));
  EXPECT_EQ(StateFromJson(*Json::Parse(StateToJson(run.state).Dump())), run.state);
}

// Any sequence: it fires only with m bad ones among the last n, ends only after calm ones, and what
// began ends before it begins again.
TEST(Alerts, HoldTheirRuleWhateverComes) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    Random random(seed);
    AlertRule rule;
    rule.of_windows = 1 + static_cast<int>(random.Below(6));
    rule.bad_windows = 1 + static_cast<int>(random.Below(static_cast<unsigned>(rule.of_windows)));
    rule.calm_windows = 1 + static_cast<int>(random.Below(4));
    Watched run(rule);
    std::vector<Level> seen;
    bool firing = false;
    for (int i = 0; i < 60; ++i) {
      const auto level = static_cast<Level>(random.Below(4));
      if (level != Level::kUnknown) seen.push_back(level);
      const Step step = run.See(level);
      ASSERT_FALSE(step.reason.empty());
      ASSERT_EQ(step.tell && !step.mute.empty(), false);
      if (step.began) {
        ASSERT_FALSE(firing);
        const auto last = seen.end() - std::min<std::ptrdiff_t>(rule.of_windows, std::ssize(seen));
        ASSERT_GE(std::count(last, seen.end(), Level::kBad), rule.bad_windows);
        firing = true;
      }
      if (step.ended) {
        ASSERT_TRUE(firing);
        ASSERT_GE(std::ssize(seen), rule.calm_windows);
        ASSERT_TRUE(std::all_of(seen.end() - rule.calm_windows, seen.end(),
                                [](Level one) { return one == Level::kCalm; }));
        firing = false;
      }
      ASSERT_EQ(run.state.phase == Phase::kFiring, firing);
    }
  }
}

TEST(AlertRule, ReadsWhatItWritesAndRefusesTheImpossible) {
  const AlertRule rule{.bad_windows = 3, .of_windows = 5};
  EXPECT_EQ(*RuleFromJson(RuleToJson(rule)), rule);
  EXPECT_EQ(RuleFromJson(*Json::Parse(R"({"bad":4})"))->of_windows, 4);
  for (const char* text : {R"({"bad":0})", R"({"bad":3,"of":2})", R"({"m":2})"})
    EXPECT_EQ(RuleFromJson(*Json::Parse(text)).error().gy(), "GY4503") << text;
}

}  // namespace
}  // namespace gyre::monitoring
