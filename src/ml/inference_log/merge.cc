#include "ml/inference_log/merge.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/id.h"
#include "ml/inference_log/segment_file.h"
#include "ml/inference_log/store.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

constexpr int kWorthIt = 32;  // segments

// What stands beside the frame: the same deployment under the same policy.
Json Alike(const Json& facts) {
  Json alike = facts;
  return alike.Set("rows", nullptr);
}

struct Merged {
  Json facts;
  table::Frame frame;
  std::vector<SegmentRow> sources;
};

// Nothing when it does not fit to what was taken before.
Result<> Take(blob::Store& blobs, const SegmentRow& segment, Merged* merged) {
  const auto bytes = blobs.Get(segment.object.digest);
  if (!bytes) return bytes.error();
  GYRE_TRY(const Json facts, FactsOf(*bytes, segment.object.digest));
  table::Frame frame;
  GYRE_DO(ForEachFrameOf(*bytes, segment.object.digest, [&](table::Frame& part) -> Result<> {
    if (frame.columns.empty())
      frame = std::move(part);
    else
      table::AppendFrame(part, &frame);
    return {};
  }));
  if (merged->sources.empty()) {
    merged->facts = facts;
    merged->frame = std::move(frame);
  } else {
    if (Alike(facts) != Alike(merged->facts)) return {};
    table::AppendFrame(frame, &merged->frame);
  }
  merged->sources.push_back(segment);
  return {};
}

Result<> Replace(db::Database& database, blob::Store& blobs, const Clock& clock, Merged merged) {
  SegmentRow row = merged.sources.front();
  row.id = NewId();
  row.rows = 0;
  for (const SegmentRow& source : merged.sources) {
    row.rows += source.rows;
    row.event_min_us = std::min(row.event_min_us, source.event_min_us);
    row.event_max_us = std::max(row.event_max_us, source.event_max_us);
    row.received_max_us = std::max(row.received_max_us, source.received_max_us);
  }
  row.sealed_us = clock.NowMicros();
  merged.facts.Set("rows", row.rows);
  GYRE_TRY(row.object, blobs.Put(FileHead(merged.facts) + FrameRecord(merged.frame)));
  return database.Write([&](db::Transaction& tx) -> Result<> {
    for (const SegmentRow& source : merged.sources) {
      // Retention may have been faster: then nothing is brought back.
      GYRE_DO(tx.Execute("UPDATE inference_segment SET sealed_us = sealed_us WHERE id = ?1",
                         {source.id}));
      if (tx.changes() != 1)
        return MakeError(Code::kAborted, "GY4605", "segment {} has gone meanwhile", source.id);
      GYRE_DO(DeleteSegment(tx, source.id));
    }
    return InsertSegment(tx, row);
  });
}

}  // namespace

Result<> MergeSmall(db::Database& database, blob::Store& blobs, const Clock& clock,
                    const LogSettings& settings) {
  std::vector<SegmentRow> small;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(small, SmallSegments(reader, settings.segment_rows_max / 4, kWorthIt));
    return {};
  }));
  if (small.empty()) return {};
  Merged merged;
  std::int64_t bytes = 0;
  for (const SegmentRow& segment : small) {
    bytes += segment.object.size_bytes;
    if (bytes > settings.segment_bytes_max && merged.sources.size() >= 2) break;
    const auto taken = Take(blobs, segment, &merged);
    if (!taken && taken.error().code() != Code::kDataLoss) return taken.error();
  }
  if (merged.sources.size() < 2) return {};
  return Replace(database, blobs, clock, std::move(merged));
}

}  // namespace gyre::inference_log
