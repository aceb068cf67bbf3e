// Points of one metric of one run, column by column.
#pragma once

#include <cstdint>
#include <vector>

namespace gyre::tracking {

struct Series {
  std::vector<std::int64_t> steps, times_us;
  std::vector<double> values;  // may be NaN or infinite

  std::size_t size() const { return values.size(); }
  void Add(std::int64_t step, std::int64_t time_us, double value) {
    steps.push_back(step);
    times_us.push_back(time_us);
    values.push_back(value);
  }
  void Append(const Series& other);
};

// By time, step, value (kByTime) or step, time, value (kByStep); NaN counts as 0, as in the order
// of latest values. The same point twice is one.
enum class SeriesOrder : unsigned char { kByTime, kByStep };
void Settle(SeriesOrder order, Series* series);

}  // namespace gyre::tracking
