// What clients have deleted: runs, experiments and logged models carry a mark, and can be restored,
// until they are ended here for good, with their files. What others need stays as it is.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/run_stamps.h"
#include "platform/db/database.h"

namespace gyre::tracking {

// Of one project, or of all; only what was deleted then or before. Where runs or experiments are
// named, only they: experiments with all that is theirs.
struct DeletedQuery {
  std::string project = {};
  std::int64_t before_us = INT64_MAX;
  std::vector<std::string> runs = {};  // ids
  std::vector<std::int64_t> experiments = {};
};

struct DeletedRun {
  std::int64_t number = 0, experiment = 0;
  std::string id, project;
};
struct DeletedModel {
  std::string id, project;
};
// What is ended, and what is not since others need its files.
struct Ending {
  std::vector<DeletedRun> runs = {};
  std::vector<Experiment> experiments = {};
  std::vector<DeletedModel> models = {};           // those of the experiments stand with them
  std::map<std::string, std::string> needed = {};  // id of a run or logged model -> by what
  std::int64_t bytes = 0;  // of their files; what others have, too, is not given back
};

class Deleted {
 public:
  struct Others {
    // Runs and logged models whose files something else is made of, by id: "model churn:v3".
    std::function<Result<std::map<std::string, std::string>>(db::Reader&)> needed;
    // Before an experiment goes: what others keep of it. May be called again.
    std::function<Result<>(const Experiment&)> end;
  };
  Deleted(db::Database& database, RunStamps& stamps, Others others)
      : database_(database), stamps_(stamps), others_(std::move(others)) {}

  Result<Ending> Find(const DeletedQuery& query);
  // Ends what Find() finds, a few at a time; answers what was ended.
  Result<Ending> End(const DeletedQuery& query);

 private:
  Result<> EndRuns(const std::vector<DeletedRun>& runs);
  Result<> EndExperiment(const Experiment& experiment);

  db::Database& database_;
  RunStamps& stamps_;
  const Others others_;
};

}  // namespace gyre::tracking
