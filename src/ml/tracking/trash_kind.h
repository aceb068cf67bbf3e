// Runs go into the trash and come back.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

trash::Kind RunTrash(db::Database& database, Tracking& tracking, const Clock& clock);
trash::Holding HeldRuns();

}  // namespace gyre::tracking
