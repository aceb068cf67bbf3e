// What a job will use, by those like it in its project. Private.
#pragma once

#include "ml/runners/estimate.h"
#include "ml/runners/jobs.h"
#include "platform/db/database.h"

namespace gyre::runners {

// The same kind of the same dataset, model and target, with the same budget, that succeeded.
Result<Estimate> EstimateOf(db::Reader& reader, const Job& job);

}  // namespace gyre::runners
