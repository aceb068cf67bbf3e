// Where runs that a search may find come from when it goes along an order. Private.
#pragma once

#include <optional>

#include "ml/tracking/run_matcher.h"
#include "ml/tracking/run_order.h"
#include "ml/tracking/run_select.h"

namespace gyre::tracking {

// A part of a search's runs; `r` stands in `select`.
struct RunSource {
  RunSelect select = {};
  // By so many terms of the order the rows come sorted: fields, then the start. 0 = by none.
  std::size_t sorted_terms = 0;
  // Of the order's first field, the only value that counts here; other rows are passed over.
  std::optional<FieldValue> only = {};
  bool repeats = false;  // a run may come twice
};

// What a walk needs to know of the search.
struct WalkPlan {
  std::int64_t experiment = 0;
  View view = View::kActive;
  StartRange start = {};
  const RunPlace* after = nullptr;  // of a page that is not the first
};

// All runs of an experiment, in no order.
RunSource AllRuns(const WalkPlan& plan);
// By the start, which the order begins with; in no order what is not active.
RunSource WalkStarts(const WalkPlan& plan, bool ascending);
// Those of one value; by the start as above, where it decides next.
RunSource WalkOnly(const WalkPlan& plan, FieldValue only, bool start_decides);

// Runs by the value of a param, tag or metric that the order begins with.
struct ValueWalk {
  ValueTable table = ValueTable::kMetric;
  std::int64_t name = 0;
  bool ascending = true;
  NumberRange range = {};
  std::optional<FieldValue> until = {};  // ends before it
};
RunSource WalkValues(const WalkPlan& plan, const ValueWalk& walk);
RunSource WalkNaNs(const WalkPlan& plan, const ValueWalk& walk);

// What an index holds of a text.
std::string_view IndexedPart(std::string_view text);
void WhereStarted(const StartRange& range, RunSelect* select);
void WhereBetween(const NumberRange& range, std::string_view alias, RunSelect* select);

}  // namespace gyre::tracking
