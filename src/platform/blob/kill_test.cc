// kill -9 at a random moment under eight writers, again and again on the same data; every answer
// that left the process must hold. GYRE_TEST_TIER=full kills 100 times, otherwise 10.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "base/hash.h"
#include "base/id.h"
#include "base/random.h"
#include "base/text.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/process.h"

namespace gyre::blob {
namespace {

constexpr int kAnswers = 3;  // the descriptor on which the writer tells what was answered
constexpr int kWriters = 8;
constexpr int kGroupRows = 5;
constexpr const char* kDirectoryVariable = "GYRE_KILL_TEST_DIRECTORY";

constexpr db::Migration kMigrations[] = {
    {1, "init",
     "CREATE TABLE member (group_id TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (group_id, n));"
     "CREATE TABLE counter (id BIGINT PRIMARY KEY, value BIGINT NOT NULL);"
     "CREATE TABLE document (id TEXT PRIMARY KEY, digest TEXT NOT NULL)"}};

int Kills() {
  const char* tier = std::getenv("GYRE_TEST_TIER");
  return tier && std::string_view(tier) == "full" ? 100 : 10;
}

struct House {
  std::unique_ptr<db::Database> database;
  std::unique_ptr<Store> store;

  Result<> Open(const std::string& directory) {
    GYRE_TRY(database, db::OpenSqlite({.path = directory + "/gyre.db"}));
    GYRE_TRY(store, OpenLocalStore(directory + "/blobs"));
    const db::ModuleSchema schemas[] = {BlobSchema(), {"test/kill", kMigrations}};
    return database->Migrate(schemas);
  }
};

// One line per answer; short enough that the kernel writes it whole.
void Tell(const std::string& line) {
  static_cast<void>(!write(kAnswers, line.data(), line.size()));
}

void WriteForEver(House& house, int writer) {
  Random random(static_cast<std::uint64_t>(getpid()) * 100 + static_cast<std::uint64_t>(writer));
  while (true) {
    const std::string id = NewId();
    switch (random.Below(3)) {
      case 0: {
        const auto done = house.database->Write([&](db::Transaction& tx) -> Result<> {
          for (int n = 0; n < kGroupRows; ++n)
            GYRE_DO(tx.Execute("INSERT INTO member (group_id, n) VALUES (?1, ?2)", {id, n}));
          return {};
        });
        if (done) Tell("group " + id + "\n");
        break;
      }
      case 1: {
        std::int64_t value = 0;
        const auto done = house.database->Write([&](db::Transaction& tx) -> Result<> {
          GYRE_DO(
              tx.Execute("INSERT INTO counter (id, value) VALUES (?1, 1) ON CONFLICT (id) DO "
                         "UPDATE SET value = counter.value + 1",
                         {writer}));
          GYRE_TRY([[maybe_unused]] const bool found,
                   tx.QueryOne("SELECT value FROM counter WHERE id = ?1", {writer},
                               [&](const db::Row& row) { value = row.Int(0); }));
          return {};
        });
        if (done) Tell(fmt::format("counter {} {}\n", writer, value));
        break;
      }
      default: {
        const auto object =
            house.store->Put(fmt::format("{} {}", id, std::string(random.Below(5000), 'x')));
        if (!object) break;
        const auto done = house.database->Write([&](db::Transaction& tx) -> Result<> {
          GYRE_DO(AddRef(tx, "document", id, *object));
          return tx.Execute("INSERT INTO document (id, digest) VALUES (?1, ?2)",
                            {id, object->digest});
        });
        if (done) Tell("document " + id + "\n");
      }
    }
  }
}

// The process that is killed; started by the test below.
TEST(KillWriter, DISABLED_Runs) {
  const char* directory = std::getenv(kDirectoryVariable);
  ASSERT_NE(directory, nullptr);
  House house;
  ASSERT_TRUE(house.Open(directory));
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer)
    threads.emplace_back([&, writer] { WriteForEver(house, writer); });
  for (std::thread& thread : threads) thread.join();
}

struct Answers {
  std::set<std::string> groups, documents;
  std::map<int, std::int64_t> counters;

  void Add(std::string_view line) {
    const auto words = Split(line, ' ');
    if (words[0] == "group") groups.emplace(words.at(1));
    if (words[0] == "document") documents.emplace(words.at(1));
    if (words[0] == "counter")
      counters[static_cast<int>(*ParseInt(words.at(1)))] = *ParseInt(words.at(2));
  }
};

// Reads answers; kills the writer after `kill_after` of them; then reads what it had said before.
void RunAndKill(const std::string& directory, int kill_after, Answers* answers) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  auto process = exec::Process::Spawn({.argv = {exec::SelfPath(), "--gtest_also_run_disabled_tests",
                                                "--gtest_filter=KillWriter.DISABLED_Runs"},
                                       .environment = {{kDirectoryVariable, directory}},
                                       .descriptors = {{ends[1], kAnswers}}});
  close(ends[1]);
  ASSERT_TRUE(process) << process.error().ToString();
  std::string pending;
  char buffer[4096];
  int seen = 0;
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    pending.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end; (end = pending.find('\n')) != std::string::npos;
         pending.erase(0, end + 1)) {
      answers->Add(std::string_view(pending).substr(0, end));
      if (++seen == kill_after) process->Signal(SIGKILL);
    }
  }
  close(ends[0]);
  const auto status = process->Wait(-1);
  EXPECT_EQ((*status)->signal, SIGKILL) << "the writer ended by itself";
  EXPECT_GE(seen, kill_after);
}

void Check(const std::string& directory, const Answers& answers) {
  House house;
  const auto opened = house.Open(directory);
  ASSERT_TRUE(opened) << opened.error().ToString();
  std::map<std::string, std::int64_t> groups;
  std::map<std::string, Digest> documents;
  std::map<int, std::int64_t> counters;
  ASSERT_TRUE(house.database->Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(reader.Query("SELECT group_id, count(*) FROM member GROUP BY group_id", {},
                         [&](const db::Row& row) -> Result<> {
                           groups[row.Str(0)] = row.Int(1);
                           return {};
                         }));
    GYRE_DO(reader.Query("SELECT id, value FROM counter", {}, [&](const db::Row& row) -> Result<> {
      counters[static_cast<int>(row.Int(0))] = row.Int(1);
      return {};
    }));
    return reader.Query("SELECT id, digest FROM document", {}, [&](const db::Row& row) -> Result<> {
      documents[row.Str(0)] = row.Str(1);
      return {};
    });
  }));
  for (const std::string& id : answers.groups)
    EXPECT_TRUE(groups.contains(id)) << "lost group " << id;
  for (const auto& [id, rows] : groups) EXPECT_EQ(rows, kGroupRows) << "half a transaction: " << id;
  for (const auto& [id, value] : answers.counters)
    EXPECT_GE(counters[id], value) << "counter " << id << " went back";
  for (const std::string& id : answers.documents)
    EXPECT_TRUE(documents.contains(id)) << "lost document " << id;
  for (const auto& [id, digest] : documents)
    EXPECT_TRUE(house.store->Get(digest)) << "document without its bytes: " << id;
  EXPECT_TRUE(house.database->IntegrityProblems()->empty());
}

TEST(Kill, LosesNothingThatWasAnswered) {
  const std::string directory = testing::TempDir() + "gyre_kill_" + NewId().substr(0, 12);
  std::filesystem::create_directories(directory);
  Random random(20);
  Answers answers;
  for (int kill = 1; kill <= Kills() && !HasFailure(); ++kill) {
    RunAndKill(directory, static_cast<int>(1 + random.Below(150)), &answers);
    Check(directory, answers);
  }
  EXPECT_GT(answers.groups.size() + answers.documents.size(), static_cast<std::size_t>(Kills()));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace gyre::blob
