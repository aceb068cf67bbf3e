#include "ml/eval_sets/trash_kind.h"

namespace gyre::eval_sets {

trash::Holding HeldEvalSets() {
  constexpr const char* kOfSets = "set_id IN (SELECT id FROM eval_sets_set WHERE project = ?1)";
  return {.what = "evaluation sets",
          .count = "SELECT COUNT(*) FROM eval_sets_set WHERE project = ?1",
          .rows = {{"eval_sets_tag", kOfSets},
                   {"eval_sets_experiment", kOfSets},
                   {"eval_sets_record", kOfSets},
                   {"eval_sets_set"},
                   {"eval_sets_scorer_version",
                    "scorer IN (SELECT id FROM eval_sets_scorer WHERE project = ?1)"},
                   {"eval_sets_scorer"}}};
}

Result<> EndExperiment(db::Transaction& tx, std::string_view project, std::int64_t experiment) {
  GYRE_DO(tx.Execute("DELETE FROM eval_sets_experiment WHERE experiment = ?1", {experiment}));
  GYRE_DO(
      tx.Execute("DELETE FROM eval_sets_scorer_version WHERE scorer IN (SELECT id FROM "
                 "eval_sets_scorer WHERE project = ?1 AND experiment = ?2)",
                 {project, experiment}));
  return tx.Execute("DELETE FROM eval_sets_scorer WHERE project = ?1 AND experiment = ?2",
                    {project, experiment});
}

}  // namespace gyre::eval_sets
