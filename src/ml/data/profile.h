// What a table looks like, column by column, in one pass and constant memory. Rows are added chunk
// by chunk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "ml/data/leakage.h"
#include "platform/table/frame.h"

namespace gyre::data {

struct ValueCount {
  std::string value;
  std::int64_t count = 0;
};

struct ColumnProfile {
  std::string name;
  table::Type type = table::Type::kText;
  std::int64_t rows = 0, missing = 0;
  std::int64_t distinct = 0;
  std::string distinct_method;  // "distinct.exact", or "hll.14" beyond 65,536 values
  // Numbers, dates (days) and timestamps (microseconds); NaN when there is no value. Infinite
  // values and NaN are counted, not used.
  double min = 0, max = 0, mean = 0, deviation = 0;
  // Of all types but kDouble: a double would round 64-bit ids.
  std::int64_t whole_min = 0, whole_max = 0;
  std::int64_t zeros = 0, negative = 0, not_finite = 0;
  std::vector<double> quantiles;           // at kQuantiles
  std::vector<double> edges;               // of the histogram: counts.size() + 1
  std::vector<std::int64_t> counts;        // scaled to all rows when sampled
  std::vector<ValueCount> top;             // most frequent values, at most 10
  double mean_length = 0, mean_words = 0;  // text
  std::int64_t length_min = 0, length_max = 0;
  std::int64_t empty = 0;  // texts that are there and have no characters
  bool increasing = true;  // each value above the one before
};
inline constexpr double kQuantiles[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

struct Profile {
  std::int64_t rows = 0;
  std::int64_t sampled_rows = 0;  // quantiles, histogram and (beyond the exact bound) top values
                                  // are of this many evenly spaced rows
  std::vector<ColumnProfile> columns;
};
// {"rows", "columns": [...], "methods": {...}}
Json ProfileToJson(const Profile& profile);
// {severity, kind, column, message}, high ones first: leaks as given, much missing, constant,
// skewed, high cardinality, mixed case.
Json ProfileWarnings(const Profile& profile, const std::vector<LeakWarning>& leaks);

class Profiler {
 public:
  explicit Profiler(const table::Schema& schema);
  ~Profiler();
  Profiler(Profiler&&) noexcept;
  Profiler& operator=(Profiler&&) noexcept;
  void Add(const table::Frame& chunk);
  Profile Finish() const;
  // The evenly spaced rows that were kept (at most 65,536, at least half of that when there are
  // more): for leak warnings.
  table::Frame Sample() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Profile ProfileFrame(const table::Frame& frame);

}  // namespace gyre::data
