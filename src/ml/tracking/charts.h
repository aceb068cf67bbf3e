// Series of metrics as charts show them: few points that hold the exact extremes of many. Reads far
// less than all points: segments keep what their stretches leave on a chart. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/tracking/series.h"
#include "platform/db/database.h"

namespace gyre::tracking {

inline constexpr int kChartPointsMin = 10, kChartPointsMax = 20'000;
inline constexpr std::size_t kChartSeriesMax = 1'000;

// What a chart goes along: steps, times, or times since the run began.
enum class Axis : unsigned char { kStep, kTime, kElapsed };

struct ChartQuery {
  std::string project;
  std::vector<std::string> run_ids;
  std::vector<std::string> keys;
  int points = 1'000;  // at most so many of each series
  Axis axis = Axis::kStep;
  // Both ends are part of it; microseconds along times.
  std::optional<std::int64_t> from = {}, to = {};
};

struct Chart {
  std::string run_id, key;
  std::int64_t started_us = 0;  // of the run
  std::int64_t points = 0;      // that lie in the range
  // All of them when they are few enough. Else the first and the last, and of each of equally long
  // stretches the least and the greatest number and the first NaN, infinity and -infinity that is
  // among its points.
  Series shown;
};

class Charts {
 public:
  explicit Charts(db::Database& database) : database_(database) {}
  // In the order of the query, run by run; a run without the key has none. Errors: kNotFound GY3401
  // a run that is not of the project, kInvalidArgument GY3436 a query beyond the limits.
  Result<std::vector<Chart>> Read(const ChartQuery& query) const;

 private:
  db::Database& database_;
};

}  // namespace gyre::tracking
