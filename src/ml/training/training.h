// Training: from a dataset version to a registered model that a gate has judged. A job of the owner
// runs task "training.fit" in a worker, turns its candidates into runs as they come, registers the
// best, and moves @champion when the gate agrees. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/data/datasets.h"
#include "ml/evaluation/evaluations.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/runners/tasks.h"
#include "ml/tracking/tracking.h"
#include "platform/blob/blob_store.h"

namespace gyre::training {

struct TrainRequest {
  std::string project, dataset;  // "customers", "customers:v3"
  std::string target;            // empty = the recipe's label, else that of the problem statement
  std::string model;             // empty = the dataset's name
  std::string experiment;        // empty = the model's name
  std::string metric, task;      // empty = from the target
  std::string positive;          // class of a binary target; empty = see positive.h
  std::optional<double> budget_seconds{};  // empty = that of the settings, none with trials
  int trials = 0;  // > 0: fixed counts; without a budget: same inputs and seed, same model bytes
  std::int64_t seed = 0;
  std::string split = "auto";  // "auto" looks for a column to split by, "random" does not
  std::string time_column, group_column;
  bool keep_leaks = false;
  double test_share = 0;         // 0 = by size
  std::int64_t test_last = 0;    // > 0: only the last so many rows of the dataset may test
  std::string gate = "default";  // "default", "kpi" (a missed KPI binds), "judge"
                                 // (@champion stays), "none" (register only)
  std::string against;           // "churn:v1", that the gate compares with; empty = @champion
  Json recipe;                   // canonical; null = one that suits the data
  std::string created_by;
};
Result<TrainRequest> TrainRequestFromJson(
    const Json& json);  // GY3501 names an unknown or wrong member; a recipe's own

struct TrainingRooms {
  data::Datasets& datasets;
  projects::Projects& projects;
  tracking::Tracking& tracking;
  registry::Registry& registry;
  blob::Store& blobs;
  runners::Jobs& jobs;
  const Clock& clock;
  evaluation::Evaluations* evaluations =
      nullptr;  // where evaluations are kept beside the version; null = only with the run
};

class Training {
 public:
  struct Settings {
    int threads = 2;  // of one training; also the CPU slots that it takes
    std::int64_t memory_bytes = std::int64_t{4} << 30;
    double budget_seconds = 40;
  };
  Training(TrainingRooms rooms, Settings settings) : rooms_(rooms), settings_(settings) {}
  // Registers job kind "training.train"; before Jobs::Start.
  void AddJobs();
  // Checks what can be checked now (dataset, names), then submits. Errors: GY2101, GY2102, GY3501,
  // GY1200, GY3301.
  Result<runners::Job> Train(TrainRequest request);
  // What Train would do: task, metric, split, candidates, columns left out. Changes nothing.
  // Ends early when `cancelled` says so.
  Result<Json> Plan(TrainRequest request, std::function<bool()> cancelled);

 private:
  // The request made whole; the input of the job.
  Result<Json> InputOf(TrainRequest& request, const data::Version& version);
  Result<Json> Execute(runners::JobRun& run);

  TrainingRooms rooms_;
  Settings settings_;
};

// Worker side: "training.fit", "training.plan".
void AddTasks(runners::TaskRegistry& tasks);

}  // namespace gyre::training
