// Evaluations go with their project, and come back with it.
#pragma once

#include "ledger/trash/trash.h"

namespace gyre::evaluation {

trash::Holding HeldEvaluations();

}  // namespace gyre::evaluation
