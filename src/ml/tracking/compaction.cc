#include "ml/tracking/compaction.h"

#include <algorithm>
#include <bit>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "ml/tracking/metric_codec.h"
#include "ml/tracking/names.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kBatchesAtOnce = 256, kTailBytesAtOnce = 8U << 20U, kBytesAtOnce = 2U << 20U;

struct Added {
  std::int64_t sequence = 0;  // of its batch
  Series series;
};
using AddedByKey = std::map<std::string, std::vector<Added>, std::less<>>;

Result<AddedByKey> Decode(const Tail& tail) {
  AddedByKey by_key;
  for (std::size_t i = 0; i < tail.batches.size(); ++i)
    GYRE_DO(DecodePoints(tail.batches[i], {}, [&](std::string_view key, Series&& series) {
      by_key.try_emplace(std::string(key))
          .first->second.push_back({tail.sequences[i], std::move(series)});
    }));
  return by_key;
}

// Each class is eight times the one before it.
int ClassOf(std::int64_t points) {
  constexpr int kBitsOfEight = 3;
  return (std::bit_width(static_cast<std::uint64_t>(points)) - 1) / kBitsOfEight;
}

// How many of the last segments become one with so many new points.
std::size_t CountToMerge(const std::vector<SegmentPlace>& last, std::int64_t points) {
  std::size_t merged = 0;
  while (true) {
    std::size_t alike = merged;
    std::int64_t sum = points;
    while (alike < last.size() && last[alike].points < static_cast<int>(kSegmentPoints) &&
           ClassOf(last[alike].points) <= ClassOf(points))
      sum += last[alike++].points;
    if (alike - merged + 1 < kMergedAtOnce) return merged;
    merged = alike;
    points = sum;
  }
}

Series TakeFirst(std::size_t count, Series* from) {
  Series part;
  const auto take = [count](auto& all, auto& some) {
    some.assign(all.begin(), all.begin() + static_cast<long>(count));
    all.erase(all.begin(), all.begin() + static_cast<long>(count));
  };
  take(from->steps, part.steps);
  take(from->times_us, part.times_us);
  take(from->values, part.values);
  return part;
}

Result<SegmentChange> ChangeOf(db::Reader& reader, std::int64_t run, std::int64_t name,
                               std::span<const Added> batches) {
  SegmentChange change{.name = name};
  GYRE_TRY(const auto last, ReadLastSegments(reader, run, name));
  Series news;
  for (const Added& batch : batches)
    if (last.empty() || batch.sequence > last.front().through) news.Append(batch.series);
  if (news.size() == 0) return change;
  const std::size_t merged = CountToMerge(last, static_cast<std::int64_t>(news.size()));
  change.from = merged > 0      ? last[merged - 1].sequence
                : !last.empty() ? last.front().sequence + 1
                                : 1;
  Series series;
  for (std::size_t i = merged; i > 0; --i)
    GYRE_DO(ReadSegment(reader, run, name, last[i - 1].sequence, &series));
  series.Append(news);
  Settle(SeriesOrder::kByStep, &series);
  for (std::int64_t sequence = change.from; series.size() > 0; ++sequence) {
    const Series part = TakeFirst(std::min(series.size(), kSegmentPoints), &series);
    change.rows.push_back(EncodeSegment(name, {sequence, part}));
    change.rows.back().through = batches.back().sequence;
  }
  return change;
}

std::size_t BytesOf(const SegmentChange& change) {
  std::size_t bytes = 0;
  for (const SegmentRow& row : change.rows) bytes += row.points.size() + row.blocks.size();
  return bytes;
}

// How many of them fit into one short transaction.
std::size_t CountAtOnce(std::span<const SegmentChange> changes) {
  std::size_t count = 0, bytes = 0;
  while (count < changes.size() && count < kKeysAtOnce && (count == 0 || bytes < kBytesAtOnce))
    bytes += BytesOf(changes[count++]);
  return count;
}

}  // namespace

Result<std::vector<SegmentChange>> PlanOf(db::Reader& reader, std::int64_t run, const Tail& tail) {
  std::vector<SegmentChange> changes;
  GYRE_TRY(const AddedByKey by_key, Decode(tail));
  for (const auto& [key, batches] : by_key) {
    GYRE_TRY(const std::int64_t name, NameBook::Find(reader, key));
    GYRE_TRY(SegmentChange change, ChangeOf(reader, run, name, batches));
    if (!change.rows.empty()) changes.push_back(std::move(change));
  }
  return changes;
}

Result<bool> CompactPiece(db::Database& database, MetricSettler& settler, std::int64_t run) {
  GYRE_DO(settler.SettleRuns(std::span(&run, 1)));
  Tail tail;
  std::vector<SegmentChange> changes;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(tail, ReadTail(reader, run, kBatchesAtOnce, kTailBytesAtOnce));
    GYRE_TRY(changes, PlanOf(reader, run, tail));
    return {};
  }));
  if (tail.sequences.empty()) return false;
  // Segments first, the tail last: who reads meanwhile finds points twice and takes them once.
  for (std::span<const SegmentChange> left = changes; !left.empty();) {
    const auto piece = left.first(CountAtOnce(left));
    bool there = false;
    GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(there, HasBatch(tx, run, tail.sequences.back()));
      for (const SegmentChange& change : piece)
        if (there) GYRE_DO(PutSegments(tx, run, change));
      return {};
    }));
    if (!there) return false;  // the run is gone
    left = left.subspan(piece.size());
  }
  GYRE_DO(database.Write(
      [&](db::Transaction& tx) { return DropTail(tx, run, tail.sequences.back()); }));
  return tail.more;
}

}  // namespace gyre::tracking
