// Many small files into one: a quiet endpoint seals a few rows at a time, and labels may come one
// by one. Private.
#pragma once

#include "ml/inference_log/inference_log.h"

namespace gyre::inference_log {

// One merge of segments and one of labels, where they are worth their while. A damaged file is left
// as it is, for a reader to name.
Result<> MergeSmall(db::Database& database, blob::Store& blobs, const Clock& clock,
                    const LogSettings& settings);

}  // namespace gyre::inference_log
