// The task "training.inspect_model". Private.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/runners/tasks.h"

namespace gyre::training {

// Input: {"files": [{"path", "file", "size_bytes"}]}. Answers the report of inspection.h.
Result<Json> InspectModelTask(runners::TaskContext& context);

}  // namespace gyre::training
