// Jobs that have ended go with their project, and come back with it.
#pragma once

#include "ledger/trash/trash.h"

namespace gyre::runners {

trash::Holding HeldJobs();

}  // namespace gyre::runners
