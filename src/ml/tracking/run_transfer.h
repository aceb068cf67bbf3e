// Runs that change their place, or stand in a second one. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "ml/tracking/run_stamps.h"
#include "platform/db/database.h"

namespace gyre::tracking {

struct RunCopy {
  std::string run_id;
  std::string project;  // where to; may be another one
  std::int64_t experiment_number = 0;
  std::string name = {};  // empty = the same
  std::string by = {};
};

class RunTransfer {
 public:
  RunTransfer(db::Database& database, const Clock& clock, RunStamps& stamps)
      : database_(database), clock_(clock), stamps_(stamps) {}

  // To another experiment of its project, with its logged models. What clients hold of it (id,
  // files) stays true. Errors: GY3401, GY3426 it is deleted; GY3422, GY3423 of the experiment.
  Result<> Move(std::string_view run_id, std::int64_t experiment_number);

  // Params, tags, metrics, what it read, and its files, whose bytes both share. The copy has an id
  // of its own and in its source `copied_from`, an edge in lineage; it made nothing, is part of
  // nothing in another project, and has ended: `killed` when the first one still ran. Answers its
  // id. Errors: as of Move.
  Result<std::string> Copy(const RunCopy& copy);

 private:
  db::Database& database_;
  const Clock& clock_;
  RunStamps& stamps_;
};

}  // namespace gyre::tracking
