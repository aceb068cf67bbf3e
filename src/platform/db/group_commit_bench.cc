// Group commit against one transaction per commit, synchronous=FULL on both, in the same run on the
// same disk.
//   group_commit_bench [FOLDER] [SECONDS]     FOLDER must be on a real disk; default: the current
//   one
#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::db {
namespace {

constexpr Migration kMigrations[] = {
    {1, "init", "CREATE TABLE item (id INTEGER PRIMARY KEY, k TEXT, v TEXT)"}};
constexpr std::string_view kInsert = "INSERT INTO item (k, v) VALUES (?1, ?2)";
constexpr std::string_view kValue = "some value of forty bytes length or so...";

double Now() { return static_cast<double>(SystemClock().MonotonicMicros()) / 1e6; }

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct Rate {
  double per_second, p50_ms, p99_ms, cpu_us;
};

Rate Measure(int clients, double seconds, const std::function<void()>& commit) {
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(clients));
  std::vector<std::thread> threads;
  const double start = Now(), cpu_start = CpuSeconds();
  for (auto& mine : latencies) {
    threads.emplace_back([&] {
      for (double before = Now(); before - start < seconds;) {
        commit();
        const double after = Now();
        mine.push_back(after - before);
        before = after;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double elapsed = Now() - start, cpu = CpuSeconds() - cpu_start;
  std::vector<double> all;
  for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  return {static_cast<double>(all.size()) / elapsed, all[all.size() / 2] * 1e3,
          all[all.size() * 99 / 100] * 1e3, cpu * 1e6 / static_cast<double>(all.size())};
}

void Check(int rc, sqlite3* handle) {
  if (rc == SQLITE_OK || rc == SQLITE_DONE) return;
  std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(handle));
  std::exit(1);
}

Rate OneByOne(const std::string& directory, double seconds) {
  const std::string path = directory + "/one.db";
  sqlite3* handle = nullptr;
  Check(sqlite3_open(path.c_str(), &handle), handle);
  for (const char* sql :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cache_size=-65536",
        "CREATE TABLE item (id INTEGER PRIMARY KEY, k TEXT, v TEXT)"}) {
    Check(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), handle);
  }
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v2(handle, kInsert.data(), -1, &statement, nullptr), handle);
  const Rate rate = Measure(1, seconds, [&] {
    sqlite3_bind_text(statement, 1, "somekey", -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, kValue.data(), static_cast<int>(kValue.size()), SQLITE_STATIC);
    Check(sqlite3_step(statement), handle);
    sqlite3_reset(statement);
  });
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  return rate;
}

Rate Grouped(const std::string& directory, int clients, double seconds) {
  auto opened = OpenSqlite({.path = fmt::format("{}/group{}.db", directory, clients)});
  const ModuleSchema schema{"bench/item", kMigrations};
  if (!opened || !(*opened)->Migrate(std::span(&schema, 1))) std::exit(1);
  Database& database = **opened;
  return Measure(clients, seconds, [&] {
    const auto written =
        database.Write([](Transaction& tx) { return tx.Execute(kInsert, {"somekey", kValue}); });
    if (!written) {
      std::fprintf(stderr, "%s\n", written.error().ToString().c_str());
      std::exit(1);
    }
  });
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Print(const std::string& what, const Rate& rate) {
  fmt::print("  {:<32} {:>8.0f} commits/s  p50 {:>6.2f} ms  p99 {:>6.2f} ms  {:>6.1f} us CPU", what,
             rate.per_second, rate.p50_ms, rate.p99_ms, rate.cpu_us);
}

int Main(int argc, char** argv) {
  const std::string directory = std::string(argc > 1 ? argv[1] : ".") + "/group_commit_bench";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1;
  constexpr int kRounds =
      5;  // the disk has fast and slow minutes: both sides are measured in each round
  constexpr int kClients[] = {1, 8, 64};
  std::vector<double> ratios[std::size(kClients)];
  for (int round = 1; round <= kRounds; ++round) {
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory);
    fmt::print("round {}\n", round);
    const Rate one = OneByOne(directory, seconds);
    Print("one transaction per commit, FULL", one);
    fmt::print("\n");
    for (std::size_t i = 0; i < std::size(kClients); ++i) {
      const Rate rate = Grouped(directory, kClients[i], seconds);
      ratios[i].push_back(rate.per_second / one.per_second);
      Print(fmt::format("group commit, FULL, {} clients", kClients[i]), rate);
      fmt::print("  {:.1f}x\n", ratios[i].back());
    }
  }
  for (std::size_t i = 0; i < std::size(kClients); ++i) {
    fmt::print(
        "group commit, {:>2} clients: {:.1f}x of one transaction per commit, median of {} "
        "rounds{}\n",
        kClients[i], Median(ratios[i]), kRounds, kClients[i] == 64 ? "  (owed >= 20x)" : "");
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace gyre::db

int main(int argc, char** argv) { return gyre::db::Main(argc, argv); }
