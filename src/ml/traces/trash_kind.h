// Traces go into the trash with their project, and come back with it.
#pragma once

#include "ledger/trash/trash.h"

namespace gyre::traces {

trash::Holding HeldTraces();

}  // namespace gyre::traces
