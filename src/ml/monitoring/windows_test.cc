#include "ml/monitoring/windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "base/time.h"
#include "ml/inference_log/recorder.h"

namespace gyre::monitoring {
namespace {

using inference_log::kClockSkewMax;

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

WindowSpec Hourly(std::int64_t rows_min, Few few) {
  return {.period_us = kHour, .lateness_us = 0, .rows_min = rows_min, .few = few};
}

TEST(Windows, ByCountEndWithTheRowThatFillsThem) {
  const RowsAt rows[] = {{5, 60}, {7, 30}, {9, 20}, {20, 40}, {21, 100}, {30, 1}};
  const auto windows = AssignWindows({.rows = 100}, 6, rows, 0);
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[0], (Window{7, 22, 190, true}));
  EXPECT_EQ(windows[1], (Window{30, 31, 1, false}));
}

TEST(Windows, APeriodIsCountedFromTheEpochAndAMomentIsItself) {
  EXPECT_EQ(PlaceOf({.rows = 10}, 50), 50);
  EXPECT_EQ(PlaceOf(Hourly(0, Few::kKeep), kHour + 7), kHour);
  EXPECT_EQ(PlaceOf(Hourly(0, Few::kKeep), -7), -kHour);
}

TEST(Windows, ThatHaveEndedWaitForLateRows) {
  WindowSpec spec = Hourly(0, Few::kKeep);
  spec.lateness_us = kHour / 2;
  const RowsAt periods[] = {{0, 10}, {kHour, 5}};
  EXPECT_FALSE(AssignWindows(spec, 0, periods, kHour)[0].closed);
  EXPECT_TRUE(AssignWindows(spec, 0, periods, kHour + kHour / 2)[0].closed);
  EXPECT_FALSE(AssignWindows(spec, 0, periods, kHour + kHour / 2)[1].closed);
}

TEST(Windows, OfTooFewRowsAreKeptAppendedOrSkipped) {
  const RowsAt periods[] = {{0, 10}, {kHour, 100}, {5 * kHour, 30}};
  const std::int64_t late = 10 * kHour;
  const auto kept = AssignWindows(Hourly(50, Few::kKeep), 0, periods, late);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_TRUE(kept[0].closed);
  const auto appended = AssignWindows(Hourly(50, Few::kAppend), 0, periods, late);
  ASSERT_EQ(appended.size(), 2U);
  EXPECT_EQ(appended[0], (Window{0, 2 * kHour, 110, true}));
  EXPECT_EQ(appended[1], (Window{5 * kHour, 6 * kHour, 30, false}));
  const auto skipped = AssignWindows(Hourly(50, Few::kSkip), 0, periods, late);
  ASSERT_EQ(skipped.size(), 1U);
  EXPECT_EQ(skipped[0].begin, kHour);
}

// Whatever the rows, the watermark and the way: windows lie in order, apart, hold each row at most
// once, and those that were closed stay as they are when more rows come after them.
TEST(Windows, AreDisjointAndStayWhatTheyWereWhenTheyClosed) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    Random random(seed);
    WindowSpec spec =
        Hourly(static_cast<std::int64_t>(random.Below(60)), static_cast<Few>(random.Below(3)));
    spec.lateness_us = static_cast<std::int64_t>(random.Below(3)) * kHour;
    std::map<std::int64_t, std::int64_t> rows;
    std::int64_t newest = 0;
    std::vector<Window> judged;
    for (int step = 0; step < 6; ++step) {
      const std::uint64_t more = 1 + random.Below(5);
      for (std::uint64_t i = 0; i < more; ++i) {
        newest += static_cast<std::int64_t>(random.Below(4)) * kHour;
        rows[newest] += static_cast<std::int64_t>(1 + random.Below(40));
      }
      std::vector<RowsAt> periods;
      for (const auto& [begin, count] : rows) periods.push_back({begin, count});
      const std::int64_t from = judged.empty() ? 0 : judged.back().end;
      const auto windows = AssignWindows(spec, from, periods, newest);
      for (std::size_t i = 0; i < windows.size(); ++i) {
        ASSERT_LT(windows[i].begin, windows[i].end);
        ASSERT_GE(windows[i].begin, i == 0 ? from : windows[i - 1].end);
        if (windows[i].closed) {
          ASSERT_EQ(judged.empty() || windows[i].begin >= judged.back().end, true);
          judged.push_back(windows[i]);
          if (spec.few != Few::kKeep) {
            ASSERT_GE(windows[i].rows, spec.rows_min);
          }
        }
      }
    }
  }
}

TEST(Watermark, FollowsEventsButNeverAheadOfTheirArrival) {
  const WindowSpec spec = Hourly(0, Few::kKeep);
  EXPECT_EQ(Watermark(spec, 10 * kHour, 10 * kHour, 10 * kHour), 10 * kHour);
  // A row of the year 2040.
  EXPECT_EQ(Watermark(spec, 500'000 * kHour, 10 * kHour, 10 * kHour), 10 * kHour);
  // A replay of last year: its own time counts.
  EXPECT_EQ(Watermark(spec, 3 * kHour, 10 * kHour, 10 * kHour), 3 * kHour);
}

TEST(Watermark, AClockThatWasSetBackClosesNothingAhead) {
  const WindowSpec spec{.period_us = kHour};
  const std::int64_t now = 500'000 * kHour, year = 8'760 * kHour;
  EXPECT_EQ(Watermark(spec, now + year, now + year, now), now + kClockSkewMax);
  EXPECT_EQ(GoOnFrom(spec, now - kHour, now), now - kHour);
  EXPECT_EQ(GoOnFrom(spec, now + kClockSkewMax + 1, now), now + kClockSkewMax + 1);
  EXPECT_EQ(GoOnFrom(spec, now + 24 * kHour, now + kHour / 2), now);
  EXPECT_EQ(GoOnFrom({.rows = 10}, now + year, now + 1), now + 1);
}

TEST(Watermark, ClosesTheLastWindowWhenTrafficHasEnded) {
  const WindowSpec spec = Hourly(0, Few::kKeep);
  const std::int64_t newest = 10 * kHour + kHour / 4;
  EXPECT_EQ(Watermark(spec, newest, newest, newest + kHour), newest);
  EXPECT_EQ(Watermark(spec, newest, newest, newest + kHour + 1), 11 * kHour);
  // A clock that jumped by a year closes the same window and no other.
  EXPECT_EQ(Watermark(spec, newest, newest, newest + 8'760 * kHour), 11 * kHour);
}

TEST(WindowState, IsFinalWhenAllLabelsAreThereOrTheWaitIsOver) {
  EXPECT_EQ(StateOf({.rows = 10, .labelled = 0, .since_end_us = -1, .wait_us = 5}),
            WindowState::kOpen);
  EXPECT_EQ(StateOf({.rows = 10, .labelled = 9, .since_end_us = 4, .wait_us = 5}),
            WindowState::kProvisional);
  EXPECT_EQ(StateOf({.rows = 10, .labelled = 10, .since_end_us = 0, .wait_us = 5}),
            WindowState::kFinal);
  EXPECT_EQ(StateOf({.rows = 10, .labelled = 1, .since_end_us = 5, .wait_us = 5}),
            WindowState::kFinal);
}

TEST(WindowSpec, ReadsWhatItWrites) {
  for (const char* text :
       {R"({"rows":500})", R"({"every":3600,"lateness":60,"rows_min":100,"few":"skip"})"}) {
    const auto spec = WindowSpecFromJson(*Json::Parse(text));
    ASSERT_TRUE(spec) << spec.error().ToString();
    EXPECT_EQ(WindowSpecToJson(*spec).Dump(), text);
  }
  for (const char* text : {"{}", R"({"rows":5})", R"({"rows":500,"every":1})", R"({"every":0})",
                           R"({"every":60,"few":"drop"})", R"({"row":1})", "3"}) {
    const auto spec = WindowSpecFromJson(*Json::Parse(text));
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().gy(), "GY4502");
  }
  EXPECT_EQ(WindowText({.rows = 1500}), "1,500 rows");
  EXPECT_EQ(WindowText(Hourly(500, Few::kAppend)), "1h, at least 500 rows");
}

}  // namespace
}  // namespace gyre::monitoring
