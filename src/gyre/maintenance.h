// What the program does about itself: the collector, the check of everything, the backup.
#pragma once

#include <functional>
#include <string>

#include "api/native/maintenance_api.h"
#include "base/time.h"
#include "ledger/events/events.h"
#include "ledger/notices/notices.h"
#include "ledger/trash/trash.h"
#include "ml/automation/automation.h"
#include "ml/data/datasets.h"
#include "ml/pipelines/pipelines.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/tracking/deleted.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre {

// How long things are kept; 0 = for ever.
struct Keeping {
  std::int64_t trash_us = 0, deleted_us = 0, events_us = 0, notices_us = 0, queries_us = 0,
               jobs_us = 0;
  std::int64_t firings_us = 0, pipelines_us = 0, windows_us = 0, kpis_us = 0;
};
struct KeptRooms {
  db::Database& database;
  blob::Store& blobs;
  events::Events& events;
  notices::Notices& notices;
  runners::Jobs& jobs;
  pipelines::Pipelines& pipelines;
  automation::Automation& automation;
  trash::Trash& trash;
  tracking::Deleted& deleted;
};
// What the collector does, and `gyre retention` shows. `next_run_us`: when it runs by itself; 0 =
// it does not.
native::Maintenance HouseKeeping(const KeptRooms& rooms, const Clock& clock, const Keeping& keeping,
                                 std::function<std::int64_t()> next_run_us);

// What `gyre backup` asks for; one at a time. `settings` are those in effect.
void AddBackup(native::Maintenance& maintenance, db::Database& database, blob::Store& blobs,
               std::string directory, std::function<Json()> settings, const Clock& clock);

// The job behind `gyre fsck`; before jobs.Start(). Its result: {"sound", "contents", "blobs",
// "bytes_read", "repaired": [TEXT], "problems": [TEXT], "damaged": [{"digest", "size_bytes",
// "needed_by", "problem"}]}, the last of them for what somebody needs; `directory` is that of the
// data.
void AddCheckJob(runners::Jobs& jobs, db::Database& database, blob::Store& blobs,
                 data::Datasets& datasets, registry::Registry& registry, std::string directory);

}  // namespace gyre
