// The step kind of this module: `captures`, a dataset version of what an endpoint answered.
#pragma once

#include "ml/inference_log/inference_log.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::inference_log {

// with: endpoint, dataset, labelled, last_s, rows_min, since, fill_to, history, history_below (see
// InferenceLog::DatasetRequest; `since` is a time, and nothing where last_s says how far back).
// Outputs: dataset, version_id, rows, fresh_rows, mixed, notes.
void AddSteps(pipelines::Pipelines& pipelines, InferenceLog& log, runners::Jobs& jobs);

}  // namespace gyre::inference_log
