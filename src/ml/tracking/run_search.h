// Finding runs by a filter, in an order, page by page. The work grows with the answer, not with the
// table: a page is read along an index of what it is ordered by, or from the few runs that the most
// selective comparison leaves. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/filter.h"
#include "ml/tracking/tracking.h"
#include "platform/db/database.h"

namespace gyre::tracking {

inline constexpr int kRunSearchMax = 50'000;

struct RunSearch {
  std::string project;
  // Numbers; those of other projects hold nothing.
  std::vector<std::int64_t> experiments;
  // Of kRunFields. Times are in milliseconds, the status in capitals or not; `best` is the least or
  // the greatest value of a metric, as its name says: "val_loss".
  Filter filter = {};
  // Then started_us DESC, id ASC. Numbers come first, then NaN, then what has none, both ways.
  std::vector<OrderBy> order = {};
  View view = View::kActive;
  int limit = 1'000;  // 1 to kRunSearchMax
  std::string page_token = {};
};

struct FoundRuns {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> ids;
  std::string next_page_token;  // whenever the page is full
};

// Whether the least or the most of a metric's values is its best, by its name: "val_loss".
bool IsLowerBetter(std::string_view metric);

// When which way to the runs is taken; nobody but a test need change it.
struct RunSearchEffort {
  // A comparison that leaves so few runs is where to begin, whatever the order.
  std::int64_t few = 100;
  // Along the order so many runs are looked at, and so many more for each run of the page, ...
  std::int64_t walked = 2'000, walked_per_run = 4;
  // ... before a comparison that leaves so many is where to begin.
  std::int64_t many = 20'000;
};

class RunSearcher {
 public:
  // `settle` puts latest values of experiments where they are found (Tracking::SettleMetrics); it
  // is called before a search that asks for metrics.
  using Settle =
      std::function<Result<>(std::string_view project, std::span<const std::int64_t> experiments)>;
  explicit RunSearcher(db::Database& database, Settle settle = {},
                       const RunSearchEffort& effort = {})
      : database_(database), settle_(std::move(settle)), effort_(effort) {}
  // Errors: kInvalidArgument GY3432 a page token that is not of this search; GY3430 more than 40
  // names of params, tags and metrics.
  Result<FoundRuns> Find(const RunSearch& search);

 private:
  db::Database& database_;
  const Settle settle_;
  const RunSearchEffort effort_;
};

}  // namespace gyre::tracking
