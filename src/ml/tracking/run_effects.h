// What a run leaves in other books: its lineage, its usage. Private.
#pragma once

#include <optional>

#include "base/error.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

// In the transaction of the run: what it was given to read; what is part of a run has read what the
// run has read. A client's run is a node once it read or made something.
Result<> WriteLineage(db::Transaction& tx, const Run& run);

// What a program used, at its first end. What jobs use is booked by their room.
Result<> BookUsage(db::Transaction& tx, const Run& run, const RunEnd& end);

// The inputs with one more; nothing when it is there already.
std::optional<Json> WithInput(const Json& inputs, const RunInput& input);

}  // namespace gyre::tracking
