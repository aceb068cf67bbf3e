// Where a month will end, from the days so far.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace gyre::usage {

struct Forecast {
  std::int64_t month_us = 0;  // its first day
  std::int64_t so_far_nanos = 0, expected_nanos = 0;
  std::int64_t low_nanos = 0, high_nanos = 0;  // of about 95 in 100 months
  int days_seen = 0;                           // complete ones that the mean is of
  std::string how = {};                        // in words
};

// `days`: what each day (its start, UTC) cost; days without cost may be left out. Each day that is
// left costs the mean of its weekday in the last 28 complete days (of all days, before there are
// seven); the interval is that of the days around their weekday's mean. Today counts as far as it
// has come, or its expectation where that is more.
Forecast ForecastMonth(const std::map<std::int64_t, std::int64_t>& days, std::int64_t now_us);

}  // namespace gyre::usage
