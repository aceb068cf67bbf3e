#include "ml/pipelines/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/time.h"

namespace gyre::pipelines {
namespace {

TimeZone Zone(std::string_view name) {
  auto zone = TimeZone::Load(name);
  EXPECT_TRUE(zone) << zone.error().ToString();
  return *std::move(zone);
}

// The next three times after a moment.
std::vector<std::string> Next(std::string_view cron, std::string_view after,
                              std::string_view zone = "UTC", int count = 3) {
  const auto cadence = Cadence::Parse(cron);
  EXPECT_TRUE(cadence) << cadence.error().ToString();
  const TimeZone where = Zone(zone);
  std::vector<std::string> times;
  std::int64_t at_us = *ParseTime(after);
  for (int i = 0; i < count; ++i) {
    at_us = cadence->NextAfter(at_us, 0, where);
    times.push_back(at_us == 0 ? "never" : FormatTime(at_us));
    if (at_us == 0) break;
  }
  return times;
}
using Times = std::vector<std::string>;

TEST(ScheduleTest, EveryFieldCounts) {
  EXPECT_EQ(Next("0 3 * * *", "2026-01-31T03:00:00Z"),
            (Times{"2026-02-01T03:00:00Z", "2026-02-02T03:00:00Z", "2026-02-03T03:00:00Z"}));
  EXPECT_EQ(Next("*/20 9-10 * * MON-FRI", "2026-11-20T10:20:00Z"),
            (Times{"2026-11-20T10:40:00Z", "2026-11-23T09:00:00Z", "2026-11-23T09:20:00Z"}));
  EXPECT_EQ(Next("0 0 31 * *", "2026-01-31T00:00:00Z"),
            (Times{"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z", "2026-07-31T00:00:00Z"}));
  EXPECT_EQ(Next("0 0 29 feb *", "2026-01-01T00:00:00Z", "UTC", 1),
            (Times{"2028-02-29T00:00:00Z"}));
  EXPECT_EQ(Next("0 0 13 * 5", "2026-11-01T00:00:00Z"),
            (Times{"2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"}));
  EXPECT_EQ(Next("0 12 * * 7", "2026-11-21T00:00:00Z", "UTC", 1), (Times{"2026-11-22T12:00:00Z"}));
  EXPECT_EQ(Next("0 0 30 2 *", "2026-01-01T00:00:00Z", "UTC", 1), (Times{"never"}));
  EXPECT_EQ(Next("every 6h", "1970-01-01T07:00:00Z", "UTC", 2),
            (Times{"1970-01-01T12:00:00Z", "1970-01-01T18:00:00Z"}));
  for (const char* bad : {"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
                          "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "every soon"})
    EXPECT_EQ(Cadence::Parse(bad).error().gy(), "GY4742") << bad;
}

TEST(ScheduleTest, AJumpOfTheClocksLosesNothingAndRepeatsNothing) {
  // Berlin, 2026-03-29: 02:00 becomes 03:00 (01:00 UTC).
  EXPECT_EQ(Next("30 2 * * *", "2026-03-28T00:00:00Z", "Europe/Berlin"),
            (Times{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
  EXPECT_EQ(Next("0 3 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", 2),
            (Times{"2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"}));
  EXPECT_EQ(Next("30 * * * *", "2026-03-29T00:00:00Z", "Europe/Berlin"),
            (Times{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"}));
  // 2026-10-25: 03:00 becomes 02:00 (01:00 UTC), so 02:30 comes at 00:30 and at 01:30 UTC.
  EXPECT_EQ(Next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", 2),
            (Times{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
  EXPECT_EQ(Next("30 * * * *", "2026-10-25T00:00:00Z", "Europe/Berlin"),
            (Times{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"}));
  // Lord Howe, 2026-10-04: 02:00 becomes 02:30 (15:30 UTC), half an hour.
  EXPECT_EQ(Next("15 2 * * *", "2026-10-03T00:00:00Z", "Australia/Lord_Howe", 2),
            (Times{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}));
}

TEST(ScheduleTest, ZonesGoByTheirRuleWhereNoTransitionIsListed) {
  EXPECT_EQ(Next("0 12 1 7 *", "2060-01-01T00:00:00Z", "Europe/Berlin", 1),
            (Times{"2060-07-01T10:00:00Z"}));
  EXPECT_EQ(Next("0 12 1 1 *", "2060-01-02T00:00:00Z", "Australia/Sydney", 1),
            (Times{"2061-01-01T01:00:00Z"}));
  EXPECT_EQ(Zone("Asia/Kolkata").MinuteOfDay(*ParseTime("2026-01-01T00:00:00Z")), 330);
  for (const char* bad : {"", "Nowhere/City", "../etc/passwd", "/etc/passwd"})
    EXPECT_EQ(TimeZone::Load(bad).error().gy(), "GY4741") << bad;
}

TEST(ScheduleTest, WhatWasMissedIsCaughtUpAsAsked) {
  const auto hourly = Cadence::Parse("0 * * * *").value();
  const TimeZone utc = Zone("UTC");
  const std::int64_t last = *ParseTime("2026-01-01T00:00:00Z"),
                     now = *ParseTime("2026-01-01T05:30:00Z");
  const auto due = [&](CatchUp catch_up, std::int64_t at) {
    return DueBetween(hourly, utc, 0, last, at, catch_up);
  };
  EXPECT_TRUE(due(CatchUp::kNone, now).due_us.empty());
  EXPECT_EQ(due(CatchUp::kNone, now).missed, 5);
  EXPECT_EQ(FormatTime(due(CatchUp::kNone, now).next_us), "2026-01-01T06:00:00Z");
  EXPECT_EQ(due(CatchUp::kLast, now).due_us,
            (std::vector<std::int64_t>{*ParseTime("2026-01-01T05:00:00Z")}));
  EXPECT_EQ(due(CatchUp::kLast, now).missed, 4);
  EXPECT_EQ(due(CatchUp::kAll, now).due_us.size(), 5u);
  const std::int64_t sharp = *ParseTime("2026-01-01T06:00:00.5Z");
  EXPECT_EQ(due(CatchUp::kNone, sharp).due_us.size(), 1u);
  EXPECT_EQ(due(CatchUp::kLast, sharp).due_us.size(), 1u);
  EXPECT_EQ(due(CatchUp::kAll, sharp).due_us.size(), 6u);
}

// A server that was off for a year: what was missed is counted, not walked through.
TEST(ScheduleTest, AYearOfMinutesIsCountedAtOnce) {
  const std::int64_t last = *ParseTime("2025-03-01T00:00:00Z"),
                     now = *ParseTime("2026-03-01T00:00:30Z");
  for (const std::string_view text : {"* * * * *", "every 1m"}) {
    for (const std::string_view zone : {"UTC", "Europe/Berlin"}) {
      const auto cadence = Cadence::Parse(text).value();
      const DueTimes due = DueBetween(cadence, Zone(zone), 0, last, now, CatchUp::kNone);
      EXPECT_EQ(due.due_us.size(), 1u) << text;
      EXPECT_EQ(due.missed, 365 * 1440 - 1) << text;
      EXPECT_EQ(FormatTime(due.next_us), "2026-03-01T00:01:00Z");
      const DueTimes all = DueBetween(cadence, Zone(zone), 0, last, now, CatchUp::kAll);
      EXPECT_EQ(all.due_us.size(), 1001u);
      EXPECT_TRUE(std::ranges::is_sorted(all.due_us));
      EXPECT_EQ(FormatTime(all.due_us.front()), "2026-02-28T07:20:00Z");
      EXPECT_EQ(all.missed, 365 * 1440 - 1001);
    }
  }
}

// The same as one step after the other, also where clocks are changed.
TEST(ScheduleTest, CountedIsWhatAWalkFinds) {
  const std::int64_t from = *ParseTime("2026-03-10T05:17:00Z"),
                     to = *ParseTime("2026-11-20T11:03:20Z");
  for (const std::string_view zone_name :
       {"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Kiritimati"}) {
    const TimeZone zone = Zone(zone_name);
    for (const std::string_view text : {"30 2 * * *", "30 * * * *", "*/15 0-3 * * SUN", "0 0 1 * *",
                                        "15 2 25 10 MON", "every 7h"}) {
      const auto cadence = Cadence::Parse(text).value();
      std::vector<std::int64_t> walked;
      for (std::int64_t at = cadence.NextAfter(from, 0, zone); at <= to;
           at = cadence.NextAfter(at, 0, zone))
        walked.push_back(at);
      EXPECT_EQ(cadence.TimesBetween(from, to, 0, zone), walked) << text << " " << zone_name;
      EXPECT_EQ(cadence.CountBetween(from, to, 0, zone), std::ssize(walked))
          << text << " " << zone_name;
    }
  }
}

TEST(ScheduleTest, RulesAreReadAsTheyAreWritten) {
  for (const auto rule : {CatchUp::kNone, CatchUp::kLast, CatchUp::kAll})
    EXPECT_EQ(*ParseCatchUp(CatchUpName(rule)), rule);
  for (const auto rule : {Overlap::kSkip, Overlap::kQueue, Overlap::kCancel})
    EXPECT_EQ(*ParseOverlap(OverlapName(rule)), rule);
  EXPECT_EQ(ParseCatchUp("some").error().gy(), "GY4743");
}

}  // namespace
}  // namespace gyre::pipelines
