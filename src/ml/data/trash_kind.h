// Datasets and their versions go into the trash and come back.
#pragma once

#include "ledger/events/events.h"
#include "ledger/trash/trash.h"
#include "ml/data/datasets.h"

namespace gyre::data {

struct TrashRooms {
  db::Database& database;
  Datasets& datasets;
  events::Events& events;
  const Clock& clock;
};

trash::Kind DatasetTrash(TrashRooms rooms);
// Of a dataset with all its versions, or of one ("sales:v3"): the last one takes the dataset along.
Result<std::string> RemoveDataset(const TrashRooms& rooms, const trash::Asked& asked);
trash::Holding HeldDatasets();

}  // namespace gyre::data
