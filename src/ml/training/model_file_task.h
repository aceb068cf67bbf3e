// The task "training.model_file": a model file made elsewhere, read where a broken one harms
// nobody. Private.
#pragma once

#include "base/error.h"
#include "ml/runners/tasks.h"

namespace gyre::training {

// Input: {"path", "target", "classes", "threshold", "columns"}. Answers {"kept", "task", "target",
// "learner", "signature", "facts"}; the package stands in the file "package", unless it is kept.
Result<Json> ModelFileTask(runners::TaskContext& context);

}  // namespace gyre::training
