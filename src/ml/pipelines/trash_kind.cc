#include "ml/pipelines/trash_kind.h"

#include "ml/pipelines/version_store.h"

namespace gyre::pipelines {

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

}  // namespace gyre::pipelines
