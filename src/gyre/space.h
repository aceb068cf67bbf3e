// Where the bytes of a data directory are: each file of it is counted once.
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"
#include "platform/db/database.h"

namespace gyre {

// {"bytes", "parts": [{"part", "noun", "project", "files", "bytes"}]}; the parts add up to the
// whole. A stored object that several things need counts for the first of them, and for the trash
// only when nothing else needs it. Part: stored, trash, unreferenced, database, logs, snapshots,
// other.
Result<Json> SpaceOf(db::Database& database, const std::string& directory);

}  // namespace gyre
