// Many small files into one: a quiet endpoint seals a few rows at a time, and labels may come one
// by one. Private.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/store.h"

namespace gyre::inference_log {

// How many small files there were of those that gave nothing: each was unlike the others.
struct SteppedOver {
  std::map<std::string, std::int64_t> streams = {};
  std::map<EndpointName, std::int64_t> endpoints = {};  // of labels
};

// The segments of one stream and the labels of one endpoint, where it is worth while. A damaged
// file is left as it is, for a reader to name.
Result<> MergeSmall(db::Database& database, blob::Store& blobs, const Clock& clock,
                    const LogSettings& settings, SteppedOver* over);

}  // namespace gyre::inference_log
