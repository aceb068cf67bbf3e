#include "ml/inference_log/merge.h"

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "base/id.h"
#include "ml/inference_log/segment_file.h"
#include "ml/inference_log/store.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

constexpr std::int64_t kWorthIt = 32;  // files

template <class Row>
struct Merged {
  Json facts;
  table::Frame frame;
  std::vector<Row> sources;
};

// What must be alike: of segments the deployment and its policy, of labels their type.
std::string Kind(Json facts) {
  for (const std::string_view own : {"rows", "id"}) facts.Set(own, nullptr);
  return facts.DumpCanonical();
}

// By what must be alike; damaged ones are left out.
template <class Row>
Result<std::map<std::string, std::vector<Row>>> Grouped(blob::Store& blobs,
                                                        const std::vector<Row>& small) {
  std::map<std::string, std::vector<Row>> groups;
  for (const Row& source : small) {
    const std::string& name = source.object.digest;
    const auto facts = [&]() -> Result<Json> {
      GYRE_TRY(const std::string bytes, blobs.Get(name));
      return FactsOf(bytes, name);
    }();
    if (facts)
      groups[Kind(*facts)].push_back(source);
    else if (facts.error().code() != Code::kDataLoss)
      return facts.error();
  }
  return groups;
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
    if (frame.schema() != merged->frame.schema()) return {};
    table::AppendFrame(frame, &merged->frame);
  }
  merged->sources.push_back(source);
  return {};
}

template <class Row>
Result<Merged<Row>> TakeAll(blob::Store& blobs, const std::vector<Row>& alike,
                            std::int64_t bytes_max) {
  Merged<Row> merged;
  std::int64_t bytes = 0;
  for (const Row& source : alike) {
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

Result<> ReplaceSegments(db::Database& database, blob::Store& blobs, const Clock& clock,
                         Merged<SegmentRow>& merged) {
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

Result<> ReplaceLabels(db::Database& database, blob::Store& blobs, Merged<LabelRow>& merged) {
  LabelRow row = merged.sources.back();  // the newest: retention counts from it
  row.id = NewId();
  row.rows = static_cast<std::int64_t>(merged.frame.rows());
  GYRE_TRY(row.object, Write(blobs, merged));
  return database.Write([&](db::Transaction& tx) -> Result<> {
    for (const LabelRow& source : merged.sources) GYRE_DO(DeleteLabels(tx, source.id));
    return InsertLabels(tx, row);
  });
}

// One owner's small files, one of each kind where there were several: whether there were.
template <class Row>
Result<bool> MergeAlike(blob::Store& blobs, const std::vector<Row>& small, std::int64_t bytes_max,
                        const std::function<Result<>(Merged<Row>&)>& replace) {
  bool any = false;
  GYRE_TRY(const auto groups, Grouped(blobs, small));
  for (const auto& [kind, alike] : groups) {
    if (alike.size() < 2) continue;
    GYRE_TRY(auto merged, TakeAll(blobs, alike, bytes_max));
    if (merged.sources.size() < 2) continue;
    GYRE_DO(replace(merged));
    any = true;
  }
  return any;
}

// The first owner that gives something; those that gave nothing wait until they have enough more.
template <class Owner>
Result<> MergeOne(const std::vector<Counted<Owner>>& owners, std::map<Owner, std::int64_t>* over,
                  const std::function<Result<bool>(const Owner&)>& merge) {
  std::erase_if(*over, [&](const auto& one) {
    return std::ranges::find(owners, one.first, &Counted<Owner>::owner) == owners.end();
  });
  for (const auto& [owner, count] : owners) {
    const auto found = over->find(owner);
    if (found != over->end() && count < found->second + kWorthIt) continue;
    GYRE_TRY(const bool any, merge(owner));
    if (any) return {};
    over->insert_or_assign(owner, count);
  }
  return {};
}

}  // namespace

Result<> MergeSmall(db::Database& database, blob::Store& blobs, const Clock& clock,
                    const LogSettings& settings, SteppedOver* over) {
  const std::int64_t rows_max = settings.segment_rows_max / 4;
  std::vector<Counted<std::string>> streams;
  std::vector<Counted<EndpointName>> endpoints;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(streams, StreamsWithSmall(reader, rows_max, kWorthIt));
    GYRE_TRY(endpoints, EndpointsWithSmall(reader, rows_max, kWorthIt));
    return {};
  }));
  GYRE_DO(MergeOne<std::string>(
      streams, &over->streams, [&](const std::string& stream) -> Result<bool> {
        std::vector<SegmentRow> small;
        GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
          GYRE_TRY(small, SmallSegments(reader, stream, rows_max));
          return {};
        }));
        return MergeAlike<SegmentRow>(blobs, small, settings.segment_bytes_max,
                                      [&](Merged<SegmentRow>& merged) {
                                        return ReplaceSegments(database, blobs, clock, merged);
                                      });
      }));
  return MergeOne<EndpointName>(
      endpoints, &over->endpoints, [&](const EndpointName& name) -> Result<bool> {
        std::vector<LabelRow> small;
        GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
          GYRE_TRY(small, SmallLabels(reader, name, rows_max));
          return {};
        }));
        return MergeAlike<LabelRow>(
            blobs, small, settings.segment_bytes_max,
            [&](Merged<LabelRow>& merged) { return ReplaceLabels(database, blobs, merged); });
      });
}

}  // namespace gyre::inference_log
