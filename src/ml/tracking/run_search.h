// Finding runs by a filter, in an order, page by page. The work grows with the answer, not with the
// table: a page is read along an index of what it is ordered by, or from the few runs that the most
// selective comparison leaves. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/filter.h"
#include "ml/tracking/tracking.h"
#include "platform/db/database.h"

namespace gyre::tracking {

struct RunSearch {
  std::string project;
  std::vector<std::int64_t> experiments;  // numbers; none = none is found
  Filter filter = {};                     // of kRunFields
  // Then started_us DESC, id ASC. Numbers come first, then NaN, then what has none, both ways.
  std::vector<OrderBy> order = {};
  View view = View::kActive;
  int limit = 1'000;  // 1 to 50,000
  std::string page_token = {};
};

struct FoundRuns {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> ids;
  std::string next_page_token;  // whenever the page is full
};

class RunSearcher {
 public:
  explicit RunSearcher(db::Database& database) : database_(database) {}
  // Errors: kInvalidArgument GY3432 a page token that is not of this search.
  Result<FoundRuns> Find(const RunSearch& search);

 private:
  db::Database& database_;
};

}  // namespace gyre::tracking
