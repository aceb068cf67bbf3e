// Says when a budget's threshold is reached, and ends what runs where a budget asks for that.
#pragma once

#include "base/time.h"
#include "ledger/events/events.h"
#include "ledger/notices/notices.h"
#include "ledger/usage/budgets.h"
#include "ml/pipelines/pipelines.h"
#include "ml/runners/jobs.h"
#include "platform/db/database.h"

namespace gyre {

struct BudgetRooms {
  db::Database& database;
  usage::Budgets& budgets;
  events::Events& events;
  notices::Notices& notices;
  runners::Jobs& jobs;
  pipelines::Pipelines& pipelines;
  const Clock& clock;
};
// Each threshold once in a period: the notice, the event and the note that it was said are one
// transaction. Harmless when repeated.
Result<> KeepBudgets(const BudgetRooms& rooms);

}  // namespace gyre
