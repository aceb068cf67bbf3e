// Books what is stored, hour by hour.
#pragma once

#include "base/time.h"
#include "platform/db/database.h"

namespace gyre {

// Once in an hour, when something is stored: each project pays for the bytes of the blobs that its
// things refer to, each blob once per project. Of several owners in a project the first pays, in
// the order datasets, models, runs, pipeline runs, evaluations, endpoints, kept results, then by
// id. Hours since the last look (nobody ran on the directory) are booked with what is there now, a
// month of them at most.
Result<> BookStorage(db::Database& database, const Clock& clock);

}  // namespace gyre
