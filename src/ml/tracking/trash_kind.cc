#include "ml/tracking/trash_kind.h"

#include "ml/tracking/run_store.h"

namespace gyre::tracking {

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

}  // namespace gyre::tracking
