#include "ml/pipelines/trash_kind.h"

#include "ledger/trash/parcel.h"
#include "ml/pipelines/pipeline_store.h"
#include "ml/pipelines/version_store.h"

namespace gyre::pipelines {
namespace {

constexpr const char* kOfRuns = "run_id IN (SELECT id FROM pipeline_run WHERE project = ?1)";

}  // namespace

trash::Kind PipelineRunTrash(db::Database& database, Pipelines& pipelines, const Clock& clock) {
  return {
      .noun = "pipeline-run",
      .permission = "pipeline.run",
      .remove = [&](const trash::Asked& asked) -> Result<std::string> {
        GYRE_TRY(const RunView run, pipelines.Get(asked.name));
        const std::string name = run.id.substr(0, 8);
        GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
          GYRE_TRY(const bool ended,
                   tx.QueryOne("SELECT 1 FROM pipeline_run WHERE id = ?1 AND state <> 'running'",
                               {run.id}, [](const db::Row&) {}));
          if (!ended)
            return FailedPrecondition("GY4738", "run {} has not ended", name)
                .Fix("gyre pipelines cancel " + name);
          GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "pipeline-run",
                                                                   .project = run.project,
                                                                   .name = name,
                                                                   .what = run.pipeline,
                                                                   .by = asked.by,
                                                                   .now_us = clock.NowMicros()}));
          GYRE_DO(parcel.TakeBlobs(kRunOwner, run.id));
          for (const std::string_view table :
               {"pipeline_approval", "pipeline_attempt", "pipeline_task"})
            GYRE_DO(parcel.Take(table, "run_id = ?1", {run.id}));
          return parcel.Take("pipeline_run", "id = ?1", {run.id});
        }));
        return name;
      }};
}

trash::Kind PipelineTrash(db::Database& database, Pipelines& pipelines, const Clock& clock) {
  return {
      .noun = "pipeline",
      .permission = "pipeline.write",
      .remove = [&](const trash::Asked& asked) -> Result<std::string> {
        GYRE_TRY(const PipelineVersion found, pipelines.Resolve(asked.project, asked.name));
        Reference removed{.name = found.name};
        if (asked.name.find(':') != std::string_view::npos) removed.version = found.version;
        GYRE_DO(VersionStore(database).Remove(asked.project, removed, asked.by, clock.NowMicros()));
        return removed.version == 0 ? found.name : found.reference();
      }};
}

trash::Holding HeldPipelines() {
  return {
      .what = "pipelines",
      .count = "SELECT COUNT(DISTINCT name) FROM pipeline_version WHERE project = ?1",
      .blobs = {{kCacheOwner,
                 "SELECT project || '/' || cache_key FROM pipeline_cache WHERE project = ?1"}},
      .rows = {{"pipeline_part"}, {"pipeline_version"}, {"pipeline_cache"}, {"pipeline_number"}}};
}

trash::Holding HeldPipelineRuns() {
  return {.what = "pipeline runs",
          .count = "SELECT COUNT(*) FROM pipeline_run WHERE project = ?1",
          .busy = "SELECT COUNT(*) FROM pipeline_run WHERE project = ?1 AND state = 'running'",
          .see = "gyre pipelines runs",
          .blobs = {{kRunOwner, "SELECT id FROM pipeline_run WHERE project = ?1"}},
          .rows = {{"pipeline_approval", kOfRuns},
                   {"pipeline_attempt", kOfRuns},
                   {"pipeline_task", kOfRuns},
                   {"pipeline_run"}}};
}

}  // namespace gyre::pipelines
