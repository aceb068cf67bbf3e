#include "ml/statistics/sequential.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gyre::statistics {
namespace {

// By hand: two of two at a share of 0.05: (1 - 0.05^3) / 3 / 0.95 / 0.05^2.
TEST(LogEvidenceOfMore, MatchesTheIntegralByHand) {
  EXPECT_NEAR(LogEvidenceOfMore(2, 0, 0.05), std::log((1 - 0.05 * 0.05 * 0.05) / 3 / 0.95 / 0.0025),
              1e-12);
  EXPECT_NEAR(LogEvidenceOfMore(0, 0, 0.3), 0, 1e-12);
  // One on the other side: integral of (1 - q) above 0.5 is 1/8.
  EXPECT_NEAR(LogEvidenceOfMore(0, 1, 0.5), std::log(0.125 / 0.5 / 0.5), 1e-12);
}

TEST(LogEvidenceOfMore, TakesNonsenseForNothing) {
  EXPECT_EQ(LogEvidenceOfMore(2, -5, 0.1), LogEvidenceOfMore(2, 0, 0.1));
  EXPECT_EQ(LogEvidenceOfMore(-1, -1, 0.1), LogEvidenceOfMore(0, 0, 0.1));
}

TEST(LogEvidenceOfMore, StandsLargeCounts) {
  EXPECT_GT(LogEvidenceOfMore(60'000, 95'000, 0.05), 10'000);
  EXPECT_LT(LogEvidenceOfMore(5'000, 95'000, 0.05), 0);
}

}  // namespace
}  // namespace gyre::statistics
