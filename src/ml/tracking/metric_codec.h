// One batch of metric points as bytes: series by key, each column packed. Layout, all numbers
// little-endian:
//   version 1 (a byte), series count (varint), then per series: length of what follows (varint),
//   key (varint length, bytes), n (varint), n zigzag varint deltas of steps, n zigzag varint deltas
//   of times, n raw doubles.
// A reader of one key skips the other series by their length.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

std::string EncodePoints(const std::vector<MetricPoint>& points);
// Appends the points of `key` (all keys when it is empty). Error: kDataLoss GY3410.
Result<> DecodePoints(std::string_view bytes, std::string_view key,
                      std::vector<MetricPoint>* points);

}  // namespace gyre::tracking
