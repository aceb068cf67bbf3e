#include "ml/runners/estimate.h"

#include <gtest/gtest.h>

namespace gyre::runners {
namespace {

TEST(Estimate, IsTheBoundUntilSomethingWasMeasured) {
  const Estimate none = EstimateFrom({}, 100, {});
  EXPECT_FALSE(none.known);
  const Estimate bounded = EstimateFrom({}, 100, {.cpu_seconds = 60, .memory_bytes = 7});
  EXPECT_TRUE(bounded.known);
  EXPECT_EQ(bounded.measured, 0);
  EXPECT_EQ(bounded.cpu_seconds, 60);
  EXPECT_EQ(bounded.memory_bytes, 7);
}

TEST(Estimate, IsTheMedianScaledBySizeAndNeverAboveTheBound) {
  const std::vector<Measured> before = {
      {.size = 100, .cpu_seconds = 1, .wall_seconds = 1, .memory_bytes_peak = 5},
      {.size = 200, .cpu_seconds = 4, .wall_seconds = 2, .memory_bytes_peak = 9},
      {.size = 0, .cpu_seconds = 3, .wall_seconds = 3, .memory_bytes_peak = 1}};
  const Estimate estimate = EstimateFrom(before, 200, {});  // 2, 4, 3
  EXPECT_EQ(estimate.cpu_seconds, 3);
  EXPECT_EQ(estimate.cpu_seconds_low, 2);
  EXPECT_EQ(estimate.cpu_seconds_high, 4);
  EXPECT_EQ(estimate.memory_bytes, 9);
  EXPECT_EQ(estimate.measured, 3);
  EXPECT_EQ(EstimateFrom(before, 2000, {.cpu_seconds = 10}).cpu_seconds, 10);
  EXPECT_EQ(EstimateFrom({before[0], before[1]}, 100, {}).cpu_seconds, 1.5);
}

}  // namespace
}  // namespace gyre::runners
