// Two versions that answer the same traffic beside each other, each its own requests: how good each
// is on the rows that have labels by now, and how far apart their answers lie. The document of the
// task "monitoring.sides", inside a worker. Private.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/monitoring/answers.h"
#include "ml/monitoring/monitors.h"
#include "ml/runners/tasks.h"

namespace gyre::monitoring {

constexpr std::int64_t kOfEachClassMin = 20;  // labelled rows, where there are two classes

// Quality where both have kRowsMin labelled rows that define the metric, and kOfEachClassMin of
// each of two classes; answers where both have kRowsMin rows. The error is that of the difference:
// the rows of the sides are independent.
Sides CompareSides(const Answers& champion, const Answers& canary,
                   const statistics::MetricInfo& metric);

// The parts of the time, the same for both. Quality is that of all parts, each by what it tells; of
// one that tells nothing by itself the rows go with the next. Answers are those of the last part.
Sides CompareParts(const std::vector<Answers>& champion, const std::vector<Answers>& canary,
                   const statistics::MetricInfo& metric);

Json SidesToJson(const Sides& sides);
Sides SidesFromJson(const Json& json);

// {"log": a ReadRequest, "parts": when each began, "champion": "churn:v1", "canary":
// "churn:v2", "primary", "rows_max"}: with more rows some are left out, evenly.
Result<Json> RunSidesTask(runners::TaskContext& context);

}  // namespace gyre::monitoring
