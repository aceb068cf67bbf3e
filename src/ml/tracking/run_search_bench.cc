// What a search among many runs costs: run_search_bench BUILD [RUNS [FOLDER]]
//   fills a new database, FOLDER/gyre.db (default: a temporary one), with 100,000 runs of 10
//   metrics, 5 params and 3 tags, and prints for each search its CPU and wall time per page, the
//   median of many.
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/run_rows_for_tests.h"
#include "ml/tracking/run_search.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

double CpuMillis() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto millis = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return millis(usage.ru_utime) + millis(usage.ru_stime);
}

RunForTests MakeRun(std::mt19937& random, std::int64_t number) {
  std::uniform_real_distribution<double> uniform;
  RunForTests run = {.number = number, .experiment = 1, .project = "default"};
  run.id = fmt::format("{:08x}{:08x}{:016x}", random(), random(), number);
  run.name = fmt::format("run-{}", random() % 100'000);
  run.user_name = fmt::format("user{}", random() % 20);
  if (number % 10'000 == 0) run.status = "running";
  run.started_us = 1'700'000'000'000'000 + number * 1'000'000;
  run.ended_us = run.started_us + 5'000'000;
  for (int i = 0; i < 8; ++i) {
    const double value = uniform(random);
    run.metrics[fmt::format("m{}", i)] = {value, value / 2, value + 1};
  }
  run.metrics["epochs"] = {static_cast<double>(random() % 5)};
  if (number % 100 == 0) run.metrics["rare"] = {uniform(random)};
  for (int i = 0; i < 4; ++i) run.params[fmt::format("p{}", i)] = std::to_string(random() % 10);
  run.params["key"] = fmt::format("key{}", random() % 5'000);
  for (int i = 0; i < 3; ++i) run.tags[fmt::format("t{}", i)] = fmt::format("tag{}", random() % 50);
  return run;
}

// Takes the indexes off, and answers what makes them again: of many million rows in no order they
// are made in minutes when all the rows are there, and in hours row by row.
Result<std::vector<std::string>> TakeIndexes(db::Database& database) {
  std::vector<std::string> made, names;
  GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(
        tx.Query("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND "
                 "tbl_name IN ('tracking_run', 'tracking_metric', 'tracking_run_param', "
                 "'tracking_run_tag')",
                 {}, [&](const db::Row& row) -> Result<> {
                   names.push_back(row.Str(0));
                   made.push_back(row.Str(1));
                   return {};
                 }));
    for (const std::string& name : names) GYRE_DO(tx.Execute("DROP INDEX " + name, {}));
    return {};
  }));
  return made;
}

Result<> Fill(db::Database& database, std::int64_t runs) {
  GYRE_DO(database.Write([](db::Transaction& tx) { return WriteExperiment(tx, 1, "default"); }));
  GYRE_TRY(const std::vector<std::string> indexes, TakeIndexes(database));
  std::mt19937 random(1);  // NOLINT: the same every time
  for (std::int64_t number = 1; number <= runs;) {
    GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
      for (int i = 0; i < 2'000 && number <= runs; ++i, ++number)
        GYRE_DO(WriteRun(tx, MakeRun(random, number)));
      return {};
    }));
  }
  for (const std::string& index : indexes)
    GYRE_DO(database.Write([&](db::Transaction& tx) { return tx.Execute(index, {}); }));
  return {};
}

struct Case {
  std::string_view what, filter, order;
  int limit = 100;
  int page = 0;  // this one is measured
};
constexpr Case kCases[] = {
    {"newest", "", ""},
    {"newest, 1,000 a page", "", "", 1'000},
    {"newest, page 90", "", "", 100, 90},
    {"metric filter, order by another", "metrics.m0 > 0.5", "metrics.m1 DESC"},
    {"the same, 1,000 a page", "metrics.m0 > 0.5", "metrics.m1 DESC", 1'000},
    {"the same, page 90", "metrics.m0 > 0.5", "metrics.m1 DESC", 100, 90},
    {"metric filter and order by it", "metrics.m0 > 0.9", "metrics.m0 DESC"},
    {"few by a param", "params.key = 'key7'", "metrics.m1 DESC"},
    {"many by a param", "params.p0 = '3'", "metrics.m1 DESC"},
    {"few by a metric", "metrics.m0 > 0.9995 AND metrics.m1 < 0.5", ""},
    {"two params", "params.p0 = '3' AND params.p1 = '4'", ""},
    {"LIKE", "params.key LIKE 'key77%'", ""},
    {"OR", "params.key = 'key7' OR params.key = 'key8'", ""},
    {"tag and time", "tags.t0 = 'tag7' AND start_time > 1700050000000", "start_time ASC"},
    {"by a metric with 5 values", "", "metrics.epochs DESC"},
    {"by a metric that one in 100 has", "", "metrics.rare"},
    {"the same, page 15: those without it", "", "metrics.rare", 100, 15},
    {"by a param", "", "params.key"},
    {"by two metrics", "", "metrics.epochs DESC,metrics.m1"},
    {"by the name", "", "run_name"},
    {"by the least of a metric", "min.m0 > 0.1", "min.m0"},
    {"nothing is like it", "params.p1 LIKE 'zzz%'", ""},
    {"at work", "status = 'RUNNING'", ""},
    {"by id", "run_id IN ('a', 'b')", ""},
};

Result<RunSearch> SearchOf(const Case& one) {
  RunSearch search = {.project = "default", .experiments = {1}, .limit = one.limit};
  GYRE_TRY(search.filter, ParseFilter(one.filter, kRunFields));
  std::vector<std::string> order;
  for (std::size_t from = 0; from < one.order.size();) {
    const std::size_t to = std::min(one.order.find(',', from), one.order.size());
    order.emplace_back(one.order.substr(from, to - from));
    from = to + 1;
  }
  GYRE_TRY(search.order, ParseOrder(order, kRunFields));
  return search;
}

Result<> Measure(RunSearcher& searcher, const Case& one) {
  GYRE_TRY(RunSearch search, SearchOf(one));
  FoundRuns found;
  for (int page = 0; page < one.page; ++page) {
    GYRE_TRY(found, searcher.Find(search));
    search.page_token = found.next_page_token;
  }
  std::vector<double> cpu, wall;
  const double begin = CpuMillis();
  while (cpu.size() < 50 && (cpu.size() < 3 || CpuMillis() - begin < 1'000)) {
    const double cpu_before = CpuMillis();
    const std::int64_t before = SystemClock().MonotonicMicros();
    GYRE_TRY(found, searcher.Find(search));
    wall.push_back(static_cast<double>(SystemClock().MonotonicMicros() - before) / 1e3);
    cpu.push_back(CpuMillis() - cpu_before);
  }
  std::ranges::sort(cpu);
  std::ranges::sort(wall);
  fmt::print("{:<38} {:>6} runs  {:>9.3f} CPU-ms  {:>9.3f} ms\n", one.what, found.ids.size(),
             cpu[cpu.size() / 2], wall[wall.size() / 2]);
  return {};
}

Result<> Main(std::int64_t runs, const std::string& folder) {
  GYRE_TRY(const auto database, db::OpenSqlite({.path = folder + "/gyre.db"}));
  const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                      usage::UsageSchema(), trash::TrashSchema(), TrackingSchema()};
  GYRE_DO(database->Migrate(schemas));
  const double before = CpuMillis();
  GYRE_DO(Fill(*database, runs));
  const auto bytes = static_cast<double>(std::filesystem::file_size(folder + "/gyre.db"));
  fmt::print("{} runs written in {:.1f} CPU-s, {:.0f} MB\n", runs, (CpuMillis() - before) / 1e3,
             bytes / 1e6);
  RunSearcher searcher(*database);
  for (const Case& one : kCases) GYRE_DO(Measure(searcher, one));
  return {};
}

}  // namespace
}  // namespace gyre::tracking

int main(int count, char** arguments) {
  char pattern[] = "/tmp/gyre-run-search-bench-XXXXXX";
  const std::string folder = count > 3 ? arguments[3] : mkdtemp(pattern);
  const std::int64_t runs = count > 2 ? atoll(arguments[2]) : 100'000;
  const auto done = gyre::tracking::Main(runs, folder);
  if (count <= 3) std::filesystem::remove_all(folder);
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().ToString());
  return 1;
}
