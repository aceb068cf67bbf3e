#include "ml/tracking/metric_store.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <tuple>
#include <unordered_set>

#include "ml/tracking/metric_blocks.h"
#include "ml/tracking/metric_codec.h"
#include "ml/tracking/names.h"

namespace gyre::tracking {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double Rank(double value) { return std::isnan(value) ? 0 : value; }
db::Value Number(double value) { return std::isnan(value) ? db::Value(nullptr) : db::Value(value); }
double NumberAt(const db::Row& row, int column) {
  return row.IsNull(column) ? kNaN : row.Real(column);
}

}  // namespace

void Merge(const LatestMetric& later, LatestMetric* metric) {
  if (std::tuple(later.step, later.time_us, Rank(later.value)) >=
      std::tuple(metric->step, metric->time_us, Rank(metric->value)))
    std::tie(metric->value, metric->step, metric->time_us) =
        std::tuple(later.value, later.step, later.time_us);
  metric->points += later.points;
  metric->least = std::fmin(metric->least, later.least);
  metric->most = std::fmax(metric->most, later.most);
}

Result<std::int64_t> PutPoints(db::Transaction& tx, const RunKey& run, std::string_view points) {
  std::int64_t sequence = 0, oldest = 0;
  GYRE_TRY([[maybe_unused]] const bool found,
           tx.QueryOne(
               "SELECT COALESCE((SELECT MAX(sequence) FROM tracking_metric_tail WHERE run = ?1), "
               "(SELECT newest FROM tracking_metric_moved WHERE run = ?1), 0) + 1, (SELECT "
               "MIN(sequence) FROM tracking_metric_tail WHERE run = ?1)",
               {run.number}, [&](const db::Row& row) {
                 sequence = row.Int(0);
                 oldest = row.IsNull(1) ? sequence : row.Int(1);
               }));
  GYRE_DO(tx.Execute("INSERT INTO tracking_metric_tail (run, sequence, points) VALUES (?1, ?2, ?3)",
                     {run.number, sequence, db::Bytes{points}}));
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_metric_unsettled (run, first) VALUES (?1, ?2) ON CONFLICT "
                 "(run) DO NOTHING",
                 {run.number, sequence}));
  return sequence - oldest + 1;
}

namespace {

void AddTo(std::map<std::string, LatestMetric>& latest, std::string_view key,
           const Series& series) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    const LatestMetric point{series.values[i], series.steps[i], series.times_us[i], 1,
                             series.values[i], series.values[i]};
    const auto at = latest.try_emplace(std::string(key), point);
    if (!at.second) Merge(point, &at.first->second);
  }
}

}  // namespace

Result<Unsettled> ReadUnsettled(db::Reader& reader, std::int64_t run) {
  Unsettled unsettled;
  GYRE_TRY(const bool found,
           reader.QueryOne("SELECT first FROM tracking_metric_unsettled WHERE run = ?1", {run},
                           [&](const db::Row& row) { unsettled.first = row.Int(0); }));
  if (!found) return unsettled;
  unsettled.run = run;
  const auto add = [&](std::string_view key, const Series& series) {
    AddTo(unsettled.latest, key, series);
  };
  GYRE_DO(
      reader.Query("SELECT sequence, points FROM tracking_metric_tail WHERE run = ?1 AND "
                   "sequence >= ?2 ORDER BY sequence",
                   {run, unsettled.first}, [&](const db::Row& row) {
                     unsettled.last = row.Int(0);
                     return DecodePoints(row.Text(1), {}, add);
                   }));
  return unsettled;
}

Result<std::vector<std::int64_t>> UnsettledRuns(db::Reader& reader, std::string_view project,
                                                std::span<const std::int64_t> experiments) {
  const std::unordered_set<std::int64_t> asked(experiments.begin(), experiments.end());
  std::vector<std::int64_t> runs;
  GYRE_DO(reader.Query(
      "SELECT u.run, r.experiment FROM tracking_metric_unsettled u JOIN tracking_run r "
      "ON r.number = u.run WHERE r.project = ?1 ORDER BY u.run",
      {project}, [&](const db::Row& row) -> Result<> {
        if (asked.empty() || asked.contains(row.Int(1))) runs.push_back(row.Int(0));
        return {};
      }));
  return runs;
}

namespace {

Result<> PutOne(db::Transaction& tx, std::int64_t run, std::int64_t experiment, std::int64_t name,
                const LatestMetric& m) {
  return tx.Execute(
      "INSERT INTO tracking_metric AS t (run, name, experiment, value, step, time_us, points, "
      "least, most) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
      "ON CONFLICT (run, name) DO UPDATE SET points = t.points + excluded.points, "
      "least = CASE WHEN t.least IS NULL OR excluded.least < t.least THEN excluded.least ELSE "
      "t.least END, "
      "most = CASE WHEN t.most IS NULL OR excluded.most > t.most THEN excluded.most ELSE t.most "
      "END, "
      "value = CASE WHEN (excluded.step, excluded.time_us, COALESCE(excluded.value, 0)) >= "
      "(t.step, t.time_us, COALESCE(t.value, 0)) THEN excluded.value ELSE t.value END, "
      "time_us = CASE WHEN (excluded.step, excluded.time_us) >= (t.step, t.time_us) THEN "
      "excluded.time_us ELSE t.time_us END, "
      "step = CASE WHEN excluded.step > t.step THEN excluded.step ELSE t.step END",
      {run, name, experiment, Number(m.value), m.step, m.time_us, m.points, Number(m.least),
       Number(m.most)});
}

}  // namespace

Result<> PutLatest(db::Transaction& tx, const Unsettled& unsettled,
                   const std::vector<std::int64_t>& names) {
  std::int64_t first = 0, experiment = 0;
  GYRE_TRY(const bool found,
           tx.QueryOne("SELECT u.first, r.experiment FROM tracking_metric_unsettled u JOIN "
                       "tracking_run r ON r.number = u.run WHERE u.run = ?1",
                       {unsettled.run}, [&](const db::Row& row) {
                         first = row.Int(0);
                         experiment = row.Int(1);
                       }));
  if (!found || first != unsettled.first) return {};
  std::size_t at = 0;
  for (const auto& [key, metric] : unsettled.latest)
    GYRE_DO(PutOne(tx, unsettled.run, experiment, names[at++], metric));
  GYRE_TRY(
      const bool more,
      tx.QueryOne("SELECT 1 FROM tracking_metric_tail WHERE run = ?1 AND sequence > ?2 LIMIT 1",
                  {unsettled.run, unsettled.last}, [](const db::Row&) {}));
  if (!more)
    return tx.Execute("DELETE FROM tracking_metric_unsettled WHERE run = ?1", {unsettled.run});
  return tx.Execute("UPDATE tracking_metric_unsettled SET first = ?2 WHERE run = ?1",
                    {unsettled.run, unsettled.last + 1});
}

Result<WholeMetrics> ReadWhole(db::Reader& reader, std::int64_t run) {
  std::map<std::int64_t, std::map<std::string, LatestMetric>> in_segments;
  GYRE_DO(reader.Query("SELECT name, points FROM tracking_metric_segment WHERE run = ?1", {run},
                       [&](const db::Row& row) -> Result<> {
                         Series series;
                         GYRE_DO(DecodeSeries(row.Text(1), &series));
                         AddTo(in_segments[row.Int(0)], "", series);
                         return {};
                       }));
  std::map<std::string, LatestMetric> in_tail;
  GYRE_TRY(const Tail tail, ReadTail(reader, run, SIZE_MAX, SIZE_MAX));
  for (const std::string& batch : tail.batches)
    GYRE_DO(DecodePoints(batch, {}, [&](std::string_view key, const Series& series) {
      AddTo(in_tail, key, series);
    }));
  std::map<std::int64_t, LatestMetric> whole;
  for (const auto& [name, metric] : in_segments) whole.emplace(name, metric.begin()->second);
  for (const auto& [key, metric] : in_tail) {
    GYRE_TRY(const std::int64_t name, NameBook::Find(reader, key));
    const auto at = whole.try_emplace(name, metric);
    if (!at.second) Merge(metric, &at.first->second);
  }
  return WholeMetrics(whole.begin(), whole.end());
}

Result<> PutWhole(db::Transaction& tx, std::int64_t run,
                  std::span<const std::pair<std::int64_t, LatestMetric>> whole) {
  for (const auto& [name, m] : whole)
    GYRE_DO(tx.Execute(
        "INSERT INTO tracking_metric (run, name, experiment, value, step, time_us, points, least, "
        "most) SELECT number, ?2, experiment, ?3, ?4, ?5, ?6, ?7, ?8 FROM tracking_run WHERE "
        "number "
        "= ?1 ON CONFLICT (run, name) DO UPDATE SET value = excluded.value, step = excluded.step, "
        "time_us = excluded.time_us, points = excluded.points, least = excluded.least, most = "
        "excluded.most",
        {run, name, Number(m.value), m.step, m.time_us, m.points, Number(m.least),
         Number(m.most)}));
  return {};
}

Result<std::vector<std::int64_t>> RunsToRecount(db::Reader& reader) {
  return db::Collect<std::int64_t>(reader, "SELECT run FROM tracking_metric_recount ORDER BY run",
                                   {}, [](const db::Row& row) { return row.Int(0); });
}

Result<Series> ReadSeriesOf(db::Reader& reader, std::int64_t run, std::string_view key) {
  Series series;
  GYRE_TRY(const std::int64_t name, NameBook::Find(reader, key));
  GYRE_DO(reader.Query(
      "SELECT points FROM tracking_metric_segment WHERE run = ?1 AND name = ?2 "
      "ORDER BY sequence",
      {run, name}, [&](const db::Row& row) { return DecodeSeries(row.Text(0), &series); }));
  GYRE_TRY(const Series tail, ReadTailOf(reader, run, key));
  series.Append(tail);
  return series;
}

Result<Series> ReadTailOf(db::Reader& reader, std::int64_t run, std::string_view key) {
  Series series;
  GYRE_DO(reader.Query("SELECT points FROM tracking_metric_tail WHERE run = ?1 ORDER BY sequence",
                       {run}, [&](const db::Row& row) {
                         return DecodePoints(
                             row.Text(0), key,
                             [&](std::string_view, Series&& more) { series.Append(more); });
                       }));
  return series;
}

Result<std::map<std::string, LatestMetric>> ReadLatest(db::Reader& reader, std::int64_t run) {
  std::map<std::string, LatestMetric> latest;
  GYRE_DO(reader.Query(
      "SELECT n.name, m.value, m.step, m.time_us, m.points, m.least, m.most FROM "
      "tracking_metric m JOIN tracking_name n ON n.id = m.name WHERE m.run = ?1",
      {run}, [&](const db::Row& row) -> Result<> {
        latest.emplace(row.Str(0), LatestMetric{NumberAt(row, 1), row.Int(2), row.Int(3),
                                                row.Int(4), NumberAt(row, 5), NumberAt(row, 6)});
        return {};
      }));
  GYRE_TRY(const Unsettled unsettled, ReadUnsettled(reader, run));
  for (const auto& [key, metric] : unsettled.latest) {
    const auto at = latest.try_emplace(key, metric);
    if (!at.second) Merge(metric, &at.first->second);
  }
  return latest;
}

Result<DueRuns> ReadDueRuns(db::Reader& reader, std::int64_t after) {
  constexpr int kLookedAtMax = 256;
  DueRuns due;
  due.last = after;
  for (int i = 0; i < kLookedAtMax; ++i) {
    GYRE_TRY(
        const bool found,
        reader.QueryOne("SELECT run FROM tracking_metric_tail WHERE run > ?1 ORDER BY run LIMIT 1",
                        {due.last}, [&](const db::Row& row) { due.last = row.Int(0); }));
    if (!found) {
      due.last = 0;
      return due;
    }
    GYRE_TRY(const bool is_due,
             reader.QueryOne("SELECT 1 FROM tracking_run WHERE number = ?1 AND (status NOT IN "
                             "('scheduled', 'running') OR (SELECT COUNT(*) FROM (SELECT 1 FROM "
                             "tracking_metric_tail WHERE run = ?1 LIMIT ?2) AS first_ones) = ?2)",
                             {due.last, kBatchesWaitingMax}, [](const db::Row&) {}));
    if (is_due) due.runs.push_back(due.last);
  }
  return due;
}

Result<Tail> ReadTail(db::Reader& reader, std::int64_t run, std::size_t batches_max,
                      std::size_t bytes_max) {
  Tail tail;
  std::size_t bytes = 0;
  auto read = reader.Query(
      "SELECT sequence, points FROM tracking_metric_tail WHERE run = ?1 AND sequence < "
      "COALESCE((SELECT first FROM tracking_metric_unsettled WHERE run = ?1), "
      "9223372036854775807) ORDER BY sequence",
      {run}, [&](const db::Row& row) -> Result<> {
        tail.more = bytes >= bytes_max || tail.batches.size() >= batches_max;
        // Ends the query; what the error says is not looked at.
        if (tail.more) return Error(Code::kCancelled, "", "");
        tail.sequences.push_back(row.Int(0));
        tail.batches.push_back(row.Str(1));
        bytes += tail.batches.back().size();
        return {};
      });
  if (!tail.more) GYRE_DO(read);
  return tail;
}

Result<bool> HasBatch(db::Reader& reader, std::int64_t run, std::int64_t sequence) {
  return reader.QueryOne("SELECT 1 FROM tracking_metric_tail WHERE run = ?1 AND sequence = ?2",
                         {run, sequence}, [](const db::Row&) {});
}

Result<> DropTail(db::Transaction& tx, std::int64_t run, std::int64_t last) {
  GYRE_DO(tx.Execute("DELETE FROM tracking_metric_tail WHERE run = ?1 AND sequence <= ?2",
                     {run, last}));
  if (tx.changes() == 0) return {};  // the run is gone
  return tx.Execute(
      "INSERT INTO tracking_metric_moved (run, newest) VALUES (?1, ?2) ON CONFLICT (run) DO UPDATE "
      "SET newest = excluded.newest",
      {run, last});
}

Result<std::vector<SegmentPlace>> ReadLastSegments(db::Reader& reader, std::int64_t run,
                                                   std::int64_t name) {
  return db::Collect<SegmentPlace>(
      reader,
      "SELECT sequence, point_count, through FROM tracking_metric_segment WHERE run = ?1 AND name "
      "= ?2 ORDER BY sequence DESC LIMIT 64",
      {run, name},
      [](const db::Row& row) { return SegmentPlace{row.Int(0), row.Int(1), row.Int(2)}; });
}

Result<> ReadSegment(db::Reader& reader, std::int64_t run, std::int64_t name, std::int64_t sequence,
                     Series* series) {
  return reader.Query(
      "SELECT points FROM tracking_metric_segment WHERE run = ?1 AND name = ?2 AND sequence = ?3",
      {run, name, sequence}, [&](const db::Row& row) { return DecodeSeries(row.Text(0), series); });
}

SegmentRow EncodeSegment(std::int64_t name, const Segment& segment) {
  SegmentRow row;
  row.name = name;
  row.sequence = segment.sequence;
  row.least = row.most = kNaN;
  const Series& series = segment.series;
  row.point_count = static_cast<std::int64_t>(series.size());
  const auto [first, last] = std::ranges::minmax_element(series.steps);
  row.first_step = *first;
  row.last_step = *last;
  for (const double value : series.values) {
    row.least = std::fmin(row.least, value);
    row.most = std::fmax(row.most, value);
  }
  row.points = EncodeSeries(series);
  const std::vector<Block> blocks = BlocksOf(series, 0);
  const Block whole = Summarize(series, 0, series.size(), 0);
  row.blocks = EncodeBlocks(blocks);
  row.whole = EncodeBlocks(std::span(&whole, 1));
  return row;
}

namespace {

Result<> PutSegment(db::Transaction& tx, std::int64_t run, const SegmentRow& s) {
  GYRE_DO(tx.Execute(
      "INSERT INTO tracking_metric_segment (run, name, sequence, first_step, last_step, "
      "point_count, least, most, points, through) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
      "?10)",
      {run, s.name, s.sequence, s.first_step, s.last_step, s.point_count, Number(s.least),
       Number(s.most), db::Bytes{s.points}, s.through}));
  return tx.Execute(
      "INSERT INTO tracking_metric_block (run, name, sequence, whole, blocks) VALUES (?1, ?2, ?3, "
      "?4, ?5)",
      {run, s.name, s.sequence, db::Bytes{s.whole}, db::Bytes{s.blocks}});
}

}  // namespace

Result<> PutSegments(db::Transaction& tx, std::int64_t run, const SegmentChange& change) {
  for (const std::string_view table : {"tracking_metric_segment", "tracking_metric_block"})
    GYRE_DO(tx.Execute(
        fmt::format("DELETE FROM {} WHERE run = ?1 AND name = ?2 AND sequence >= ?3", table),
        {run, change.name, change.from}));
  for (const SegmentRow& row : change.rows) GYRE_DO(PutSegment(tx, run, row));
  return {};
}

}  // namespace gyre::tracking
