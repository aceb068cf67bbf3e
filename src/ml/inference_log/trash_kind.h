// What was captured goes with its project, and comes back with it.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/inference_log/inference_log.h"

namespace gyre::inference_log {

trash::Holding HeldCaptures(InferenceLog& log);

}  // namespace gyre::inference_log
