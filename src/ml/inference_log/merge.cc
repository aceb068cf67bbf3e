#include "ml/inference_log/merge.h"

#include <algorithm>
#include <vector>

#include "base/id.h"
#include "ml/inference_log/segment_file.h"
#include "ml/inference_log/store.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

constexpr int kWorthIt = 32;  // files

template <class Row>
struct Merged {
  Json facts;
  table::Frame frame;
  std::vector<Row> sources;
};

// What must be alike: of segments the deployment and its policy, of labels their type.
bool Alike(const Json& a, const Json& b) {
  Json left = a, right = b;
  for (const std::string_view own : {"rows", "id"}) {
    left.Set(own, nullptr);
    right.Set(own, nullptr);
  }
  return left == right;
}

// Nothing when it does not fit to what was taken before.
template <class Row>
Result<> Take(blob::Store& blobs, const Row& source, Merged<Row>* merged) {
  const std::string& name = source.object.digest;
  GYRE_TRY(const std::string bytes, blobs.Get(name));
  GYRE_TRY(const Json facts, FactsOf(bytes, name));
  table::Frame frame;
  GYRE_DO(ForEachFrameOf(bytes, name, [&](table::Frame& part) -> Result<> {
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
    if (!Alike(facts, merged->facts) || frame.schema() != merged->frame.schema()) return {};
    table::AppendFrame(frame, &merged->frame);
  }
  merged->sources.push_back(source);
  return {};
}

template <class Row>
Result<Merged<Row>> TakeAll(blob::Store& blobs, const std::vector<Row>& small,
                            std::int64_t bytes_max) {
  Merged<Row> merged;
  std::int64_t bytes = 0;
  for (const Row& source : small) {
    bytes += source.object.size_bytes;
    if (bytes > bytes_max && merged.sources.size() >= 2) break;
    const auto taken = Take(blobs, source, &merged);
    if (!taken && taken.error().code() != Code::kDataLoss) return taken.error();
  }
  return merged;
}

template <class Row>
Result<blob::Object> Write(blob::Store& blobs, Merged<Row>& merged) {
  merged.facts.Set("id", NewId());
  if (merged.facts.Has("rows"))
    merged.facts.Set("rows", static_cast<std::int64_t>(merged.frame.rows()));
  std::string bytes;
  AppendHead(merged.facts, &bytes);
  AppendFrameRecord(merged.frame, &bytes);
  return blobs.Put(bytes);
}

Result<> MergeSegments(db::Database& database, blob::Store& blobs, const Clock& clock,
                       const LogSettings& settings) {
  std::vector<SegmentRow> small;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(small, SmallSegments(reader, settings.segment_rows_max / 4, kWorthIt));
    return {};
  }));
  GYRE_TRY(auto merged, TakeAll(blobs, small, settings.segment_bytes_max));
  if (merged.sources.size() < 2) return {};
  SegmentRow row = merged.sources.front();
  row.id = NewId();
  row.rows = static_cast<std::int64_t>(merged.frame.rows());
  for (const SegmentRow& source : merged.sources) {
    row.event_min_us = std::min(row.event_min_us, source.event_min_us);
    row.event_max_us = std::max(row.event_max_us, source.event_max_us);
    row.received_max_us = std::max(row.received_max_us, source.received_max_us);
  }
  row.sealed_us = clock.NowMicros();
  GYRE_TRY(row.object, Write(blobs, merged));
  return database.Write([&](db::Transaction& tx) -> Result<> {
    for (const SegmentRow& source : merged.sources) GYRE_DO(DeleteSegment(tx, source.id));
    return InsertSegment(tx, row);
  });
}

Result<> MergeLabels(db::Database& database, blob::Store& blobs, const LogSettings& settings) {
  std::vector<LabelRow> small;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(small, SmallLabels(reader, settings.segment_rows_max / 4, kWorthIt));
    return {};
  }));
  GYRE_TRY(auto merged, TakeAll(blobs, small, settings.segment_bytes_max));
  if (merged.sources.size() < 2) return {};
  LabelRow row = merged.sources.back();  // the newest: retention counts from it
  row.id = NewId();
  row.rows = static_cast<std::int64_t>(merged.frame.rows());
  GYRE_TRY(row.object, Write(blobs, merged));
  return database.Write([&](db::Transaction& tx) -> Result<> {
    for (const LabelRow& source : merged.sources) GYRE_DO(DeleteLabels(tx, source.id));
    return InsertLabels(tx, row);
  });
}

}  // namespace

Result<> MergeSmall(db::Database& database, blob::Store& blobs, const Clock& clock,
                    const LogSettings& settings) {
  GYRE_DO(MergeSegments(database, blobs, clock, settings));
  return MergeLabels(database, blobs, settings);
}

}  // namespace gyre::inference_log
