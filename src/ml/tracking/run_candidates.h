// Runs that meet one comparison that an index answers: where a search begins when they are few.
// Private.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/run_sources.h"

namespace gyre::tracking {

struct CandidatePart {
  // Into FROM and WHERE of table `c`, or of `r` itself.
  std::function<void(std::int64_t experiment, RunSelect*)> narrow;
  bool of_runs = false;         // the table is `r`
  bool each_experiment = true;  // false: asked once for all of them
  bool repeats = false;
};
RunSource MakeSource(const CandidatePart& part, std::int64_t experiment, View view);

// What one comparison leaves, or several of which one must hold. Points into the matcher's filter.
using Candidates = std::vector<CandidatePart>;
// All that there are to choose from.
Result<std::vector<Candidates>> CandidatesOf(db::Reader& reader, const RunMatcher& matcher,
                                             std::string_view project, View view);

}  // namespace gyre::tracking
