// Points in the database: a tail of batches as they came, segments of one key each, and the latest
// value of each key. All SQL of metrics. Private.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/series.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

// Rows of other tables name a run so.
struct RunKey {
  std::int64_t number = 0, experiment = 0;
  std::int64_t deleted_us = 0;
  std::string project = {};
};

// Later points put their value in place of earlier ones; the least, the most and the count are of
// all.
void Merge(const LatestMetric& later, LatestMetric* metric);

// A batch as it came. Answers its place in the tail, from 1: how many batches wait for compaction.
// Latest values are settled later, so that a write touches few pages.
Result<std::int64_t> PutPoints(db::Transaction& tx, const RunKey& run, std::string_view points);

// What the batches of a tail that are not settled leave behind, by key.
struct Unsettled {
  std::int64_t run = 0, first = 0, last = 0;  // 0 = there are none
  std::map<std::string, LatestMetric> latest;
};
Result<Unsettled> ReadUnsettled(db::Reader& reader, std::int64_t run);
Result<std::vector<std::int64_t>> UnsettledRuns(db::Reader& reader, int runs_max);
// `names`: the numbers of the keys, in their order. Does nothing when somebody else has done it.
Result<> PutLatest(db::Transaction& tx, const Unsettled& unsettled,
                   const std::vector<std::int64_t>& names);

// All points of a key, in no order.
Result<Series> ReadSeriesOf(db::Reader& reader, std::int64_t run, std::string_view key);
// Those of them that are in the tail.
Result<Series> ReadTailOf(db::Reader& reader, std::int64_t run, std::string_view key);
// With what is not settled yet.
Result<std::map<std::string, LatestMetric>> ReadLatest(db::Reader& reader, std::int64_t run);

// --- compaction ----------------------------------------------------------------------------------
struct Tail {
  std::vector<std::int64_t> sequences;
  std::vector<std::string> batches;
};
// Those that are settled.
Result<Tail> ReadTail(db::Reader& reader, std::int64_t run, int batches_max);

struct Segment {
  std::int64_t sequence = 0;  // of its key; the same again replaces it
  Series series;
};
// The last segment of a key; sequence 0 = there is none.
Result<Segment> ReadLastSegment(db::Reader& reader, std::int64_t run, std::int64_t name);

struct SegmentRow {
  std::int64_t name = 0, sequence = 0;
  std::int64_t first_step = 0, last_step = 0, point_count = 0;
  double least = 0, most = 0;  // NaN = none is a number
  std::string points;
  std::string whole, blocks;  // what a chart needs of it
};
SegmentRow EncodeSegment(std::int64_t name, const Segment& segment);
// Puts segments in place of those batches; false when they are no longer all there.
Result<bool> ReplaceTail(db::Transaction& tx, std::int64_t run,
                         const std::vector<std::int64_t>& sequences,
                         const std::vector<SegmentRow>& segments);

}  // namespace gyre::tracking
