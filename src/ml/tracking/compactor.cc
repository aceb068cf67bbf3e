#include "ml/tracking/compactor.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ml/tracking/metric_codec.h"
#include "ml/tracking/metric_store.h"
#include "ml/tracking/names.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kRunsWaitingMax = 10'000;
constexpr std::size_t kSegmentPoints = 8'192;  // a segment that has as many is full
constexpr int kBatchesAtOnce = 256, kRunsAtOnce = 64;
constexpr std::size_t kKeysAtOnce = 500;

struct Piece {
  RunKey run;
  Tail tail;
};

// The segments that a series makes of the last one of its key: that one filled up, then new ones.
void Append(std::int64_t name, Segment last, Series more, std::vector<SegmentRow>* rows) {
  const bool is_full = last.series.size() >= kSegmentPoints;
  Segment segment{std::max<std::int64_t>(last.sequence + (is_full ? 1 : 0), 1), {}};
  if (!is_full) segment.series = std::move(last.series);
  segment.series.Append(more);
  Settle(SeriesOrder::kByStep, &segment.series);
  while (segment.series.size() > 0) {
    Segment part{segment.sequence++, {}};
    const std::size_t count = std::min(segment.series.size(), kSegmentPoints);
    const auto take = [count](auto& from, auto& to) {
      to.assign(from.begin(), from.begin() + static_cast<long>(count));
      from.erase(from.begin(), from.begin() + static_cast<long>(count));
    };
    take(segment.series.steps, part.series.steps);
    take(segment.series.times_us, part.series.times_us);
    take(segment.series.values, part.series.values);
    rows->push_back(EncodeSegment(name, part));
  }
}

}  // namespace

Result<> SettleRuns(db::Database& database, NameBook& names, std::span<const std::int64_t> runs) {
  std::vector<Unsettled> all;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    for (const std::int64_t run : runs) {
      GYRE_TRY(Unsettled unsettled, ReadUnsettled(reader, run));
      if (unsettled.run != 0) all.push_back(std::move(unsettled));
    }
    return {};
  }));
  std::vector<std::vector<std::int64_t>> numbers;
  for (const Unsettled& unsettled : all) {
    std::vector<std::string_view> keys;
    for (const auto& [key, metric] : unsettled.latest) keys.push_back(key);
    GYRE_TRY(auto of_run, names.NumbersOf(keys));
    numbers.push_back(std::move(of_run));
  }
  // Runs of many keys share no transaction: one stays short.
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin, keys = 0;
    while (end < all.size() && (end == begin || keys + numbers[end].size() <= kKeysAtOnce))
      keys += numbers[end++].size();
    GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
      for (std::size_t i = begin; i < end; ++i) GYRE_DO(PutLatest(tx, all[i], numbers[i]));
      return {};
    }));
    begin = end;
  }
  return {};
}

Result<> SettleAll(db::Database& database, NameBook& names) {
  while (true) {
    std::vector<std::int64_t> runs;
    GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(runs, UnsettledRuns(reader, kRunsAtOnce));
      return {};
    }));
    if (runs.empty()) return {};
    GYRE_DO(SettleRuns(database, names, runs));
    if (runs.size() < static_cast<std::size_t>(kRunsAtOnce)) return {};
  }
}

Result<bool> CompactPiece(db::Database& database, NameBook& names, std::string_view run_id) {
  std::int64_t number = 0;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const RunKey run, FindRun(reader, run_id));
    number = run.number;
    return {};
  }));
  GYRE_DO(SettleRuns(database, names, std::span(&number, 1)));
  Piece piece;
  std::map<std::string, Series, std::less<>> by_key;
  std::vector<SegmentRow> rows;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(piece.run, FindRun(reader, run_id));
    GYRE_TRY(piece.tail, ReadTail(reader, piece.run.number, kBatchesAtOnce));
    for (const std::string& batch : piece.tail.batches)
      GYRE_DO(DecodePoints(batch, {}, [&](std::string_view key, Series&& series) {
        by_key.try_emplace(std::string(key)).first->second.Append(series);
      }));
    for (auto& [key, series] : by_key) {
      GYRE_TRY(const std::int64_t name, NameBook::Find(reader, key));
      GYRE_TRY(Segment last, ReadLastSegment(reader, piece.run.number, name));
      Append(name, std::move(last), std::move(series), &rows);
    }
    return {};
  }));
  if (piece.tail.sequences.empty()) return false;
  GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool replaced,
             ReplaceTail(tx, piece.run.number, piece.tail.sequences, rows));
    return {};
  }));
  return piece.tail.sequences.size() == static_cast<std::size_t>(kBatchesAtOnce);
}

MetricCompactor::MetricCompactor(db::Database& database, NameBook& names)
    : database_(database), names_(names) {}

MetricCompactor::~MetricCompactor() {
  const MutexLock held(mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

void MetricCompactor::Add(std::string_view run_id) {
  const MutexLock held(mutex_);
  if (runs_.size() >= kRunsWaitingMax) return;
  runs_.emplace(run_id);
  // Most processes never write a point: the thread begins with the first that does.
  if (!std::exchange(started_, true))
    thread_ = exec::Worker("tracking", [this](const exec::StopFlag&) { Run(); });
  changed_.NotifyAll();
}

bool MetricCompactor::Take(std::string* run_id) {
  const MutexLock held(mutex_);
  while (runs_.empty() && !ended_) changed_.Wait(mutex_);
  if (ended_) return false;
  *run_id = *runs_.begin();
  runs_.erase(runs_.begin());
  return true;
}

void MetricCompactor::Run() {
  std::string run_id;
  while (Take(&run_id)) {
    // A run that is gone, or a disk that is full: what waits is asked for again.
    if (const auto more = CompactPiece(database_, names_, run_id); more && *more) Add(run_id);
  }
}

}  // namespace gyre::tracking
