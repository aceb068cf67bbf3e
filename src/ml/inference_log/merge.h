// Many small segments of one deployment into one: a quiet endpoint seals a few rows at a time.
// Private.
#pragma once

#include "ml/inference_log/inference_log.h"

namespace gyre::inference_log {

// One merge, when there is one worth its while. A damaged segment is left as it is, for a reader to
// name.
Result<> MergeSmall(db::Database& database, blob::Store& blobs, const Clock& clock,
                    const LogSettings& settings);

}  // namespace gyre::inference_log
