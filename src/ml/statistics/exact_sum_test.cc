#include "ml/statistics/exact_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"

namespace gyre::statistics {
namespace {

double Sum(const std::vector<double>& values) {
  ExactSum sum;
  for (double v : values) sum.Add(v);
  return sum.Value();
}
std::uint64_t Bits(double v) { return std::bit_cast<std::uint64_t>(v); }

TEST(ExactSum, RoundsTheTrueSumOnce) {
  EXPECT_EQ(Sum({}), 0.0);
  EXPECT_EQ(Sum({1e308, 1.0, -1e308}), 1.0);
  EXPECT_EQ(Sum({0.1, 0.2, 0.3}), 0.6);  // 0.1 + 0.2 + 0.3 in doubles is 0.6000000000000001
  const double ulp = std::ldexp(1.0, -52);
  EXPECT_EQ(Sum({1.0, ulp / 2}), 1.0);                                // a tie goes to even
  EXPECT_EQ(Sum({1.0 + ulp, ulp / 2}), 1.0 + 2 * ulp);                // a tie goes to even, upwards
  EXPECT_EQ(Sum({1.0, ulp / 2, std::ldexp(1.0, -1074)}), 1.0 + ulp);  // one denormal breaks the tie
  EXPECT_EQ(Sum({-1.0, -ulp / 2, -std::ldexp(1.0, -1074)}), -1.0 - ulp);
}

TEST(ExactSum, ReturnsASingleValueUnchanged) {
  Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const double v = std::bit_cast<double>(random.Next());
    if (!std::isfinite(v)) continue;
    ASSERT_EQ(Bits(Sum({v})), v == 0 ? 0 : Bits(v));
  }
  const double denormal = std::ldexp(1.0, -1074), largest = std::numeric_limits<double>::max();
  EXPECT_EQ(Sum({denormal}), denormal);
  EXPECT_EQ(Sum({largest}), largest);
  EXPECT_EQ(Sum({largest, largest, -largest}), largest);  // no overflow on the way
  EXPECT_EQ(Sum({largest, largest}), std::numeric_limits<double>::infinity());
}

// Two doubles: the hardware's sum is the correctly rounded one.
TEST(ExactSum, AgreesWithTheHardwareOnPairs) {
  Random random(2);
  for (int i = 0; i < 200'000; ++i) {
    const double a = std::ldexp(random.Uniform() - 0.5, static_cast<int>(random.Below(60)) - 30);
    const double b = std::ldexp(random.Uniform() - 0.5, static_cast<int>(random.Below(60)) - 30);
    ASSERT_EQ(Bits(Sum({a, b})), Bits(a + b == 0 ? 0.0 : a + b));
  }
}

TEST(ExactSum, DoesNotDependOnOrderOrPartition) {
  Random random(3);
  std::vector<double> values(20'000);
  for (double& v : values)
    v = std::ldexp(random.Normal(), static_cast<int>(random.Below(400)) - 200);
  const double expected = Sum(values);
  for (int repeat = 0; repeat < 5; ++repeat) {
    random.Shuffle(values);
    EXPECT_EQ(Bits(Sum(values)), Bits(expected));
    ExactSum parts[3], merged;
    for (double v : values) parts[random.Below(3)].Add(v);
    for (const ExactSum& part : parts) merged.Merge(part);
    EXPECT_EQ(Bits(merged.Value()), Bits(expected));
  }
}

TEST(ExactSum, TreatsInfinitiesAndNanAsIeee) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Sum({1, infinity}), infinity);
  EXPECT_EQ(Sum({-infinity, 5}), -infinity);
  EXPECT_TRUE(std::isnan(Sum({infinity, -infinity})));
  EXPECT_TRUE(std::isnan(Sum({1, std::numeric_limits<double>::quiet_NaN()})));
  ExactSum sum;
  sum.Add(infinity);
  sum.Clear();
  sum.Add(2);
  EXPECT_EQ(sum.Value(), 2);
}

}  // namespace
}  // namespace gyre::statistics
