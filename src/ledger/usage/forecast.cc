#include "ledger/usage/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ledger/usage/budgets.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kMicrosPerDay = 24 * kMicrosPerHour;
constexpr int kDaysMax = 28, kDaysForWeekdays = 7;

std::size_t WeekdayOf(std::int64_t day_us) {
  return static_cast<std::size_t>((day_us / kMicrosPerDay + 3) % 7);
}

// What the last complete days say.
struct Seen {
  int days = 0;
  std::array<double, 7> mean{};
  double deviation = 0;
};

struct Sums {
  double sum = 0;
  int days = 0;
};

double CostOf(const std::map<std::int64_t, std::int64_t>& days, std::int64_t day_us) {
  const auto found = days.find(day_us);
  return found == days.end() ? 0 : static_cast<double>(found->second);
}

Seen Look(const std::map<std::int64_t, std::int64_t>& days, std::int64_t today_us) {
  Seen seen;
  if (days.empty()) return seen;
  const std::int64_t first_us = std::max(days.begin()->first, today_us - kDaysMax * kMicrosPerDay);
  std::array<Sums, 7> by_weekday{};
  Sums all;
  for (std::int64_t day_us = first_us; day_us < today_us; day_us += kMicrosPerDay) {
    const double cost = CostOf(days, day_us);
    for (Sums* sums : {&by_weekday[WeekdayOf(day_us)], &all}) {
      sums->sum += cost;
      sums->days += 1;
    }
  }
  seen.days = all.days;
  if (all.days == 0) return seen;
  const bool weekdays = all.days >= kDaysForWeekdays;
  for (std::size_t i = 0; i < by_weekday.size(); ++i) {
    const Sums& sums = weekdays && by_weekday[i].days > 0 ? by_weekday[i] : all;
    seen.mean[i] = sums.sum / sums.days;
  }
  double squares = 0;
  for (std::int64_t day_us = first_us; day_us < today_us; day_us += kMicrosPerDay)
    squares += std::pow(CostOf(days, day_us) - seen.mean[WeekdayOf(day_us)], 2);
  const int means = weekdays ? std::min(all.days, 7) : 1;
  // A week alone lies on its own means: then the days differ as they do around the mean of all.
  if (weekdays && all.days < 2 * kDaysForWeekdays) {
    squares = 0;
    for (std::int64_t day_us = first_us; day_us < today_us; day_us += kMicrosPerDay)
      squares += std::pow(CostOf(days, day_us) - all.sum / all.days, 2);
    seen.deviation = std::sqrt(squares / std::max(1, all.days - 1));
    return seen;
  }
  seen.deviation = std::sqrt(squares / std::max(1, all.days - means));
  return seen;
}

std::string HowOf(int days) {
  if (days == 0) return "what today cost so far: there is no complete day yet";
  if (days < kDaysForWeekdays)
    return fmt::format("the mean of {} complete day{}", days, days == 1 ? "" : "s");
  return fmt::format("the means of the weekdays in the last {} days", days);
}

}  // namespace

Forecast ForecastMonth(const std::map<std::int64_t, std::int64_t>& days, std::int64_t now_us) {
  const Period month = PeriodAt("month", now_us);
  const std::int64_t today_us = PeriodAt("day", now_us).from_us;
  Forecast forecast{.month_us = month.from_us};
  for (const auto& [day_us, nanos] : days) {
    if (day_us >= month.from_us && day_us <= today_us) forecast.so_far_nanos += nanos;
  }
  const Seen seen = Look(days, today_us);
  forecast.days_seen = seen.days;
  forecast.how = HowOf(seen.days);
  double left = std::max(0.0, seen.mean[WeekdayOf(today_us)] - CostOf(days, today_us));
  int count = 1;
  for (std::int64_t day_us = today_us + kMicrosPerDay; day_us < month.to_us;
       day_us += kMicrosPerDay, ++count) {
    left += seen.days > 0 ? seen.mean[WeekdayOf(day_us)] : CostOf(days, today_us);
  }
  // Each day left differs from its mean, and the mean itself is of so many days only.
  const double n = count;
  const double spread =
      seen.days < 2 ? left : 1.96 * seen.deviation * std::sqrt(n + n * n / seen.days);
  forecast.expected_nanos = forecast.so_far_nanos + std::llround(left);
  forecast.low_nanos = forecast.so_far_nanos + std::llround(std::max(0.0, left - spread));
  forecast.high_nanos = forecast.so_far_nanos + std::llround(left + spread);
  return forecast;
}

}  // namespace gyre::usage
