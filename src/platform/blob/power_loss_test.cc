// The power fails at a random moment under writers; what was not synced is lost, torn and
// reordered; whatever was answered must be there. A failure says its seed; seeds with one writer
// replay exactly. GYRE_TEST_TIER=full runs 2,000 seeds, otherwise 20.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "base/hash.h"
#include "base/limits.h"
#include "platform/blob/blob_store.h"
#include "platform/blob/testing/simulated_files.h"
#include "platform/db/testing/simulated_disk.h"
#include "platform/db/testing/simulated_vfs.h"

namespace gyre::blob {
namespace {

constexpr int kAccounts = 4;
constexpr std::int64_t kBalance = 1000;
constexpr int kGroupRows = 3;

constexpr db::Migration kMigrations[] = {
    {1, "init",
     "CREATE TABLE item (id TEXT PRIMARY KEY, value TEXT NOT NULL);"
     "CREATE TABLE member (group_id TEXT NOT NULL, n BIGINT NOT NULL, filler TEXT NOT NULL, "
     "PRIMARY KEY (group_id, n));"
     "CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL);"
     "CREATE TABLE document (id TEXT PRIMARY KEY, digest TEXT NOT NULL)"}};

int Seeds() {
  const char* tier = std::getenv("GYRE_TEST_TIER");
  return tier && std::string_view(tier) == "full" ? 2000 : 20;
}

// A database and a blob store on one simulated disk.
struct Machine {
  explicit Machine(db::SimulatedDisk& simulated)
      : disk(simulated), vfs(simulated), files(simulated) {}

  Result<> Open() {
    GYRE_TRY(database,
             db::OpenSqlite(
                 {.path = "/sim/gyre.db", .vfs = vfs.name(), .snapshot_before_migration = false}));
    GYRE_TRY(store, OpenLocalStore("/sim/blobs", files));
    const db::ModuleSchema schemas[] = {BlobSchema(), {"test/power", kMigrations}};
    GYRE_DO(database->Migrate(schemas));
    return database->Write([](db::Transaction& tx) -> Result<> {
      for (int id = 0; id < kAccounts; ++id) {
        GYRE_DO(
            tx.Execute("INSERT INTO account (id, balance) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                       {id, kBalance}));
      }
      return {};
    });
  }

  db::SimulatedDisk& disk;
  db::SimulatedVfs vfs;
  SimulatedFiles files;
  std::unique_ptr<Store> store;
  std::unique_ptr<db::Database> database;
};

// What was answered before the power failed.
struct Answers {
  Mutex mutex;
  bool opened = false;
  std::map<std::string, std::string> items, documents;  // documents: id -> bytes
  std::set<std::string> groups, removed;
};

// One client's script: pure in the seed.
class Client {
 public:
  Client(Machine& machine, Answers& answers, std::uint64_t seed, int number)
      : machine_(machine),
        answers_(answers),
        random_(seed * 100 + static_cast<std::uint64_t>(number)),
        number_(number) {}

  void Run(int steps) {
    for (int step = 0; step < steps && !machine_.disk.cut(); ++step) {
      const std::string id = fmt::format("c{}s{}", number_, step);
      switch (random_.Below(6)) {
        case 0:
        case 1:
          AddItem(id);
          break;
        case 2:
          AddGroup(id);
          break;
        case 3:
          Transfer();
          break;
        case 4:
          AddDocument(id);
          break;
        default:
          RemoveItem();
          break;
      }
    }
  }

 private:
  // Runs `note` when the answer came while there was power.
  void Write(db::Database::WriteBody body, const std::function<void()>& note) {
    const auto written = machine_.database->Write(std::move(body));
    if (!written || machine_.disk.cut()) return;
    MutexLock lock(answers_.mutex);
    note();
  }

  void AddItem(const std::string& id) {
    const std::string value(random_.Below(3000), static_cast<char>('a' + random_.Below(26)));
    Write(
        [&](db::Transaction& tx) {
          return tx.Execute("INSERT INTO item (id, value) VALUES (?1, ?2)", {id, value});
        },
        [&] { answers_.items[id] = value; });
    mine_.push_back(id);
  }

  void RemoveItem() {
    if (mine_.empty()) return;
    const std::string id = mine_.back();
    mine_.pop_back();
    {
      MutexLock lock(answers_.mutex);
      answers_.items.erase(id);  // from here on it may be there or not
    }
    Write([&](db::Transaction& tx) { return tx.Execute("DELETE FROM item WHERE id = ?1", {id}); },
          [&] { answers_.removed.insert(id); });
  }

  void AddGroup(const std::string& id) {
    Write(
        [&](db::Transaction& tx) -> Result<> {
          for (int n = 0; n < kGroupRows; ++n) {
            GYRE_DO(tx.Execute("INSERT INTO member (group_id, n, filler) VALUES (?1, ?2, ?3)",
                               {id, n, std::string(900, 'f')}));
          }
          return {};
        },
        [&] { answers_.groups.insert(id); });
  }

  void Transfer() {
    const auto from = static_cast<std::int64_t>(random_.Below(kAccounts)),
               to = static_cast<std::int64_t>(random_.Below(kAccounts));
    Write(
        [&](db::Transaction& tx) -> Result<> {
          GYRE_DO(tx.Execute("UPDATE account SET balance = balance - 7 WHERE id = ?1", {from}));
          return tx.Execute("UPDATE account SET balance = balance + 7 WHERE id = ?1", {to});
        },
        [] {});
  }

  void AddDocument(const std::string& id) {
    // Small ones, ones of several blocks, and the same bytes again.
    std::string bytes = fmt::format("document {} ", random_.Below(6));
    if (random_.Below(8) == 0) bytes.resize(static_cast<std::size_t>(kMiB) + 1000, 'd');
    const auto object = machine_.store->Put(bytes);
    if (!object) return;
    Write(
        [&](db::Transaction& tx) -> Result<> {
          GYRE_DO(AddRef(tx, "document", id, *object));
          return tx.Execute("INSERT INTO document (id, digest) VALUES (?1, ?2)",
                            {id, object->digest});
        },
        [&] { answers_.documents[id] = bytes; });
  }

  Machine& machine_;
  Answers& answers_;
  Random random_;
  int number_;
  std::vector<std::string> mine_;
};

// Every promise that is broken, in words.
class Checker {
 public:
  Checker(Machine& machine, Answers& answers) : machine_(machine), answers_(answers) {}

  std::vector<std::string> Run() {
    const auto sound = machine_.database->IntegrityProblems();
    if (!sound) {
      Say(sound.error().ToString());
      return problems_;
    }
    for (const std::string& problem : *sound) Say(problem);
    const auto read = machine_.database->Read([&](db::Reader& reader) -> Result<> {
      GYRE_DO(Items(reader));
      GYRE_DO(Groups(reader));
      GYRE_DO(Accounts(reader));
      return Documents(reader);
    });
    if (!read) Say(read.error().ToString());
    return problems_;
  }

 private:
  void Say(std::string problem) { problems_.push_back(std::move(problem)); }

  Result<> Items(db::Reader& reader) {
    std::map<std::string, std::string> found;
    GYRE_DO(reader.Query("SELECT id, value FROM item", {}, [&](const db::Row& row) -> Result<> {
      found[row.Str(0)] = row.Str(1);
      return {};
    }));
    for (const auto& [id, value] : answers_.items) {
      if (!found.contains(id))
        Say("item lost: " + id);
      else if (found[id] != value)
        Say("item changed: " + id);
    }
    for (const std::string& id : answers_.removed) {
      if (found.contains(id)) Say("item came back: " + id);
    }
    return {};
  }

  Result<> Groups(db::Reader& reader) {
    std::map<std::string, std::int64_t> found;
    GYRE_DO(reader.Query("SELECT group_id, count(*) FROM member GROUP BY group_id", {},
                         [&](const db::Row& row) -> Result<> {
                           found[row.Str(0)] = row.Int(1);
                           if (row.Int(1) != kGroupRows)
                             Say("half a transaction: group " + row.Str(0));
                           return {};
                         }));
    for (const std::string& id : answers_.groups) {
      if (!found.contains(id)) Say("group lost: " + id);
    }
    return {};
  }

  Result<> Accounts(db::Reader& reader) {
    return reader.Query(
        "SELECT coalesce(sum(balance), 0), count(*) FROM account", {},
        [&](const db::Row& row) -> Result<> {
          if (row.Int(0) != kAccounts * kBalance || row.Int(1) != kAccounts)
            Say(fmt::format("half a transfer: {} accounts hold {}", row.Int(1), row.Int(0)));
          return {};
        });
  }

  Result<> Documents(db::Reader& reader) {
    std::map<std::string, Digest> found;
    GYRE_DO(
        reader.Query("SELECT id, digest FROM document", {}, [&](const db::Row& row) -> Result<> {
          found[row.Str(0)] = row.Str(1);
          return {};
        }));
    for (const auto& [id, digest] : found) {  // answered or not: a row implies its blob
      if (const auto sound = machine_.store->Verify(digest); !sound)
        Say(fmt::format("document {}: {}", id, sound.error().ToString()));
    }
    for (const auto& [id, bytes] : answers_.documents) {
      if (!found.contains(id))
        Say("document lost: " + id);
      else if (found[id] != Sha256Hex(bytes))
        Say("document changed: " + id);
    }
    return {};
  }

  Machine& machine_;
  Answers& answers_;
  std::vector<std::string> problems_;
};

struct Outcome {
  std::vector<std::string> problems;
  bool cut_while_running = false;
};

// Starts, runs clients until the cut, then starts again (and, for some seeds, is cut again while it
// recovers) and checks.
Outcome RunSeed(std::uint64_t seed, db::SimulatedDisk::Ignored ignored) {
  Random random(seed);
  Outcome outcome;
  Answers answers;
  auto disk = std::make_unique<db::SimulatedDisk>();
  disk->Ignore(ignored);
  {
    Machine machine(*disk);
    disk->CutAfter(static_cast<std::int64_t>(10 + random.Below(500)));
    if (const auto opened = machine.Open(); !opened) {
      outcome.problems.push_back("start: " + opened.error().ToString());
      return outcome;
    }
    answers.opened = !disk->cut();
    const int clients = seed % 2 ? 4 : 1;
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i)
      threads.emplace_back([&, i] { Client(machine, answers, seed, i).Run(120 / clients); });
    for (std::thread& thread : threads) thread.join();
    outcome.cut_while_running = disk->cut();
    disk->CutAfter(0);
  }
  auto found = disk->AfterCut(random);
  found->Ignore(ignored);
  if (random.Below(4) == 0) {  // and once more, while it recovers
    {
      Machine machine(*found);
      found->CutAfter(static_cast<std::int64_t>(1 + random.Below(20)));
      static_cast<void>(machine.Open());
      found->CutAfter(0);
    }
    auto again = found->AfterCut(random);
    again->Ignore(ignored);
    disk = std::move(found);
    found = std::move(again);
  }
  Machine machine(*found);
  if (const auto opened = machine.Open(); !opened) {
    outcome.problems.push_back("start after the cut: " + opened.error().ToString());
    return outcome;
  }
  outcome.problems = Checker(machine, answers).Run();
  return outcome;
}

TEST(PowerLoss, LosesNothingThatWasAnswered) {
  int while_running = 0;
  for (int seed = 1; seed <= Seeds(); ++seed) {
    const Outcome outcome = RunSeed(static_cast<std::uint64_t>(seed), {});
    while_running += outcome.cut_while_running;
    for (const std::string& problem : outcome.problems)
      ADD_FAILURE() << "seed " << seed << ": " << problem;
    if (HasFailure()) break;
  }
  EXPECT_GT(while_running, Seeds() / 2)
      << "most cuts must fall between the first write and the last";
}

// A checker that finds nothing wrong with a build that forgets to sync proves nothing.
int SeedsWithLosses(db::SimulatedDisk::Ignored ignored, int seeds) {
  int losses = 0;
  for (int seed = 1; seed <= seeds; ++seed)
    losses += !RunSeed(static_cast<std::uint64_t>(seed), ignored).problems.empty();
  return losses;
}

TEST(PowerLoss, ABuildThatNeverSyncsIsCaught) {
  EXPECT_GT(SeedsWithLosses({.file_syncs = true, .directory_syncs = true}, 20), 5);
}
TEST(PowerLoss, ABuildThatDoesNotSyncContentsIsCaught) {
  EXPECT_GT(SeedsWithLosses({.file_syncs = true}, 20), 5);
}
TEST(PowerLoss, ABuildThatDoesNotSyncNamesIsCaught) {
  EXPECT_GT(SeedsWithLosses({.directory_syncs = true}, 20), 2);
}

}  // namespace
}  // namespace gyre::blob
