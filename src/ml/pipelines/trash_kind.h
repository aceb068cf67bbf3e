// Pipelines and their versions go into the trash and come back; their runs stay all the while, or
// go by themselves.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::pipelines {

// Runs that have ended, with what they made and their tasks; their logs stay meanwhile. Error of a
// removal: kFailedPrecondition GY4738.
trash::Kind PipelineRunTrash(db::Database& database, Pipelines& pipelines, const Clock& clock);
trash::Kind PipelineTrash(db::Database& database, Pipelines& pipelines, const Clock& clock);
trash::Holding HeldPipelines();
trash::Holding HeldPipelineRuns();

}  // namespace gyre::pipelines
