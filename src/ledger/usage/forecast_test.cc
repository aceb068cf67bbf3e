#include "ledger/usage/forecast.h"

#include <gtest/gtest.h>

#include "ledger/usage/usage.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kDay = 24 * kMicrosPerHour;
constexpr std::int64_t kMonth = 20'393 * kDay;  // 1 November 2025, a Saturday

TEST(Forecast, KnowsNothingWithoutDays) {
  const Forecast forecast = ForecastMonth({}, kMonth + 10 * kDay);
  EXPECT_EQ(forecast.month_us, kMonth);
  EXPECT_EQ(forecast.expected_nanos, 0);
  EXPECT_EQ(forecast.days_seen, 0);
}

TEST(Forecast, OneCostEachDayIsExact) {
  std::map<std::int64_t, std::int64_t> days;
  for (int day = -28; day <= 9; ++day) days[kMonth + day * kDay] = 1000;
  const Forecast forecast = ForecastMonth(days, kMonth + 9 * kDay + 5);
  EXPECT_EQ(forecast.so_far_nanos, 10'000);
  EXPECT_EQ(forecast.expected_nanos, 30'000);
  EXPECT_EQ(forecast.low_nanos, 30'000);
  EXPECT_EQ(forecast.high_nanos, 30'000);
  EXPECT_EQ(forecast.days_seen, 28);
}

TEST(Forecast, WeekendsAreTheirOwn) {
  std::map<std::int64_t, std::int64_t> days;
  std::int64_t whole = 0;
  for (int day = -28; day < 30; ++day) {
    const std::int64_t weekday = (20'393 + day + 3) % 7;
    const std::int64_t cost = weekday >= 5 ? 0 : 700;
    if (day < 12 && cost > 0) days[kMonth + day * kDay] = cost;
    if (day >= 0) whole += cost;
  }
  EXPECT_EQ(ForecastMonth(days, kMonth + 12 * kDay).expected_nanos, whole);
}

TEST(Forecast, TheIntervalHoldsTheTruth) {
  std::map<std::int64_t, std::int64_t> days;
  for (int day = -28; day < 15; ++day) days[kMonth + day * kDay] = 1000 + (day % 3) * 100;
  const Forecast forecast = ForecastMonth(days, kMonth + 15 * kDay);
  EXPECT_LT(forecast.low_nanos, forecast.expected_nanos);
  EXPECT_GT(forecast.high_nanos, forecast.expected_nanos);
  EXPECT_GE(forecast.low_nanos, forecast.so_far_nanos);
}

}  // namespace
}  // namespace gyre::usage
