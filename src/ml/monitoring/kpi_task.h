// What a worker reads from the log for KPIs. Private.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/inference_log/joined.h"
#include "ml/runners/tasks.h"
#include "platform/table/frame.h"

namespace gyre::monitoring {

// {"log": ReadRequest} -> {"rows", "labelled", "classes", "metrics": {...}, "feedback": {"count",
// "positive", "true_positive", ...}}. Rows of versions that answer with other classes than the
// newest are counted, and not judged. `feedback` beyond count only where there are two classes.
Result<Json> RunKpiTask(runners::TaskContext& context);

}  // namespace gyre::monitoring
