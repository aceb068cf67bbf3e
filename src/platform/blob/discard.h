// Objects that must not lie about until a collector comes: what somebody wants forgotten.
#pragma once

#include "platform/blob/blob_store.h"

namespace gyre::blob {

// In the transaction that drops the last reference: the object goes, whatever its age. Nothing
// happens to one that somebody else needs.
Result<> Discard(db::Transaction& tx, const Digest& digest);
// Removes what was discarded, also before a crash. What somebody reads just now stays until the
// next call. `kept` is not counted.
Result<CollectResult> RemoveDiscarded(db::Database& database, Store& store);

}  // namespace gyre::blob
