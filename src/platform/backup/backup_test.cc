#include "platform/backup/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/backup/reader.h"
#include "platform/backup/restore.h"
#include "platform/config/data_directory.h"
#include "platform/exec/files.h"

namespace gyre::backup {
namespace {

namespace fs = std::filesystem;

constexpr db::Migration kTables[] = {
    {1, "init",
     "CREATE TABLE note (id TEXT PRIMARY KEY, digest TEXT NOT NULL); CREATE TABLE echo (id TEXT "
     "PRIMARY KEY, digest TEXT NOT NULL);"}};
constexpr db::Migration kMore[] = {kTables[0], {2, "more", "ALTER TABLE note ADD more TEXT"}};

std::vector<db::ModuleSchema> Schemas(std::span<const db::Migration> ours = kTables) {
  return {blob::BlobSchema(), {"note", ours}};
}

std::string Noise(std::uint64_t seed, std::size_t size) {
  Random random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Below(256));
  return bytes;
}

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = exec::MakeTemporaryDirectory().value();
    data_ = folder_ + "/data";
    ASSERT_TRUE(exec::MakeDirectory(data_));
    database_ = db::OpenSqlite({.path = data_ + "/gyre.db"}).value();
    ASSERT_TRUE(database_->Migrate(Schemas()));
    blobs_ = blob::OpenLocalStore(data_ + "/blobs").value();
    ASSERT_TRUE(exec::WritePrivateFile(data_ + "/master.key", "the master key"));
    ASSERT_TRUE(exec::WriteFile(data_ + "/audit.anchors", "an anchor\n"));
  }
  void TearDown() override {
    blobs_.reset();
    database_.reset();
    fs::remove_all(folder_);
  }

  // Two rows and a reference, or nothing.
  Result<> AddNote(const std::string& id, std::string_view bytes) {
    // Of a collector without patience.
    const blob::Pin pin = blobs_->PinObject(Sha256Hex(bytes));
    GYRE_TRY(const blob::Object object, blobs_->Put(bytes));
    return database_->Write([&](db::Transaction& tx) -> Result<> {
      GYRE_DO(blob::AddRef(tx, "note", id, object));
      GYRE_DO(tx.Execute("INSERT INTO note (id, digest) VALUES (?1, ?2)", {id, object.digest}));
      return tx.Execute("INSERT INTO echo (id, digest) VALUES (?1, ?2)", {id, object.digest});
    });
  }
  Result<> DropNote(const std::string& id) {
    return database_->Write([&](db::Transaction& tx) -> Result<> {
      GYRE_DO(blob::DropRefs(tx, "note", id));
      GYRE_DO(tx.Execute("DELETE FROM note WHERE id = ?1", {id}));
      return tx.Execute("DELETE FROM echo WHERE id = ?1", {id});
    });
  }

  Result<std::string> TakeBackup(bool keys = false) {
    GYRE_TRY(const auto backup,
             Backup::Take(*database_, *blobs_,
                          {.directory = data_, .version = "0.1.0", .keys = keys, .now_us = 5}));
    std::string bytes;
    GYRE_DO(backup->Write([&](std::string_view piece) -> Result<> {
      bytes += piece;
      return {};
    }));
    return bytes;
  }
  std::string Kept(const std::string& bytes) {
    const std::string path = folder_ + "/a.backup";
    EXPECT_TRUE(exec::WriteFile(path, bytes));
    return path;
  }
  Result<Restored> RestoreTo(const std::string& bytes, const std::string& directory,
                             std::span<const db::Migration> schema = kTables) {
    const auto schemas = Schemas(schema);
    return Restore({.file = Kept(bytes), .directory = directory, .schemas = schemas});
  }

  std::string folder_, data_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
};

TEST_F(BackupTest, BringsEverythingBack) {
  const std::string large = Noise(1, 3'000'000), text(3'000'000, 'a');
  ASSERT_TRUE(AddNote("small text", std::string(5000, 'b')));
  ASSERT_TRUE(AddNote("small noise", Noise(2, 700)));
  ASSERT_TRUE(AddNote("empty", ""));
  ASSERT_TRUE(AddNote("large noise", large));
  ASSERT_TRUE(AddNote("large text", text));
  ASSERT_TRUE(blobs_->Put("nobody needs it"));
  const std::string bytes = TakeBackup(true).value();
  EXPECT_LT(bytes.size(), large.size() + 200'000) << "text is packed";
  const std::string there = folder_ + "/deep/er/there";
  const auto restored = RestoreTo(bytes, there);
  ASSERT_TRUE(restored) << restored.error().ToString();
  EXPECT_EQ(restored->about["gyre"].AsString(), "0.1.0");
  EXPECT_EQ(restored->manifest["blobs"]["count"].AsInt(), 5);
  EXPECT_EQ(restored->manifest["database"]["tables"]["note"].AsInt(), 5);
  EXPECT_EQ(exec::ReadPrivateFile(there + "/master.key").value(), "the master key");
  EXPECT_EQ(exec::ReadFile(there + "/audit.anchors").value(), "an anchor\n");
  EXPECT_FALSE(fs::exists(there + ".restoring"));
  const auto store = blob::OpenLocalStore(there + "/blobs").value();
  EXPECT_TRUE(store->Verify(Sha256Hex(large)));
  EXPECT_EQ(store->Get(Sha256Hex(text)).value(), text);
  EXPECT_FALSE(store->Exists(Sha256Hex("nobody needs it")).value());
  const auto database = db::OpenSqlite({.path = there + "/gyre.db"}).value();
  ASSERT_TRUE(database->Migrate(Schemas(kMore)));
  EXPECT_TRUE(blob::Check(*database, *store, {})->problems.empty());
  EXPECT_EQ(fs::directory_iterator(data_ + "/blobs/scratch"), fs::directory_iterator())
      << "nothing stays behind";
}

TEST_F(BackupTest, LeavesTheKeysOutUnlessAsked) {
  const std::string bytes = TakeBackup().value();
  EXPECT_EQ(bytes.find("the master key"), std::string::npos);
  EXPECT_NE(TakeBackup(true)->find("the master key"), std::string::npos);
}

TEST_F(BackupTest, ADamagedBlobIsNamedAndTheOthersAreKept) {
  ASSERT_TRUE(AddNote("a", "sound"));
  ASSERT_TRUE(AddNote("b", "broken"));
  ASSERT_TRUE(AddNote("c", "lost"));
  const auto path = [&](const std::string& bytes) {
    const std::string digest = Sha256Hex(bytes);
    return fmt::format("{}/blobs/objects/{}/{}", data_, digest.substr(0, 2), digest.substr(2));
  };
  fs::permissions(path("broken"), fs::perms::owner_all);
  ASSERT_TRUE(exec::WriteFile(path("broken"), "brOken"));
  fs::remove(path("lost"));
  const auto restored = RestoreTo(TakeBackup().value(), folder_ + "/there");
  ASSERT_TRUE(restored) << restored.error().ToString();
  EXPECT_EQ(restored->manifest["missing"].size(), 2U);
  EXPECT_EQ(restored->manifest["blobs"]["count"].AsInt(), 1);
}

TEST_F(BackupTest, RefusesWhatIsThereAndWhatIsNewer) {
  const std::string bytes = TakeBackup().value();
  EXPECT_EQ(RestoreTo(bytes, data_).error().gy(), "GY1905");
  ASSERT_TRUE(exec::MakeDirectory(folder_ + "/empty"));
  EXPECT_TRUE(RestoreTo(bytes, folder_ + "/empty/"));
  ASSERT_TRUE(database_->Migrate(Schemas(kMore)));
  const std::string newer = TakeBackup().value();
  EXPECT_EQ(RestoreTo(newer, folder_ + "/newer").error().gy(), "GY1410");
  EXPECT_FALSE(fs::exists(folder_ + "/newer"));
  EXPECT_FALSE(fs::exists(folder_ + "/newer.restoring"));
  EXPECT_EQ(RestoreTo("no backup at all", folder_ + "/x").error().gy(), "GY1903");
  EXPECT_EQ(RestoreTo(std::string(4096, 'x'), folder_ + "/x").error().gy(), "GY1901");
  const auto looked = RestoreTo(bytes, "");
  ASSERT_TRUE(looked) << looked.error().ToString();
  EXPECT_EQ(RestoreTo(bytes, "", kMore)->pending, std::vector<std::string>{"note 0002 (more)"});
}

TEST_F(BackupTest, WhatAKilledRestoreLeftIsNoHindrance) {
  const std::string bytes = TakeBackup().value();
  ASSERT_TRUE(exec::MakeDirectories(folder_ + "/there.restoring/blobs"));
  ASSERT_TRUE(exec::WriteFile(folder_ + "/there.restoring/gyre.db", "half"));
  EXPECT_TRUE(RestoreTo(bytes, folder_ + "/there"));
  EXPECT_FALSE(fs::exists(folder_ + "/there.restoring"));
}

// As a mount point is, or a directory whose parent belongs to another user.
TEST_F(BackupTest, ADirectoryThatMustStayIsFilledInItsPlace) {
  const std::string bytes = TakeBackup().value(), place = folder_ + "/place", there = place + "/d";
  ASSERT_TRUE(exec::MakeDirectories(there + "/.restoring/blobs"));
  ASSERT_TRUE(exec::WriteFile(there + "/.restoring/gyre.db", "half"));
  ASSERT_TRUE(exec::WriteFile(there + "/audit.anchors", "moved out before the end"));
  EXPECT_EQ(config::DirectoryLock::Acquire(there).error().gy(), "GY1832");
  if (::geteuid() == 0) {  // whom no mode stops
    const auto [user, group] = std::pair<uid_t, gid_t>{65534, 65534};
    for (const std::string& path : {there, there + "/.restoring"})
      ASSERT_EQ(::chown(path.c_str(), user, group), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const bool able =
          ::chmod(folder_.c_str(), 0777) == 0 && ::setgid(group) == 0 && ::setuid(user) == 0;
      ::_exit(able && RestoreTo(bytes, there) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  } else {
    ASSERT_EQ(::chmod(place.c_str(), 0500), 0);
    EXPECT_TRUE(RestoreTo(bytes, there));
    ASSERT_EQ(::chmod(place.c_str(), 0700), 0);
  }
  EXPECT_FALSE(fs::exists(there + "/.restoring"));
  EXPECT_TRUE(fs::exists(there + "/gyre.db"));
  EXPECT_TRUE(config::DirectoryLock::Acquire(there));
}

TEST_F(BackupTest, TwoHundredDamagesAreAllNoticed) {
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(AddNote(fmt::format("n{}", i),
                        i % 2 == 0 ? Noise(i + 1, 3000) : std::string(3000, 'a' + i)));
  const std::string bytes = TakeBackup(true).value();
  Random random(7);
  for (int i = 0; i < 200; ++i) {
    std::string broken = bytes;
    const auto at = static_cast<std::size_t>(random.Below(bytes.size()));
    if (i % 4 == 0) {
      broken.resize(at);
    } else {
      broken[at] = static_cast<char>(broken[at] ^ (1 << random.Below(8)));
    }
    NoPartSink sink;
    BackupReader reader(sink);
    const auto read = [&]() -> Result<> {
      GYRE_DO(reader.Feed(broken));
      return reader.Finish();
    }();
    ASSERT_FALSE(read) << "damage at " << at;
    ASSERT_TRUE(read.error().gy().starts_with("GY190")) << read.error().ToString();
    ASSERT_TRUE(!read.error().where().empty() || at < 1024) << read.error().ToString();
  }
}

// Eight writers, a remover and a collector without patience: each copy holds all that was
// acknowledged before it was asked for, each note whole, and every blob that it names.
TEST_F(BackupTest, IsOneMomentUnderEightWriters) {
  const char* const tier = std::getenv("GYRE_TEST_TIER");
  const int backups = tier != nullptr && std::string_view(tier) == "full" ? 100 : 4;
  const std::int64_t notes_max = backups * 20;
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> acknowledged[8] = {};
  std::vector<std::thread> threads;
  for (int w = 0; w < 8; ++w) {
    threads.emplace_back([&, w] {
      for (std::int64_t i = 0; !stop && i < notes_max; ++i) {
        const std::string id = fmt::format("{}-{}", w, i);
        if (AddNote(id, "contents of " + id)) ++acknowledged[w];
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; !stop; ++i) {
      if (!AddNote(fmt::format("gone-{}", i), fmt::format("going {}", i))) continue;
      ASSERT_TRUE(DropNote(fmt::format("gone-{}", i)));
      // A grace of nothing, and a moment ahead of all clocks.
      const auto collected = blob::Collect(*database_, *blobs_, 0, SystemClock().NowMicros() + 1);
      ASSERT_TRUE(collected) << collected.error().ToString();
    }
  });
  for (int b = 0; b < backups; ++b) {
    std::int64_t before[8];
    for (int w = 0; w < 8; ++w) before[w] = acknowledged[w];
    const auto bytes = TakeBackup();
    ASSERT_TRUE(bytes) << bytes.error().ToString();
    const std::string there = fmt::format("{}/there-{}", folder_, b);
    const auto restored = RestoreTo(*bytes, there);
    ASSERT_TRUE(restored) << restored.error().ToString();
    EXPECT_EQ(restored->manifest["missing"].size(), 0U);
    const auto database = db::OpenSqlite({.path = there + "/gyre.db"}).value();
    const auto store = blob::OpenLocalStore(there + "/blobs").value();
    EXPECT_TRUE(blob::Check(*database, *store, {})->problems.empty());
    ASSERT_TRUE(database->Read([&](db::Reader& reader) -> Result<> {
      std::int64_t notes = 0, same = 0;
      GYRE_TRY([[maybe_unused]] bool f,
               reader.QueryOne("SELECT count(*) FROM note", {},
                               [&](const db::Row& row) { notes = row.Int(0); }));
      GYRE_TRY(f, reader.QueryOne("SELECT count(*) FROM note JOIN echo USING (id, digest) JOIN "
                                  "blob_ref ON owner_id = id AND blob_ref.digest = note.digest",
                                  {}, [&](const db::Row& row) { same = row.Int(0); }));
      EXPECT_EQ(notes, same) << "half a note";
      for (int w = 0; w < 8; ++w) {
        std::int64_t count = 0;
        GYRE_TRY(f, reader.QueryOne("SELECT count(*) FROM note WHERE id LIKE ?1",
                                    {fmt::format("{}-%", w)},
                                    [&](const db::Row& row) { count = row.Int(0); }));
        EXPECT_GE(count, before[w]) << "an acknowledged note is not in it";
      }
      return {};
    }));
    fs::remove_all(there);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace gyre::backup
