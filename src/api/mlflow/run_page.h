// Runs as MLflow's JSON. What was rendered once is kept while nobody writes to its run, within a
// bound: a page that is asked for again is put together from texts. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/mlflow/answer.h"
#include "base/error.h"
#include "base/mutex.h"
#include "ml/tracking/run_stamps.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

void WriteRunInfo(AnswerWriter& out, const tracking::Run& run, std::string_view name = "info");
void WriteExperiment(AnswerWriter& out, const tracking::Experiment& experiment);
std::string RenderedRun(const tracking::RunDetails& details);
// As the answer to its creation: nothing is said of outputs.
std::string RenderedNewRun(const tracking::Run& run);

class RunPages {
 public:
  using Text = std::shared_ptr<const std::string>;
  RunPages(tracking::Tracking& tracking, const tracking::RunStamps& stamps)
      : tracking_(tracking), stamps_(stamps) {}

  // In the order of the ids; those that are gone by now are left out, and so are those of another
  // project.
  Result<std::vector<Text>> Render(std::string_view project, std::span<const std::string> run_ids);

 private:
  struct Kept {
    std::uint64_t stamp = 0;
    std::string project;
    Text text;
  };
  using Generation = std::unordered_map<std::string, Kept>;
  std::optional<Kept> Find(const std::string& run_id);
  void Keep(const std::string& run_id, Kept kept);

  tracking::Tracking& tracking_;
  const tracking::RunStamps& stamps_;
  Mutex mutex_;
  // What was used since the young one began, and before; when it is full, the old one goes.
  Generation young_ GYRE_GUARDED_BY(mutex_), old_ GYRE_GUARDED_BY(mutex_);
  std::size_t young_bytes_ GYRE_GUARDED_BY(mutex_) = 0;
};

}  // namespace gyre::mlflow
