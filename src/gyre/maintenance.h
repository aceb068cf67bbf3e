// What the program does about itself: the collector, and the check of everything.
#pragma once

#include "api/native/maintenance_api.h"
#include "base/time.h"
#include "ledger/events/events.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre {

native::Maintenance HouseKeeping(db::Database& database, blob::Store& blobs, events::Events& events,
                                 const Clock& clock, std::int64_t events_kept_us);

}  // namespace gyre
