// Runs go into the trash and come back.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

trash::Kind RunTrash(Tracking& tracking);
trash::Holding HeldRuns(RunStamps& stamps);
// Rows of runs that were taken before rows named their run by number.
Result<> ReshapeRun(db::Transaction& tx, trash::TakenRow& row);

}  // namespace gyre::tracking
