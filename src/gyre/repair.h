// What `gyre fsck --repair` does: makes anew what follows from the rest, and puts back blobs whose
// bytes somebody else has kept. Nothing is thrown away: what is replaced goes to DIR/quarantine.
#pragma once

#include <string>
#include <vector>

#include "api/native/maintenance_api.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre {

// Builds the indexes of a damaged database anew, a copy of it kept before. What was done, empty
// when that was not possible.
std::string RepairDatabase(db::Database& database, const std::string& directory);

void AddRepair(native::Maintenance& maintenance, db::Database& database, blob::Store& blobs,
               std::string directory);

}  // namespace gyre
