#include "ml/tracking/charts.h"

#include <limits>
#include <utility>

#include "ml/tracking/metric_frames.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

Result<> Check(const ChartQuery& query) {
  if (query.points < kChartPointsMin || query.points > kChartPointsMax)
    return InvalidArgument("GY3436", "a chart has {} to {} points, not {}", kChartPointsMin,
                           kChartPointsMax, query.points);
  if (query.run_ids.size() * query.keys.size() > kChartSeriesMax)
    return InvalidArgument("GY3436", "{} runs with {} metrics are more than {} series",
                           query.run_ids.size(), query.keys.size(), kChartSeriesMax)
        .Fix("ask for fewer runs or metrics at once");
  return {};
}

Result<std::int64_t> StartOf(db::Reader& reader, const RunKey& run) {
  std::int64_t started_us = 0;
  GYRE_TRY([[maybe_unused]] const bool found,
           reader.QueryOne("SELECT started_us FROM tracking_run WHERE number = ?1", {run.number},
                           [&](const db::Row& row) { started_us = row.Int(0); }));
  return started_us;
}

// Times since the start as times; far beyond any, they stay there.
std::optional<std::int64_t> Shifted(std::optional<std::int64_t> at, std::int64_t by) {
  if (!at) return at;
  std::int64_t moved = 0;
  if (!__builtin_add_overflow(*at, by, &moved)) return moved;
  return *at > 0 ? std::numeric_limits<std::int64_t>::max()
                 : std::numeric_limits<std::int64_t>::min();
}

FrameQuery FrameOf(const ChartQuery& query, std::int64_t started_us) {
  FrameQuery frame{.order = query.axis == Axis::kStep ? SeriesOrder::kByStep : SeriesOrder::kByTime,
                   .from = query.from,
                   .to = query.to,
                   .points = static_cast<std::size_t>(query.points)};
  if (query.axis != Axis::kElapsed) return frame;
  frame.from = Shifted(frame.from, started_us);
  frame.to = Shifted(frame.to, started_us);
  return frame;
}

}  // namespace

Result<std::vector<Chart>> Charts::Read(const ChartQuery& query) const {
  GYRE_DO(Check(query));
  std::vector<Chart> charts;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const std::string& run_id : query.run_ids) {
      GYRE_TRY(const RunKey run, FindRun(reader, run_id));
      if (run.project != query.project)
        return NotFound("GY3401", "there is no run `{}` in project {}", run_id, query.project);
      GYRE_TRY(const std::int64_t started_us, StartOf(reader, run));
      for (const std::string& key : query.keys) {
        GYRE_TRY(Frame frame, ReadFrame(reader, run.number, key, FrameOf(query, started_us)));
        if (frame.points == 0) continue;
        charts.push_back({run_id, key, started_us, frame.points, std::move(frame.shown)});
      }
    }
    return {};
  }));
  return charts;
}

}  // namespace gyre::tracking
