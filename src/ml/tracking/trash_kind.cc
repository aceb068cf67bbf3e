#include "ml/tracking/trash_kind.h"

#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

constexpr const char* kOfRuns = "run_id IN (SELECT id FROM tracking_run WHERE project = ?1)";

}  // namespace

trash::Kind RunTrash(db::Database& database, Tracking& tracking, const Clock& clock) {
  return {.noun = "run",
          .permission = "run.write",
          .remove = [&](const trash::Asked& asked) -> Result<std::string> {
            GYRE_TRY(const Run run, tracking.GetRun(asked.project, asked.name));
            std::string name;
            GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
              GYRE_TRY(name, RemoveRun(tx, run.id, asked.by, clock.NowMicros()));
              return {};
            }));
            return name;
          }};
}

trash::Holding HeldRuns() {
  return {.what = "runs",
          .count = "SELECT COUNT(*) FROM tracking_run WHERE project = ?1",
          .blobs = {{kRefOwner, "SELECT id FROM tracking_run WHERE project = ?1"}},
          .rows = {{"tracking_param", kOfRuns},
                   {"tracking_tag", kOfRuns},
                   {"tracking_metric_latest", kOfRuns},
                   {"tracking_metric_batch", kOfRuns},
                   {"tracking_artifact", kOfRuns},
                   {"tracking_output", kOfRuns},
                   {"tracking_run"},
                   {"tracking_experiment"}},
          .counters = {{"tracking_run", "number"}}};
}

}  // namespace gyre::tracking
