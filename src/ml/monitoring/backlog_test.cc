#include "ml/monitoring/backlog.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

std::vector<JudgedWindow> Windows(int count, std::int64_t rows) {
  std::vector<JudgedWindow> windows;
  for (int i = 0; i < count; ++i)
    windows.push_back({.number = i + 1, .begin_us = i, .end_us = i + 1, .rows = rows});
  return windows;
}

// A worker that has time for so many rows; `slow`: takes its whole time by itself.
struct Worker {
  std::int64_t rows_max;
  std::int64_t slow = -1;
  int fresh = 0;  // windows that are new
  std::int64_t fresh_rows = 0;
  std::vector<std::string> judged = {};  // "again 3", "fresh 1"
  int failed = 0, batches = 0;
  std::int64_t largest = 0;

  void Work(Backlog* backlog) {
    int done = 0;
    while (const auto batch = backlog->Next()) {
      ASSERT_LT(++batches, 1000);
      std::int64_t rows = 0;
      for (const JudgedWindow& window : batch->again) rows += window.rows;
      const std::int64_t kept = rows;
      int now = 0;
      while (batch->fresh && done + now < fresh &&
             std::ssize(batch->again) + now < batch->size.windows &&
             (rows == 0 || rows + fresh_rows <= batch->size.rows)) {
        rows += fresh_rows;
        ++now;
      }
      EXPECT_LE(kept, BatchSize::kRowsMax);
      const bool too_slow = std::ranges::any_of(
          batch->again, [&](const JudgedWindow& window) { return window.number == slow; });
      if (rows > rows_max || too_slow) {
        ++failed;
        backlog->Failed(*batch, MakeError(Code::kDeadlineExceeded, "GY3306", "too late"),
                        60 * kSecond);
        continue;
      }
      largest = std::max(largest, rows);
      for (const JudgedWindow& window : batch->again)
        judged.push_back(fmt::format("again {}", window.number));
      for (int i = 0; i < now; ++i) judged.push_back(fmt::format("fresh {}", ++done));
      backlog->Done(*batch, done < fresh, 60 * kSecond * rows / rows_max);
    }
  }
};

TEST(Backlog, WhatFitsIsJudgedInTheOrderOfTime) {
  BatchSize size;
  Backlog backlog(Windows(3, 400), &size);
  Worker worker{.rows_max = 10'000, .fresh = 2, .fresh_rows = 400};
  worker.Work(&backlog);
  EXPECT_EQ(worker.judged,
            (std::vector<std::string>{"again 1", "again 2", "again 3", "fresh 1", "fresh 2"}));
  EXPECT_EQ(worker.batches, 1);
  EXPECT_FALSE(backlog.failure());
}

TEST(Backlog, OfMoreThanABatchWhatIsNewGoesFirst) {
  BatchSize size;
  Backlog backlog(Windows(64, 20'000), &size);
  Worker worker{.rows_max = BatchSize::kRowsMax, .fresh = 10, .fresh_rows = 20'000};
  worker.Work(&backlog);
  ASSERT_EQ(worker.judged.size(), 74U);
  EXPECT_EQ(worker.judged[0], "fresh 1");
  EXPECT_EQ(worker.judged[10], "again 1");
  EXPECT_EQ(worker.judged[73], "again 64");
  EXPECT_EQ(worker.failed, 0);
  EXPECT_LE(worker.largest, BatchSize::kRowsMax);
}

TEST(Backlog, WhatEndsTooLateIsHalvedUntilItDoesNot) {
  BatchSize size;
  Backlog backlog(Windows(66, 20'000), &size);
  Worker worker{.rows_max = 100'000, .fresh = 10, .fresh_rows = 20'000};
  worker.Work(&backlog);
  EXPECT_EQ(worker.judged.size(), 76U);
  EXPECT_EQ(worker.judged[0], "fresh 1");
  EXPECT_LE(worker.failed, 4);
  EXPECT_FALSE(backlog.failure());
  // The next look knows.
  Backlog next(Windows(66, 20'000), &size);
  Worker again{.rows_max = 100'000, .fresh = 1, .fresh_rows = 20'000};
  again.Work(&next);
  EXPECT_EQ(again.failed, 0);
  EXPECT_EQ(again.judged.size(), 67U);
}

TEST(Backlog, WhatIsMuchFasterThanItWasGrowsAgain) {
  BatchSize size;
  Backlog slow(Windows(66, 20'000), &size);
  Worker loaded{.rows_max = 30'000};
  loaded.Work(&slow);
  EXPECT_EQ(size.windows, 1);
  Backlog fast(Windows(66, 10), &size);
  Worker quiet{.rows_max = 1'000'000};
  quiet.Work(&fast);
  EXPECT_TRUE(size.whole());
  EXPECT_EQ(quiet.failed, 0);
}

TEST(Backlog, AWindowThatIsTooLargeByItselfHoldsUpNoOther) {
  BatchSize size;
  Backlog backlog(Windows(40, 1'000), &size);
  Worker worker{.rows_max = 100'000, .slow = 7, .fresh = 2, .fresh_rows = 1'000};
  worker.Work(&backlog);
  EXPECT_EQ(worker.judged.size(), 41U);
  EXPECT_EQ(std::ranges::count(worker.judged, "again 7"), 0);
  ASSERT_TRUE(backlog.failure());
  EXPECT_EQ(backlog.failure()->gy(), "GY3306");
  EXPECT_NE(backlog.failure()->message().find("is too large to be judged again: too late"),
            std::string::npos);
  // One that is new stops what is new, and nothing else.
  Backlog after(Windows(40, 1'000), &size);
  Worker large{.rows_max = 100'000, .fresh = 2, .fresh_rows = 200'000};
  large.Work(&after);
  EXPECT_EQ(large.judged.size(), 40U);
  EXPECT_TRUE(after.failure());
}

TEST(Backlog, AnotherErrorEndsTheLook) {
  BatchSize size;
  Backlog backlog(Windows(3, 10), &size);
  const auto batch = backlog.Next();
  ASSERT_TRUE(batch);
  backlog.Failed(*batch, MakeError(Code::kUnavailable, "GY3304", "busy"), kSecond);
  EXPECT_FALSE(backlog.Next());
  EXPECT_EQ(backlog.failure()->gy(), "GY3304");
  EXPECT_TRUE(size.whole());
}

}  // namespace
}  // namespace gyre::monitoring
