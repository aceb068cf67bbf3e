#include "ml/tracking/trash_kind.h"

#include "ml/tracking/names.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

constexpr const char* kOfRuns = "run IN (SELECT number FROM tracking_run WHERE project = ?1)";
constexpr const char* kOfRunIds = "run_id IN (SELECT id FROM tracking_run WHERE project = ?1)";
constexpr const char* kOfOwners = "owner IN (SELECT id FROM tracking_run WHERE project = ?1)";
constexpr const char* kOfProjectsPlaces =
    "(owner = 'project:' || ?1 OR (owner >= 'model:' || ?1 || ':' AND owner < 'model:' || ?1 || "
    "';'))";
constexpr const char* kFileOwnersOfProject =
    "SELECT DISTINCT owner FROM tracking_file WHERE owner = 'project:' || ?1 OR (owner >= 'model:' "
    "|| ?1 || ':' AND owner < 'model:' || ?1 || ';')";
constexpr const char* kOfModels =
    "model IN (SELECT id FROM tracking_logged_model WHERE project = ?1)";
constexpr const char* kOfExperiments =
    "experiment IN (SELECT number FROM tracking_experiment WHERE project = ?1)";

// The run that an older row belongs to, which is back already.
Result<RunKey> NameRun(db::Transaction& tx, trash::TakenRow& row) {
  GYRE_TRY(const RunKey run, FindRun(tx, row.Text("run_id")));
  row.Set("run", run.number);
  row.Drop("run_id");
  return run;
}

Result<> NameKey(db::Transaction& tx, trash::TakenRow& row) {
  GYRE_TRY(const RunKey run, NameRun(tx, row));
  row.Set("experiment", run.experiment);
  GYRE_TRY(const std::int64_t name, NameBook::Ensure(tx, row.Text("key")));
  row.Set("name", name);
  row.Drop("key");
  return {};
}

Result<> ReshapeExperiment(db::Transaction& tx, trash::TakenRow& row) {
  GYRE_TRY(const std::int64_t number, NextNumber(tx, "experiment"));
  row.Set("number", number);
  row.Copy("name", "title");
  row.Copy("created_us", "updated_us");
  return {};
}

Result<> ReshapeRunRow(db::Transaction& tx, trash::TakenRow& row) {
  std::int64_t experiment = 0;
  GYRE_DO(tx.QueryOne("SELECT number FROM tracking_experiment WHERE id = ?1",
                      {row.Text("experiment_id")},
                      [&](const db::Row& found) { experiment = found.Int(0); }));
  row.Set("experiment", experiment);
  row.Drop("experiment_id");
  // Numbers of removed runs were given again.
  GYRE_TRY(const bool taken, tx.QueryOne("SELECT 1 FROM tracking_run WHERE number = ?1",
                                         {row.Int("number")}, [](const db::Row&) {}));
  if (!taken) return {};
  GYRE_TRY(const std::int64_t number, NextNumber(tx, "run"));
  row.Set("number", number);
  return {};
}

// Runs that were removed before they had a key of their own had it as a tag.
Result<> TakeImportKey(db::Transaction& tx, trash::TakenRow& row) {
  return tx.Execute(
      "UPDATE tracking_run SET import_key = ?2 WHERE number = ?1 AND import_key = '' AND EXISTS "
      "(SELECT 1 FROM tracking_name WHERE id = ?3 AND name = ?4)",
      {row.Int("run"), row.Text("value"), row.Int("name"), kImportKey});
}

}  // namespace

Result<> ReshapeRun(db::Transaction& tx, trash::TakenRow& row) {
  const std::string table = row.table();
  if (table == "tracking_experiment" && !row.Has("number")) return ReshapeExperiment(tx, row);
  if (table == "tracking_run" && row.Has("experiment_id")) return ReshapeRunRow(tx, row);
  if (table == "tracking_param" || table == "tracking_tag") {
    row.MoveTo(table == "tracking_param" ? "tracking_run_param" : "tracking_run_tag");
    GYRE_DO(NameKey(tx, row));
  }
  if (row.table() == "tracking_run_tag") return TakeImportKey(tx, row);
  if (table == "tracking_metric_latest") {
    row.MoveTo("tracking_metric");
    row.Copy("value", "least");
    row.Copy("value", "most");
    return NameKey(tx, row);
  }
  if (table == "tracking_metric_batch") {
    row.MoveTo("tracking_metric_tail");
    row.Rename("number", "sequence");
    GYRE_DO(NameRun(tx, row));
    return {};
  }
  if (table == "tracking_artifact") {
    row.MoveTo("tracking_file");
    row.Rename("run_id", "owner");
  }
  if (table == "tracking_output") row.MoveTo("tracking_run_output");
  return {};
}

trash::Kind RunTrash(Tracking& tracking) {
  return {.noun = "run",
          .permission = "run.write",
          .remove = [&](const trash::Asked& asked) -> Result<std::string> {
            GYRE_TRY(const Run run, tracking.GetRun(asked.project, asked.name));
            return tracking.DeleteRun(run.id, asked.by);
          }};
}

trash::Holding HeldRuns(RunStamps& stamps) {
  return {.what = "runs",
          .count = "SELECT COUNT(*) FROM tracking_run WHERE project = ?1",
          .blobs = {{kRefOwner, "SELECT id FROM tracking_run WHERE project = ?1"},
                    {kFileOwner, kFileOwnersOfProject}},
          .rows = {{"tracking_run_param", kOfRuns},
                   {"tracking_run_tag", kOfRuns},
                   {"tracking_metric", kOfRuns},
                   {"tracking_metric_tail", kOfRuns},
                   {"tracking_metric_unsettled", kOfRuns},
                   {"tracking_metric_segment", kOfRuns},
                   {"tracking_metric_block", kOfRuns},
                   {"tracking_metric_moved", kOfRuns},
                   {"tracking_metric_recount", kOfRuns},
                   {"tracking_run_dataset", kOfRuns},
                   {"tracking_dataset", kOfExperiments},
                   {"tracking_file", kOfOwners},
                   {"tracking_file", kOfProjectsPlaces},
                   {"tracking_run_output", kOfRunIds},
                   {"tracking_logged_model_param", kOfModels},
                   {"tracking_logged_model_tag", kOfModels},
                   {"tracking_logged_model_metric", kOfModels},
                   {"tracking_logged_model"},
                   {"tracking_run"},
                   {"tracking_experiment_tag", kOfExperiments},
                   {"tracking_experiment"}},
          .changed = [&stamps]() -> Result<> {
            stamps.TouchAll();
            return {};
          }};
}

}  // namespace gyre::tracking
