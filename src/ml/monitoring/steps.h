// Step of pipelines: report.
#pragma once

#include "ml/data/datasets.h"
#include "ml/monitoring/comparisons.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::monitoring {

// report {reference, current, method, threshold, columns}: which columns of two dataset versions
// drifted, with the page that `gyre report` makes.
void AddSteps(pipelines::Pipelines& pipelines, Comparisons& comparisons, data::Datasets& datasets,
              blob::Store& blobs, runners::Jobs& jobs);

}  // namespace gyre::monitoring
