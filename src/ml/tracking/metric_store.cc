#include "ml/tracking/metric_store.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <tuple>

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
  std::int64_t sequence = 0;
  GYRE_TRY([[maybe_unused]] const bool found,
           tx.QueryOne("SELECT COALESCE(MAX(sequence), 0) + 1 FROM tracking_metric_tail WHERE run "
                       "= ?1",
                       {run.number}, [&](const db::Row& row) { sequence = row.Int(0); }));
  GYRE_DO(tx.Execute("INSERT INTO tracking_metric_tail (run, sequence, points) VALUES (?1, ?2, ?3)",
                     {run.number, sequence, db::Bytes{points}}));
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_metric_unsettled (run, first) VALUES (?1, ?2) ON CONFLICT "
                 "(run) DO NOTHING",
                 {run.number, sequence}));
  return sequence;
}

Result<Unsettled> ReadUnsettled(db::Reader& reader, std::int64_t run) {
  Unsettled unsettled;
  GYRE_TRY(const bool found,
           reader.QueryOne("SELECT first FROM tracking_metric_unsettled WHERE run = ?1", {run},
                           [&](const db::Row& row) { unsettled.first = row.Int(0); }));
  if (!found) return unsettled;
  unsettled.run = run;
  const auto add = [&](std::string_view key, const Series& series) {
    for (std::size_t i = 0; i < series.size(); ++i) {
      const LatestMetric point{series.values[i], series.steps[i], series.times_us[i], 1,
                               series.values[i], series.values[i]};
      const auto at = unsettled.latest.try_emplace(std::string(key), point);
      if (!at.second) Merge(point, &at.first->second);
    }
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

Result<std::vector<std::int64_t>> UnsettledRuns(db::Reader& reader, int runs_max) {
  return db::Collect<std::int64_t>(
      reader, "SELECT run FROM tracking_metric_unsettled ORDER BY run LIMIT ?1", {runs_max},
      [](const db::Row& row) { return row.Int(0); });
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

Result<Tail> ReadTail(db::Reader& reader, std::int64_t run, int batches_max) {
  Tail tail;
  GYRE_DO(reader.Query(
      "SELECT sequence, points FROM tracking_metric_tail WHERE run = ?1 AND sequence < "
      "COALESCE((SELECT first FROM tracking_metric_unsettled WHERE run = ?1), "
      "9223372036854775807) ORDER BY sequence LIMIT ?2",
      {run, batches_max}, [&](const db::Row& row) -> Result<> {
        tail.sequences.push_back(row.Int(0));
        tail.batches.push_back(row.Str(1));
        return {};
      }));
  return tail;
}

Result<Segment> ReadLastSegment(db::Reader& reader, std::int64_t run, std::int64_t name) {
  Segment segment;
  Result<> decoded;
  GYRE_TRY(
      [[maybe_unused]] const bool found,
      reader.QueryOne("SELECT sequence, points FROM tracking_metric_segment WHERE run = ?1 AND "
                      "name = ?2 ORDER BY sequence DESC LIMIT 1",
                      {run, name}, [&](const db::Row& row) {
                        segment.sequence = row.Int(0);
                        decoded = DecodeSeries(row.Text(1), &segment.series);
                      }));
  GYRE_DO(decoded);
  return segment;
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
      "point_count, least, most, points) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
      "ON CONFLICT (run, name, sequence) DO UPDATE SET first_step = excluded.first_step, "
      "last_step = excluded.last_step, point_count = excluded.point_count, least = "
      "excluded.least, most = excluded.most, points = excluded.points",
      {run, s.name, s.sequence, s.first_step, s.last_step, s.point_count, Number(s.least),
       Number(s.most), db::Bytes{s.points}}));
  return tx.Execute(
      "INSERT INTO tracking_metric_block (run, name, sequence, whole, blocks) VALUES (?1, ?2, ?3, "
      "?4, ?5) ON CONFLICT (run, name, sequence) DO UPDATE SET whole = excluded.whole, blocks = "
      "excluded.blocks",
      {run, s.name, s.sequence, db::Bytes{s.whole}, db::Bytes{s.blocks}});
}

}  // namespace

Result<bool> ReplaceTail(db::Transaction& tx, std::int64_t run,
                         const std::vector<std::int64_t>& sequences,
                         const std::vector<SegmentRow>& segments) {
  std::int64_t there = 0;
  GYRE_TRY(
      [[maybe_unused]] const bool counted,
      tx.QueryOne("SELECT COUNT(*) FROM tracking_metric_tail WHERE run = ?1 AND sequence <= ?2",
                  {run, sequences.back()}, [&](const db::Row& row) { there = row.Int(0); }));
  if (there != static_cast<std::int64_t>(sequences.size())) return false;
  for (const SegmentRow& segment : segments) GYRE_DO(PutSegment(tx, run, segment));
  GYRE_DO(tx.Execute("DELETE FROM tracking_metric_tail WHERE run = ?1 AND sequence <= ?2",
                     {run, sequences.back()}));
  return true;
}

}  // namespace gyre::tracking
