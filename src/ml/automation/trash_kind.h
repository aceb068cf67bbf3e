// Triggers go into the trash with their firings and come back; they listen again from then on.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/automation/automation.h"

namespace gyre::automation {

trash::Kind TriggerTrash(db::Database& database, Automation& automation, const Clock& clock);
trash::Holding HeldTriggers(Automation& automation);

}  // namespace gyre::automation
