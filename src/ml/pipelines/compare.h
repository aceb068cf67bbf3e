// The items of a loop side by side. Private.
#pragma once

#include "ml/pipelines/pipeline_store.h"

namespace gyre::pipelines {

// Errors: kNotFound GY4713 no such step; GY4727 no such output.
Result<Json> CompareItems(const StoredRun& stored, const Comparison& wanted);

}  // namespace gyre::pipelines
