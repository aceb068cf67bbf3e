// Metric points as bytes, columns packed, all numbers little-endian. Pure functions. Private.
//
// A batch holds the points of one write: 1 (a byte), series count (varint), then per series: length
// of what follows (varint), key (varint length, bytes), n (varint), n zigzag varint deltas of
// steps, n zigzag varint deltas of times, n raw doubles. A reader of one key skips the others by
// length.
//
// A segment holds points of one key: 2 (a byte), n (varint), steps, times, n raw doubles. A column
// of whole numbers is 0, first, stride (evenly spaced) or 1, first, n - 1 differences of
// differences; all zigzag varints.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/series.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

std::string EncodePoints(const std::vector<MetricPoint>& points);
// Calls back with each series, or with that of `key` when it is not empty. Error: kDataLoss GY3410.
using SeriesCallback = std::function<void(std::string_view key, Series&& series)>;
Result<> DecodePoints(std::string_view bytes, std::string_view key, const SeriesCallback& callback);

std::string EncodeSeries(const Series& series);
// Appends. Error: kDataLoss GY3410.
Result<> DecodeSeries(std::string_view bytes, Series* series);

}  // namespace gyre::tracking
