// Evaluation sets go into the trash with their project, and come back with it.
#pragma once

#include "ledger/trash/trash.h"

namespace gyre::eval_sets {

trash::Holding HeldEvalSets();

}  // namespace gyre::eval_sets
