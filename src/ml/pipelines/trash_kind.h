// Pipelines and their versions go into the trash and come back. Their runs stay all the while.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::pipelines {

trash::Kind PipelineTrash(db::Database& database, Pipelines& pipelines, const Clock& clock);

}  // namespace gyre::pipelines
