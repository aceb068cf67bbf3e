// Failing writes, failing fsyncs, a full disk: a clean error or the end of the process, never a
// lie.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/hash.h"
#include "base/id.h"
#include "base/limits.h"
#include "platform/blob/blob_store.h"
#include "platform/blob/testing/simulated_files.h"
#include "platform/db/testing/simulated_disk.h"
#include "platform/db/testing/simulated_vfs.h"

namespace gyre::blob {
namespace {

using Operation = db::SimulatedDisk::Operation;

constexpr db::Migration kMigrations[] = {
    {1, "init", "CREATE TABLE item (id BIGINT PRIMARY KEY, value TEXT NOT NULL)"}};

int FaultsMax() {
  const char* tier = std::getenv("GYRE_TEST_TIER");
  return tier && std::string_view(tier) == "full" ? 300 : 25;
}

struct Machine {
  explicit Machine(db::SimulatedDisk& simulated) : vfs(simulated), files(simulated) {
    database = *db::OpenSqlite(
        {.path = "/sim/gyre.db", .vfs = vfs.name(), .snapshot_before_migration = false});
    store = *OpenLocalStore("/sim/blobs", files);
    const db::ModuleSchema schemas[] = {BlobSchema(), {"test/faults", kMigrations}};
    GYRE_CHECK(database->Migrate(schemas));
  }
  Result<> Add(int id, std::size_t bytes = 2000) {
    const std::string value(bytes, 'v');
    return database->Write([&](db::Transaction& tx) {
      return tx.Execute("INSERT INTO item (id, value) VALUES (?1, ?2)", {id, value});
    });
  }
  bool IntegrityIsSound() {
    const auto problems = database->IntegrityProblems();
    return problems && problems->empty();
  }
  std::int64_t Count() {
    std::int64_t count = -1;
    const auto read = database->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool found,
               reader.QueryOne("SELECT count(*) FROM item", {},
                               [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    });
    EXPECT_TRUE(read) << read.error().ToString();
    return count;
  }

  db::SimulatedVfs vfs;
  SimulatedFiles files;
  std::unique_ptr<Store> store;
  std::unique_ptr<db::Database> database;
};

// Fails the n-th operation of a kind from now on, once.
void FailNth(db::SimulatedDisk& disk, Operation wanted, int n, int error,
             std::string_view part_of_path = {}) {
  disk.SetFault(
      [=, part = std::string(part_of_path)](Operation operation, const std::string& path) mutable {
        if (operation != wanted || (!part.empty() && path.find(part) == std::string::npos))
          return 0;
        return --n == 0 ? error : 0;
      });
}

TEST(DiskFaults, AFailedWriteIsACleanErrorAndTheDatabaseGoesOn) {
  for (const int error : {EIO, ENOSPC}) {
    int refused = 0;
    for (int n = 1; n <= FaultsMax(); ++n) {
      db::SimulatedDisk disk;
      int added = 0;
      {
        Machine machine(disk);
        FailNth(disk, Operation::kWrite, n, error);
        for (int id = 0; id < 8; ++id) {
          const auto done = machine.Add(id);
          added += done.has_value();
          if (done) continue;
          ++refused;
          EXPECT_EQ(done.error().code(), error == ENOSPC ? Code::kOutOfSpace : Code::kInternal)
              << done.error().ToString();
        }
        EXPECT_EQ(machine.Count(), added) << n;
        EXPECT_GE(added, 7) << "one fault, one refusal";
        EXPECT_TRUE(machine.IntegrityIsSound()) << n;
        disk.CutAfter(0);
      }
      Random random(static_cast<std::uint64_t>(n));
      const auto found = disk.AfterCut(random);
      Machine after(*found);
      EXPECT_EQ(after.Count(), added) << n;
    }
    EXPECT_GT(refused, 0);
  }
}

TEST(DiskFaults, AFailedFsyncOfTheDatabaseEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (int n = 1; n <= 3; ++n) {
    EXPECT_DEATH(
        {
          db::SimulatedDisk disk;
          Machine machine(disk);
          FailNth(disk, Operation::kSync, n, EIO);
          for (int id = 0; id < 50; ++id) static_cast<void>(machine.Add(id));
        },
        "GY1414");
  }
}

TEST(DiskFaults, AFailedFsyncOfABlobsNameEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        db::SimulatedDisk disk;
        Machine machine(disk);
        FailNth(disk, Operation::kSyncDirectory, 1, EIO, "/blobs");
        static_cast<void>(machine.store->Put("bytes"));
      },
      "GY1506");
}

TEST(DiskFaults, ABlobThatCannotBeWrittenIsNotThere) {
  const std::string bytes(static_cast<std::size_t>(kMiB) + 10, 'b');
  for (const auto& [operation, error] :
       std::vector<std::pair<Operation, int>>{{Operation::kCreate, EACCES},
                                              {Operation::kWrite, ENOSPC},
                                              {Operation::kWrite, EIO},
                                              {Operation::kSync, EIO},
                                              {Operation::kRename, EIO}}) {
    for (int n = 1; n <= 2; ++n) {  // the contents, then the checksums
      db::SimulatedDisk disk;
      Machine machine(disk);
      FailNth(disk, operation, n, error, "/blobs");
      const auto put = machine.store->Put(bytes);
      ASSERT_FALSE(put);
      if (error == ENOSPC) {
        EXPECT_EQ(put.error().code(), Code::kOutOfSpace);
      }
      EXPECT_FALSE(*machine.store->Exists(Sha256Hex(bytes)));
      EXPECT_TRUE(machine.files.List("/sim/blobs/incoming")->empty());
      disk.SetFault(nullptr);
      EXPECT_TRUE(machine.store->Put(bytes));
      EXPECT_TRUE(machine.store->Verify(Sha256Hex(bytes)));
    }
  }
}

TEST(DiskFaults, AFullDiskRefusesWritesAndGoesOnReading) {
  db::SimulatedDisk disk;
  Machine machine(disk);
  disk.SetCapacity(600'000);
  int added = 0;
  Result<> last = {};
  for (int id = 0; id < 200 && last; ++id) {
    last = machine.Add(id, 20'000);
    added += last.has_value();
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().gy(), "GY1003");
  EXPECT_EQ(machine.Count(), added);
  EXPECT_EQ(machine.store->Put(std::string(600'000, 'b')).error().code(), Code::kOutOfSpace);
  disk.SetCapacity(-1);
  EXPECT_TRUE(machine.Add(1000)) << "space came back: no restart is needed";
  EXPECT_EQ(machine.Count(), added + 1);
}

// The same with the system's own file system.
TEST(DiskFaults, AFullFileSystem) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a small file system";
  const std::string directory = testing::TempDir() + "gyre_full_" + NewId().substr(0, 12);
  std::filesystem::create_directories(directory);
  if (mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=4m") != 0)
    GTEST_SKIP() << "mounting is not allowed here";
  {
    auto database = *db::OpenSqlite({.path = directory + "/gyre.db"});
    auto store = *OpenLocalStore(directory + "/blobs");
    const db::ModuleSchema schemas[] = {BlobSchema(), {"test/faults", kMigrations}};
    ASSERT_TRUE(database->Migrate(schemas));
    const std::string value(50'000, 'v');
    const auto add = [&](int id) {
      return database->Write([&](db::Transaction& tx) {
        return tx.Execute("INSERT INTO item (id, value) VALUES (?1, ?2)", {id, value});
      });
    };
    const Digest ballast = store->Put(std::string(1'000'000, 'b'))->digest;
    int added = 0;
    Result<> last = {};
    for (int id = 0; id < 500 && last; ++id) {
      last = add(id);
      added += last.has_value();
    }
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().gy(), "GY1003");
    EXPECT_EQ(store->Put(std::string(3'000'000, 'c')).error().code(), Code::kOutOfSpace);
    std::int64_t count = 0;
    EXPECT_TRUE(database->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool found,
               reader.QueryOne("SELECT count(*) FROM item", {},
                               [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    EXPECT_EQ(count, added);
    ASSERT_TRUE(store->Remove(ballast));
    EXPECT_TRUE(add(1000));
    EXPECT_TRUE(database->IntegrityProblems()->empty());
  }
  umount(directory.c_str());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace gyre::blob
