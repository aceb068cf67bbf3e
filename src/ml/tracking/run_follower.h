// What has happened to the runs that somebody follows. Thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/run_stamps.h"
#include "ml/tracking/tracking.h"
#include "platform/db/database.h"

namespace gyre::tracking {

// Nothing in it: every run of the project.
struct RunSubjects {
  std::set<std::string, std::less<>> runs = {};
  std::set<std::int64_t> experiments = {};
  bool all() const { return runs.empty() && experiments.empty(); }
};

struct RunPatch {
  std::vector<Run> runs;          // as they are now
  std::vector<std::string> gone;  // moved away, or removed
  std::uint64_t seen = 0;         // ask for what came after it
  bool lost = false;              // not everything is known: begin anew
};

class RunFollower {
 public:
  RunFollower(db::Database& database, const RunStamps& stamps)
      : database_(database), stamps_(stamps) {}
  std::uint64_t newest() const { return stamps_.news().newest(); }
  // At most so much that it is soon read; the rest is there at the next call.
  Result<RunPatch> Look(std::string_view project, const RunSubjects& subjects,
                        std::uint64_t seen) const;

 private:
  db::Database& database_;
  const RunStamps& stamps_;
};

}  // namespace gyre::tracking
