#include "platform/blob/blob_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/hash.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/time.h"
#include "platform/blob/discard.h"

namespace gyre::blob {
namespace {

namespace fs = std::filesystem;

std::string RandomBytes(std::int64_t size, std::uint64_t seed = 1) {
  Random random(seed);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  return bytes;
}

class BlobStore : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_blob_" + NewId().substr(0, 12);
    fs::create_directories(directory_);
    Reopen();
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(directory_);
  }
  void Reopen() {
    store_.reset();
    auto opened = OpenLocalStore(directory_ + "/blobs");
    ASSERT_TRUE(opened) << opened.error().ToString();
    store_ = *std::move(opened);
  }
  Digest PutBytes(std::string_view bytes) {
    const auto object = store_->Put(bytes);
    EXPECT_TRUE(object) << object.error().ToString();
    return object ? object->digest : Digest();
  }
  static void FlipBit(const std::string& path, std::int64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char old = static_cast<char>(file.get());
    file.seekp(offset);
    file.put(static_cast<char>(old ^ 1));
  }
  std::size_t Incoming() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory_ + "/blobs/incoming"), {}));
  }

  std::string directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(BlobStore, NamesBytesByTheirSha256AndKeepsThem) {
  for (const std::int64_t size :
       {std::int64_t{0}, std::int64_t{1}, kMiB - 1, kMiB, kMiB + 1, 3 * kMiB, 3 * kMiB + 17}) {
    const std::string bytes = RandomBytes(size);
    const auto object = store_->Put(bytes);
    ASSERT_TRUE(object) << object.error().ToString();
    EXPECT_EQ(object->digest, Sha256Hex(bytes));
    EXPECT_EQ(object->size_bytes, size);
    Reopen();
    EXPECT_EQ(*store_->Get(object->digest), bytes);
    EXPECT_TRUE(store_->Verify(object->digest));
    std::ifstream file(*store_->LocalPath(object->digest), std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), bytes);
  }
  EXPECT_EQ(Incoming(), 0u);
}

TEST_F(BlobStore, StreamsInPiecesOfAnySize) {
  const std::string bytes = RandomBytes(2 * kMiB + 100'000);
  auto writer = *store_->NewWriter();
  for (std::size_t at = 0, step = 1; at < bytes.size(); at += step, step = step * 3 + 1) {
    ASSERT_TRUE(writer->Append(std::string_view(bytes).substr(at, step)));
  }
  const auto object = writer->Commit();
  ASSERT_TRUE(object) << object.error().ToString();
  EXPECT_EQ(object->digest, Sha256Hex(bytes));
  auto stream = *store_->Open(object->digest);
  EXPECT_EQ(stream->size_bytes(), std::ssize(bytes));
  for (const auto& [offset, length] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 10},
                                                          {kMiB - 5, 10},
                                                          {kMiB, kMiB},
                                                          {100, 2 * kMiB},
                                                          {std::ssize(bytes) - 3, 100},
                                                          {std::ssize(bytes), 5},
                                                          {1 << 30, 5}}) {
    const std::size_t from = std::min<std::size_t>(static_cast<std::size_t>(offset), bytes.size());
    EXPECT_EQ(*stream->Read(offset, length), bytes.substr(from, static_cast<std::size_t>(length)));
  }
  EXPECT_EQ(stream->Read(-1, 5).error().gy(), "GY1503");
}

TEST_F(BlobStore, NothingIsVisibleBeforeCommit) {
  const Digest digest = Sha256Hex("hello");
  {
    auto writer = *store_->NewWriter();
    ASSERT_TRUE(writer->Append("hello"));
    EXPECT_FALSE(*store_->Exists(digest));
    EXPECT_EQ(store_->Get(digest).error().gy(), "GY1501");
  }
  EXPECT_EQ(Incoming(), 0u);
  EXPECT_EQ(store_->LocalPath(digest).error().code(), Code::kNotFound);
}

TEST_F(BlobStore, WhatIsNoLargerThanABlockTakesNoFileBeforeItsNameIsKnown) {
  const std::string bytes = RandomBytes(kMiB);
  for (int round = 0; round < 2; ++round) {
    auto writer = *store_->NewWriter();
    ASSERT_TRUE(writer->Append(bytes));
    EXPECT_EQ(Incoming(), 0u);
    EXPECT_EQ(writer->Commit()->digest, Sha256Hex(bytes));
  }
  auto larger = *store_->NewWriter();
  ASSERT_TRUE(larger->Append(bytes));
  ASSERT_TRUE(larger->Append("x"));
  EXPECT_EQ(Incoming(), 1u);
  larger.reset();
  EXPECT_EQ(Incoming(), 0u);
}

// What is remembered of a small object tells damage, and never hides it.
TEST_F(BlobStore, ASmallObjectIsReadAgainAndItsDamageFound) {
  const Digest digest = PutBytes(RandomBytes(200'000, 3));
  auto stream = *store_->Open(digest);
  EXPECT_EQ(stream->Read(0, 200'000)->size(), 200'000u);
  EXPECT_EQ(*stream->Read(0, 200'000), *stream->Read(0, kMiB)) << "also when it was handed over";
  const std::string path = *store_->LocalPath(digest);
  FlipBit(path, 150'000);
  EXPECT_EQ(store_->Get(digest).error().gy(), "GY1502");
  EXPECT_EQ(store_->Open(digest).value()->Read(5, 5).error().gy(), "GY1502");
  FlipBit(path, 150'000);
  EXPECT_TRUE(store_->Get(digest));
}

TEST_F(BlobStore, StoresTheSameBytesOnce) {
  const std::string bytes = RandomBytes(kMiB + 5);
  const std::string file = directory_ + "/source";
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(PutBytes(bytes), store_->PutFile(file)->digest);
  int objects = 0;
  ASSERT_TRUE(store_->ForEach([&](const Object& object) -> Result<> {
    EXPECT_EQ(object.size_bytes, std::ssize(bytes));
    ++objects;
    return {};
  }));
  EXPECT_EQ(objects, 1);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(store_->PutFile(directory_ + "/none").error().code(), Code::kNotFound);
}

TEST_F(BlobStore, ManyWritersOfTheSameBytes) {
  const std::string bytes = RandomBytes(kMiB + 5);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] { EXPECT_EQ(store_->Put(bytes)->digest, Sha256Hex(bytes)); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*store_->Get(Sha256Hex(bytes)), bytes);
  EXPECT_EQ(Incoming(), 0u);
}

TEST_F(BlobStore, RefusesWhatIsNoDigest) {
  for (const char* digest : {"", "abc", "../../../../etc/passwd", "ZZ"}) {
    EXPECT_EQ(store_->Get(digest).error().gy(), "GY1503") << digest;
    EXPECT_EQ(store_->Remove(digest).error().gy(), "GY1503") << digest;
  }
}

TEST_F(BlobStore, FindsAFlippedBitWherever) {
  for (const std::int64_t size : {std::int64_t{10}, kMiB, 2 * kMiB + 10}) {
    const Digest digest = PutBytes(RandomBytes(size, 7));
    const std::string path = *store_->LocalPath(digest);
    for (const std::int64_t offset : {std::int64_t{0}, size / 2, size - 1}) {
      FlipBit(path, offset);
      EXPECT_EQ(store_->Get(digest).error().gy(), "GY1502") << size << " " << offset;
      EXPECT_EQ(store_->Verify(digest).error().code(), Code::kDataLoss);
      const auto piece = (*store_->Open(digest))->Read(offset, 1);
      EXPECT_NE(piece.error().message().find(fmt::format("block {}", offset / kMiB)),
                std::string::npos);
      FlipBit(path, offset);
      EXPECT_TRUE(store_->Get(digest));
    }
    fs::resize_file(path, static_cast<std::uintmax_t>(size - 1));
    EXPECT_EQ(store_->Get(digest).error().gy(), "GY1502");
  }
}

// A worker reads past us: it gets a path only when every block is sound.
TEST_F(BlobStore, GivesNoPathOfADamagedObject) {
  for (const std::int64_t size : {std::int64_t{10}, kMiB, 3 * kMiB + 10}) {
    const Digest digest = PutBytes(RandomBytes(size, 9));
    const std::string path = *store_->LocalPath(digest);
    for (const std::int64_t offset : {std::int64_t{0}, size / 2, size - 1}) {
      const auto written = fs::last_write_time(path);
      FlipBit(path, offset);
      fs::last_write_time(path, written);  // what damages a file need not show in its time
      const auto damaged = store_->LocalPath(digest);
      ASSERT_FALSE(damaged) << size << " " << offset;
      EXPECT_EQ(damaged.error().gy(), "GY1502");
      EXPECT_NE(damaged.error().message().find(fmt::format("block {}", offset / kMiB)),
                std::string::npos);
      FlipBit(path, offset);
      EXPECT_TRUE(store_->LocalPath(digest));
    }
  }
}

TEST_F(BlobStore, StoringTheSameBytesHealsADamagedObject) {
  for (const std::int64_t size : {std::int64_t{10}, 2 * kMiB}) {
    const std::string bytes = RandomBytes(size, 11);
    const Digest digest = PutBytes(bytes);
    FlipBit(*store_->LocalPath(digest), size / 2);
    EXPECT_EQ(PutBytes(bytes), digest);
    EXPECT_TRUE(store_->LocalPath(digest));
    EXPECT_EQ(*store_->Get(digest), bytes);
  }
}

TEST_F(BlobStore, AnIntactBlockOfADamagedObjectCanStillBeRead) {
  const std::string bytes = RandomBytes(2 * kMiB);
  const Digest digest = PutBytes(bytes);
  FlipBit(*store_->LocalPath(digest), 5);
  auto stream = *store_->Open(digest);
  EXPECT_FALSE(stream->Read(0, 1));
  EXPECT_EQ(*stream->Read(kMiB, 10), bytes.substr(kMiB, 10));
}

TEST_F(BlobStore, DamagedOrMissingChecksumsAreDataLossAndHealByStoringAgain) {
  const std::string bytes = RandomBytes(2 * kMiB);
  const Digest digest = PutBytes(bytes);
  const std::string sums = *store_->LocalPath(digest) + ".sum";
  for (std::int64_t offset = 0; offset < static_cast<std::int64_t>(fs::file_size(sums)); ++offset) {
    FlipBit(sums, offset);
    EXPECT_EQ(store_->Open(digest).error().gy(), "GY1502");
    FlipBit(sums, offset);
  }
  fs::remove(sums);
  EXPECT_EQ(store_->Get(digest).error().gy(), "GY1502");
  EXPECT_EQ(PutBytes(bytes), digest);
  EXPECT_EQ(*store_->Get(digest), bytes);
}

TEST_F(BlobStore, EmptiesScratchAndIncomingAtStart) {
  std::ofstream(store_->scratch_directory() + "/left") << "x";
  std::ofstream(directory_ + "/blobs/incoming/left") << "x";
  const Digest digest = PutBytes("stays");
  Reopen();
  EXPECT_TRUE(fs::is_empty(store_->scratch_directory()));
  EXPECT_EQ(Incoming(), 0u);
  EXPECT_TRUE(*store_->Exists(digest));
}

TEST_F(BlobStore, MendsLostBlockChecksumsOfSoundBytesOnly) {
  const Digest digest = PutBytes(RandomBytes(2 * kMiB + 5));
  const std::string path = *store_->LocalPath(digest), sums = path + ".sum";
  fs::remove(sums);
  EXPECT_FALSE(store_->Verify(digest));
  EXPECT_TRUE(*store_->Mend(digest));
  EXPECT_TRUE(store_->Verify(digest));
  FlipBit(sums, 20);
  EXPECT_TRUE(*store_->Mend(digest));
  EXPECT_TRUE(store_->Verify(digest));
  EXPECT_TRUE(*store_->Mend(digest)) << "nothing to do";
  fs::remove(sums);
  FlipBit(path, kMiB);
  EXPECT_FALSE(*store_->Mend(digest));
  EXPECT_FALSE(fs::exists(sums));
  EXPECT_FALSE(*store_->Mend(Sha256Hex("not there")));
  EXPECT_FALSE(store_->Mend("../x"));
  EXPECT_EQ(Incoming(), 0u);
}

TEST_F(BlobStore, WhatIsMovedOutIsKeptAsItWas) {
  const std::string bytes = RandomBytes(kMiB + 5), aside = directory_ + "/aside/x";
  fs::create_directories(directory_ + "/aside");
  const Digest digest = PutBytes(bytes);
  FlipBit(*store_->LocalPath(digest), 7);
  ASSERT_TRUE(store_->MoveOut(digest, aside));
  EXPECT_FALSE(*store_->Exists(digest));
  EXPECT_EQ(fs::file_size(aside), bytes.size());
  EXPECT_TRUE(fs::exists(aside + ".sum"));
  ASSERT_TRUE(store_->MoveOut(digest, aside)) << "nothing is there";
  EXPECT_EQ(fs::file_size(aside), bytes.size());
  EXPECT_EQ(PutBytes(bytes), digest);
  EXPECT_TRUE(store_->Verify(digest));
}

// --- references ----------------------------------------------------------------------------------

class BlobReferences : public BlobStore {
 protected:
  void SetUp() override {
    BlobStore::SetUp();
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schema = BlobSchema();
    ASSERT_TRUE(database_->Migrate(std::span(&schema, 1)));
  }
  Result<> Refer(std::string_view owner, const Digest& digest) {
    return database_->Write(
        [&](db::Transaction& tx) { return AddRef(tx, "test", owner, {digest, 1}); });
  }
  CollectResult CollectNow(std::int64_t grace_us = 0) {
    auto result = Collect(*database_, *store_, grace_us, SystemClock().NowMicros() + 1);
    EXPECT_TRUE(result) << result.error().ToString();
    return *result;
  }

  std::unique_ptr<db::Database> database_;
};

TEST_F(BlobReferences, CollectsOnlyWhatNobodyNeeds) {
  const Digest used = PutBytes("used"), shared = PutBytes("shared"),
               orphan = PutBytes(RandomBytes(kMiB + 1)), pinned = PutBytes("pinned");
  ASSERT_TRUE(Refer("a", used));
  ASSERT_TRUE(Refer("a", used));  // twice is once
  ASSERT_TRUE(Refer("a", shared));
  ASSERT_TRUE(Refer("b", shared));
  Pin pin = store_->PinObject(pinned);
  EXPECT_EQ(CollectNow(3'600'000'000).removed, 0) << "all are young";
  CollectResult result = CollectNow();
  EXPECT_EQ(result.removed, 1);
  EXPECT_EQ(result.removed_bytes, kMiB + 1);
  EXPECT_EQ(result.kept, 3);
  EXPECT_FALSE(*store_->Exists(orphan));
  pin.reset();
  EXPECT_EQ(CollectNow().removed, 1);
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) { return DropRefs(tx, "test", "a"); }));
  EXPECT_EQ(CollectNow().removed, 1);
  EXPECT_FALSE(*store_->Exists(used));
  EXPECT_TRUE(*store_->Exists(shared));
  EXPECT_TRUE(fs::is_empty(directory_ + "/blobs/objects/" + orphan.substr(0, 2)))
      << "its checksums are gone too";
}

TEST_F(BlobReferences, WhoStoresABlobHoldsItUntilItIsNamed) {
  std::optional<Object> object = *store_->Put("about to be named");
  EXPECT_EQ(CollectNow().removed, 0) << "whatever the grace";
  EXPECT_TRUE(Refer("late", object->digest)) << "it was not condemned meanwhile";
  const Digest digest = object->digest;
  object.reset();
  EXPECT_EQ(CollectNow().removed, 0) << "it is needed";
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) { return DropRefs(tx, "test", "late"); }));
  EXPECT_EQ(CollectNow().removed, 1);
  EXPECT_FALSE(*store_->Exists(digest));

  const Object left_over = *store_->Put("the store goes first");
  store_.reset();
}

TEST_F(BlobReferences, WhatIsDiscardedGoesAtOnceWhateverItsAge) {
  const Digest shared = PutBytes("shared"), mine = PutBytes("mine"), read = PutBytes("read");
  ASSERT_TRUE(Refer("other", shared));
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) -> Result<> {
    for (const Digest& digest : {shared, mine, read}) GYRE_DO(Discard(tx, digest));
    return {};
  }));
  Pin pin = store_->PinObject(read);
  EXPECT_EQ(RemoveDiscarded(*database_, *store_)->removed, 1);
  EXPECT_TRUE(*store_->Exists(shared)) << "somebody else needs it";
  EXPECT_TRUE(*store_->Exists(read)) << "it is being read";
  EXPECT_FALSE(*store_->Exists(mine));
  pin.reset();
  EXPECT_EQ(CollectNow(24 * 3'600'000'000ll).removed, 1);
  EXPECT_FALSE(*store_->Exists(read));
}

TEST_F(BlobReferences, StoringAgainMakesABlobYoung) {
  const Digest digest = PutBytes("again");
  fs::last_write_time(*store_->LocalPath(digest),
                      fs::file_time_type::clock::now() - std::chrono::hours(48));
  EXPECT_EQ(PutBytes("again"), digest);
  EXPECT_EQ(CollectNow(24 * 3'600'000'000ll).removed, 0);
}

TEST_F(BlobReferences, ACondemnedBlobTakesNoReferenceUntilItIsGone) {
  const Digest digest = PutBytes("going");
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
    return tx.Execute("INSERT INTO blob_condemned (digest) VALUES (?1)", {digest});
  }));
  const auto refused = Refer("late", digest);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY1505");
  EXPECT_EQ(refused.error().code(), Code::kAborted);
  EXPECT_EQ(CollectNow().removed, 1) << "left by a collector that was killed";
  EXPECT_EQ(PutBytes("going"), digest);
  EXPECT_TRUE(Refer("late", digest));
}

TEST_F(BlobReferences, TheCheckNamesWhatIsMissingOrDamagedAndWhoNeedsIt) {
  const Digest sound = PutBytes("s"), missing = PutBytes("m"), damaged = PutBytes("d"),
               unneeded = PutBytes("u");
  for (const Digest& digest : {sound, missing, damaged}) ASSERT_TRUE(Refer("owner", digest));
  ASSERT_TRUE(Refer("other", damaged));
  EXPECT_TRUE(Check(*database_, *store_, {})->problems.empty());
  const std::string path = *store_->LocalPath(damaged), spare = *store_->LocalPath(unneeded);
  ASSERT_TRUE(store_->Remove(missing));
  FlipBit(path, 0);
  FlipBit(spare, 0);
  const auto quick = *Check(*database_, *store_, {.contents = false});
  ASSERT_EQ(quick.problems.size(), 1u);
  EXPECT_NE(quick.problems[0].what.find(missing), std::string::npos);
  ASSERT_EQ(quick.problems[0].owners.size(), 1u);
  EXPECT_EQ(quick.problems[0].owners[0].id, "owner");
  EXPECT_EQ(quick.bytes_read, 0);
  const auto full = *Check(*database_, *store_, {});
  ASSERT_EQ(full.problems.size(), 3u);
  EXPECT_EQ(full.objects, 3);
  EXPECT_EQ(full.bytes_read, 3);
  std::size_t owners = 0;
  for (const Damage& damage : full.problems) owners += damage.owners.size();
  EXPECT_EQ(owners, 3u) << "the one that nobody needs has none";
  EXPECT_EQ(Check(*database_, *store_, {.progress = [](std::int64_t, std::int64_t) -> Result<> {
              return Internal("GY1001", "stop");
            }})
                .error()
                .message(),
            "stop");
}

TEST_F(BlobReferences, TheSizeOfWhatSomebodyNeeds) {
  const Digest needed = PutBytes("n"), unneeded = PutBytes("u");
  ASSERT_TRUE(Refer("owner", needed));
  EXPECT_EQ(*ReferencedSize(*database_, needed), std::optional<std::int64_t>(1));
  EXPECT_EQ(*ReferencedSize(*database_, unneeded), std::nullopt);
}

TEST_F(BlobReferences, WritersAndTheCollectorTogetherLoseNothing) {
  std::atomic<bool> stop = false;
  std::thread collector([&] {
    while (!stop) CollectNow();  // no grace at all: a blob may go between its Put and its reference
  });
  int referred = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = fmt::format("blob {}", i % 50);
    const Digest digest = PutBytes(bytes);
    const Pin pin = store_->PinObject(digest);
    if (!*store_->Exists(digest))
      continue;  // collected before it was pinned; a real writer has the grace time
    const auto written = Refer(fmt::format("owner {}", i % 7), digest);
    if (!written) {
      EXPECT_EQ(written.error().gy(), "GY1505");
      continue;
    }
    ++referred;
    EXPECT_EQ(*store_->Get(digest), bytes);
  }
  stop = true;
  collector.join();
  EXPECT_GT(referred, 0);
  ASSERT_TRUE(database_->Read([&](db::Reader& reader) {
    return reader.Query("SELECT DISTINCT digest FROM blob_ref", {},
                        [&](const db::Row& row) -> Result<> {
                          EXPECT_TRUE(*store_->Exists(row.Str(0)));
                          return {};
                        });
  }));
}

}  // namespace
}  // namespace gyre::blob
