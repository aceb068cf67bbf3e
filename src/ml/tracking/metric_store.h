// Points in the database: a tail of batches as they came, segments of one key each, and the latest
// value of each key. All SQL of metrics. Private.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

// So many keys are written in one transaction, but for those of one run that is settled.
inline constexpr std::size_t kKeysAtOnce = 200;

// A batch as it came, at a place of the run's tail that no other ever had. Answers how many batches
// wait for compaction. Latest values are settled later, so that a write touches few pages.
Result<std::int64_t> PutPoints(db::Transaction& tx, const RunKey& run, std::string_view points);

// What the batches of a tail that are not settled leave behind, by key.
struct Unsettled {
  std::int64_t run = 0, first = 0, last = 0;  // 0 = there are none
  std::map<std::string, LatestMetric> latest;
};
Result<Unsettled> ReadUnsettled(db::Reader& reader, std::int64_t run);
// Of those experiments of the project; of all of them when none is named.
Result<std::vector<std::int64_t>> UnsettledRuns(db::Reader& reader, std::string_view project,
                                                std::span<const std::int64_t> experiments);
// `names`: the numbers of the keys, in their order. Does nothing when somebody else has done it:
// places of a tail are given once, so that `first` tells.
Result<> PutLatest(db::Transaction& tx, const Unsettled& unsettled,
                   const std::vector<std::int64_t>& names);

// What all settled points of a run leave behind, by the number of their key.
using WholeMetrics = std::vector<std::pair<std::int64_t, LatestMetric>>;
Result<WholeMetrics> ReadWhole(db::Reader& reader, std::int64_t run);
// In place of what is there; nothing when the run is gone.
Result<> PutWhole(db::Transaction& tx, std::int64_t run,
                  std::span<const std::pair<std::int64_t, LatestMetric>> whole);
Result<std::vector<std::int64_t>> RunsToRecount(db::Reader& reader);

// All points of a key, in no order.
Result<Series> ReadSeriesOf(db::Reader& reader, std::int64_t run, std::string_view key);
// Those of them that are in the tail.
Result<Series> ReadTailOf(db::Reader& reader, std::int64_t run, std::string_view key);
// With what is not settled yet.
Result<std::map<std::string, LatestMetric>> ReadLatest(db::Reader& reader, std::int64_t run);

// --- compaction ----------------------------------------------------------------------------------
// So many batches of a run may wait before it is compacted.
inline constexpr std::int64_t kBatchesWaitingMax = 64;

// Runs whose tail is due, because it is long or because they have ended.
struct DueRuns {
  std::vector<std::int64_t> runs;
  std::int64_t last = 0;  // that was looked at; 0 = none is behind it
};
Result<DueRuns> ReadDueRuns(db::Reader& reader, std::int64_t after);

struct Tail {
  std::vector<std::int64_t> sequences;
  std::vector<std::string> batches;
  bool more = false;  // there are more
};
// Those that are settled, the first ones.
Result<Tail> ReadTail(db::Reader& reader, std::int64_t run, std::size_t batches_max,
                      std::size_t bytes_max);
Result<bool> HasBatch(db::Reader& reader, std::int64_t run, std::int64_t sequence);
// All up to there.
Result<> DropTail(db::Transaction& tx, std::int64_t run, std::int64_t last);

struct SegmentPlace {
  std::int64_t sequence = 0;  // of its key
  std::int64_t points = 0;
  std::int64_t through = 0;  // the last batch whose points are in it
};
// The last ones of a key, the last first: more than are ever merged.
Result<std::vector<SegmentPlace>> ReadLastSegments(db::Reader& reader, std::int64_t run,
                                                   std::int64_t name);
// Appends.
Result<> ReadSegment(db::Reader& reader, std::int64_t run, std::int64_t name, std::int64_t sequence,
                     Series* series);

struct Segment {
  std::int64_t sequence = 0;
  Series series;
};
struct SegmentRow {
  std::int64_t name = 0, sequence = 0, through = 0;
  std::int64_t first_step = 0, last_step = 0, point_count = 0;
  double least = 0, most = 0;  // NaN = none is a number
  std::string points;
  std::string whole, blocks;  // what a chart needs of it
};
SegmentRow EncodeSegment(std::int64_t name, const Segment& segment);
// Of one key: the rows come in place of all segments from there on.
struct SegmentChange {
  std::int64_t name = 0, from = 0;
  std::vector<SegmentRow> rows = {};
};
Result<> PutSegments(db::Transaction& tx, std::int64_t run, const SegmentChange& change);

}  // namespace gyre::tracking
