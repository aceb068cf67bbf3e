// Steps of pipelines: add, check, sql.
#pragma once

#include "ml/data/datasets.h"
#include "ml/data/queries.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::data {

// add {dataset, file, format, bad, target, types}: a version from a file that another step made.
// check {dataset, allow_findings}: the expectations in force; findings fail it unless allowed.
// sql {sql, format}: the answer as a file.
void AddSteps(pipelines::Pipelines& pipelines, Datasets& datasets, Queries& queries,
              blob::Store& blobs, runners::Jobs& jobs);

}  // namespace gyre::data
