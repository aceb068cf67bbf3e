// Group commit against one transaction per commit, synchronous=FULL on both, in the same run on the same disk.
//   group_commit_bench [FOLDER] [SECONDS]     FOLDER must be on a real disk; default: the current one
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

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

constexpr Migration kMigrations[] = {{1, "init", "CREATE TABLE item (id INTEGER PRIMARY KEY, k TEXT, v TEXT)"}};
constexpr std::string_view kInsert = "INSERT INTO item (k, v) VALUES (?1, ?2)";
constexpr std::string_view kValue = "some value of forty bytes length or so...";

double Now() { return static_cast<double>(SystemClock().MonotonicMicros()) / 1e6; }

struct Rate {
  double per_second, p50_ms, p99_ms;
};

Rate Measure(int clients, double seconds, const std::function<void()>& commit) {
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(clients));
  std::vector<std::thread> threads;
  const double start = Now();
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
  const double elapsed = Now() - start;
  std::vector<double> all;
  for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  return {static_cast<double>(all.size()) / elapsed, all[all.size() / 2] * 1e3, all[all.size() * 99 / 100] * 1e3};
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
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cache_size=-65536", "CREATE TABLE item (id INTEGER PRIMARY KEY, k TEXT, v TEXT)"}) {
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
    const auto written = database.Write([](Transaction& tx) { return tx.Execute(kInsert, {"somekey", kValue}); });
    if (!written) {
      std::fprintf(stderr, "%s\n", written.error().ToString().c_str());
      std::exit(1);
    }
  });
}

int Main(int argc, char** argv) {
  const std::string directory = std::string(argc > 1 ? argv[1] : ".") + "/group_commit_bench";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 3;
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const Rate one = OneByOne(directory, seconds);
  std::printf("one transaction per commit, FULL: %8.0f commits/s  p50 %6.2f ms  p99 %6.2f ms\n", one.per_second, one.p50_ms, one.p99_ms);
  for (const int clients : {1, 8, 64}) {
    const Rate rate = Grouped(directory, clients, seconds);
    std::printf("group commit, FULL, %2d clients:   %8.0f commits/s  p50 %6.2f ms  p99 %6.2f ms  ratio %6.2fx%s\n", clients, rate.per_second,
                rate.p50_ms, rate.p99_ms, rate.per_second / one.per_second, clients == 64 ? "  (owed >= 20x)" : "");
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace gyre::db

int main(int argc, char** argv) { return gyre::db::Main(argc, argv); }
