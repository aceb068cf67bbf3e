#include "ml/statistics/log_counts.h"

#include <gtest/gtest.h>

namespace gyre::statistics {
namespace {

TEST(LogCounts, QuantilesAreRightToATenth) {
  LogCounts counts;
  EXPECT_EQ(counts.Quantile(0.5), 0);
  for (int i = 1; i <= 1000; ++i) counts.Add(LogCounts::PlaceOf(i), 1);
  EXPECT_NEAR(counts.Quantile(0.5), 500, 50);
  EXPECT_NEAR(counts.Quantile(0.99), 990, 99);
  LogCounts zeros;
  zeros.Add(LogCounts::PlaceOf(0), 10);
  EXPECT_EQ(zeros.Quantile(0.99), 0);
}

TEST(LogCounts, CountsWhatLiesAbove) {
  LogCounts counts;
  EXPECT_EQ(counts.Above(1), 0);
  counts.Add(LogCounts::PlaceOf(100), 7);
  counts.Add(LogCounts::PlaceOf(1000), 3);
  EXPECT_EQ(counts.Above(10), 10);
  EXPECT_EQ(counts.Above(100), 3) << "not what is alike";
  EXPECT_EQ(counts.Above(1000), 0);
}

TEST(LogCounts, TwoReadingsGiveWhatWasBetweenThem) {
  LogCounts before;
  before.Add(LogCounts::PlaceOf(10'000), 500);  // slow at first
  LogCounts now = before;
  now.Add(LogCounts::PlaceOf(100), 400);
  EXPECT_NEAR(now.Quantile(0.99), 10'000, 1000);
  EXPECT_NEAR(now.Since(before).Quantile(0.99), 100, 10);
  EXPECT_NEAR(now.Since(LogCounts()).Quantile(0.99), 10'000, 1000);
  EXPECT_EQ(LogCounts().Since(now).Quantile(0.99), 0);
  EXPECT_NEAR(now.Since(LogCounts::FromJson(before.ToJson())).Quantile(0.99), 100, 10);
}

}  // namespace
}  // namespace gyre::statistics
