// Models and their versions go into the trash and come back.
#pragma once

#include "ledger/events/events.h"
#include "ledger/trash/trash.h"
#include "ml/registry/registry.h"

namespace gyre::registry {

struct TrashRooms {
  db::Database& database;
  Registry& registry;
  events::Events& events;
  const Clock& clock;
};

trash::Kind ModelTrash(TrashRooms rooms);
// Error: kFailedPrecondition GY3609, an alias points at it.
Result<> CheckNoAlias(const ModelVersion& version);
trash::Holding HeldModels();

}  // namespace gyre::registry
