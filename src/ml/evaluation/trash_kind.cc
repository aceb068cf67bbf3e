#include "ml/evaluation/trash_kind.h"

namespace gyre::evaluation {

trash::Holding HeldEvaluations() {
  return {.what = "evaluations",
          .count = "SELECT COUNT(*) FROM evaluation_record WHERE project = ?1",
          .blobs = {{"evaluation", "SELECT id FROM evaluation_record WHERE project = ?1"}},
          .rows = {{"evaluation_record"}},
          .counters = {{"evaluation_record", "number"}}};
}

}  // namespace gyre::evaluation
