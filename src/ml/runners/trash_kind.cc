#include "ml/runners/trash_kind.h"

namespace gyre::runners {

trash::Holding HeldJobs() {
  return {.what = "jobs",
          .count = "SELECT COUNT(*) FROM job WHERE project = ?1",
          .busy = "SELECT COUNT(*) FROM job WHERE project = ?1 AND state IN ('queued', 'running')",
          .see = "gyre jobs",
          .rows = {{"job"}}};
}

}  // namespace gyre::runners
