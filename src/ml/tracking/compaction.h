// What becomes of the tail of a run: which segments it makes, and which of those that are there it
// takes in. Each write adds a segment to a key; eight of about a size become one of the next size,
// so that a point is written a few times in all, however often its run is compacted. Private.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "ml/tracking/metric_store.h"
#include "ml/tracking/settler.h"
#include "platform/db/database.h"

namespace gyre::tracking {

inline constexpr std::size_t kSegmentPoints = 8'192;  // a segment that has as many is full
inline constexpr std::size_t kMergedAtOnce = 8;

// What the batches of a tail change, key by key; nothing of keys that have them already.
Result<std::vector<SegmentChange>> PlanOf(db::Reader& reader, std::int64_t run, const Tail& tail);

// One piece of one run, which is settled first; false when nothing is left of its tail. What dies
// on the way is in the tail still, and goes on where it stopped.
Result<bool> CompactPiece(db::Database& database, MetricSettler& settler, std::int64_t run);

}  // namespace gyre::tracking
