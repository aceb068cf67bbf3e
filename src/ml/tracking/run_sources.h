// Where runs that a search may find come from: along an index in an order, or by one comparison
// that few runs meet. Private.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/tracking/run_matcher.h"
#include "ml/tracking/run_order.h"
#include "ml/tracking/run_select.h"

namespace gyre::tracking {

// A part of a search's runs; `r` stands in `select` when it has been made.
struct RunSource {
  RunSelect select;
  // By so many terms of the order the rows come sorted: fields, then the start. 0 = by none.
  std::size_t sorted_terms = 0;
  bool repeats = false;  // a run may come twice
};

// What a walk needs to know of the search.
struct WalkPlan {
  std::int64_t experiment = 0;
  View view = View::kActive;
  StartRange start = {};
  const RunPlace* after = nullptr;  // of a page that is not the first
};

// All runs of an experiment, the latest or the first start first; `term`: which one of the order's
// terms that is, from 1; 0 = not in order.
enum class Along : unsigned char { kNothing, kStartUp, kStartDown };
RunSource WalkRuns(const WalkPlan& plan, Along along, std::size_t term);

// Runs by the value of a param, tag or metric that the order begins with.
struct ValueWalk {
  ValueTable table = ValueTable::kMetric;
  std::int64_t name = 0;
  bool ascending = true;
  NumberRange range = {};
};
RunSource WalkValues(const WalkPlan& plan, const ValueWalk& walk);
RunSource WalkNaNs(const WalkPlan& plan, const ValueWalk& walk);
// Those without the value; by the start where it decides.
RunSource WalkMissing(const WalkPlan& plan, const ValueWalk& walk, bool start_decides);

// Runs that meet one comparison, read from an index.
struct Candidates {
  // Into FROM and WHERE of table `c`, or of `r` itself.
  std::function<void(std::int64_t experiment, RunSelect*)> narrow;
  bool each_experiment = true;  // false: asked once for all of them
  bool of_runs = false;         // the table is `r`
  bool repeats = false;
};
// One for each comparison that an index answers.
Result<std::vector<Candidates>> CandidatesOf(db::Reader& reader, const RunMatcher& matcher,
                                             std::string_view project, View view);
RunSource MakeSource(const Candidates& candidates, std::int64_t experiment, View view);

}  // namespace gyre::tracking
