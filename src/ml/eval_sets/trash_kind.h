// Evaluation sets go into the trash with their project, and come back with it; what an experiment
// has of them goes with it.
#pragma once

#include "ledger/trash/trash.h"

namespace gyre::eval_sets {

trash::Holding HeldEvalSets();

// Scorers of an experiment that ends, and that sets belonged to it; the sets stay.
Result<> EndExperiment(db::Transaction& tx, std::string_view project, std::int64_t experiment);

}  // namespace gyre::eval_sets
