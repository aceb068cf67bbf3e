// What a chart of a long series costs, beside reading all of it:
//
//   build/bench/ml_tracking_charts_bench [POINTS]
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <random>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/charts.h"
#include "ml/tracking/run_stamps.h"
#include "ml/tracking/tracking.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

double CpuMillis() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// A noisy loss, logged as programs do: a batch at a time, the clock a little uneven.
Result<std::string> Fill(Tracking& tracking, std::int64_t points) {
  constexpr std::int64_t kBatch = 10'000;
  GYRE_TRY(const Run run, tracking.CreateRun({.project = "p"}));
  std::mt19937 random(1);
  std::int64_t time_us = run.started_us;
  for (std::int64_t begin = 0; begin < points; begin += kBatch) {
    Batch batch;
    for (std::int64_t step = begin; step < std::min(begin + kBatch, points); ++step) {
      time_us += 900 + random() % 200;
      const double noise = static_cast<double>(random() % 1000) / 1e4;
      batch.metrics.push_back({"loss", 1e4 / static_cast<double>(step + 1) + noise, step, time_us});
    }
    GYRE_DO(tracking.LogBatch(run.id, batch));
  }
  GYRE_DO(tracking.EndRun(run.id, {}));
  return run.id;
}

Result<bool> IsCompact(db::Database& database) {
  bool waits = false;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(waits, reader.QueryOne("SELECT 1 FROM tracking_metric_tail LIMIT 1", {},
                                    [](const db::Row&) {}));
    return {};
  }));
  return !waits;
}

template <class Work>
Result<> Measure(std::string_view what, const Work& work) {
  constexpr int kTimes = 20;
  std::size_t points = 0;
  const double before = CpuMillis();
  for (int i = 0; i < kTimes; ++i) {
    GYRE_TRY(points, work());
  }
  fmt::print("{:<44} {:>9} points {:>9.3f} CPU-ms\n", what, points,
             (CpuMillis() - before) / kTimes);
  return {};
}

Result<> Main(std::int64_t points, const std::string& folder) {
  GYRE_TRY(const auto database, db::OpenSqlite({.path = folder + "/runs.db"}));
  const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                      usage::UsageSchema(), trash::TrashSchema(), TrackingSchema()};
  GYRE_DO(database->Migrate(schemas));
  RunStamps stamps;
  GYRE_TRY(const auto tracking, OpenTracking(*database, SystemClock(), stamps));
  GYRE_TRY(const std::string run, Fill(*tracking, points));
  for (bool compact = false; !compact; usleep(10'000)) {
    GYRE_TRY(compact, IsCompact(*database));
  }
  const Charts charts(*database);
  const auto chart = [&](ChartQuery query) -> Result<std::size_t> {
    query.project = "p";
    query.run_ids = {run};
    query.keys = {"loss"};
    GYRE_TRY(const auto read, charts.Read(query));
    return read.empty() ? 0 : read[0].shown.size();
  };
  GYRE_DO(Measure("chart of 1,000 points", [&] { return chart({.points = 1'000}); }));
  GYRE_DO(Measure("chart of 1,000 points along time",
                  [&] { return chart({.points = 1'000, .axis = Axis::kTime}); }));
  GYRE_DO(Measure("chart of a tenth of it", [&] {
    return chart({.points = 1'000, .from = points / 3, .to = points / 3 + points / 10});
  }));
  GYRE_DO(Measure("chart of 10,000 points", [&] { return chart({.points = 10'000}); }));
  return Measure("all points", [&]() -> Result<std::size_t> {
    GYRE_TRY(const Series all, tracking->ReadSeries(run, "loss", SeriesOrder::kByStep));
    return all.size();
  });
}

}  // namespace
}  // namespace gyre::tracking

int main(int count, char** arguments) {
  char pattern[] = "/tmp/gyre-charts-bench-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  const std::int64_t points = count > 1 ? atoll(arguments[1]) : 1'000'000;
  const auto done = gyre::tracking::Main(points, folder);
  std::filesystem::remove_all(folder);
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().ToString());
  return 1;
}
