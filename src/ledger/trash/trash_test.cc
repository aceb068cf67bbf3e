#include "ledger/trash/trash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/id.h"
#include "base/testing/set_clock.h"
#include "ledger/trash/cells.h"
#include "ledger/trash/parcel.h"
#include "platform/blob/blob_store.h"

namespace gyre::trash {
namespace {

constexpr db::Migration kMigrations[] = {
    {1, "init",
     "CREATE TABLE pot (id TEXT PRIMARY KEY, project TEXT, name TEXT, size REAL, lid BLOB, old "
     "BIGINT, UNIQUE (project, name)); CREATE TABLE tea (pot TEXT REFERENCES pot (id), leaf TEXT "
     "PRIMARY KEY); CREATE TABLE lid_mark (name TEXT PRIMARY KEY, pot TEXT REFERENCES pot (id))"}};

class TrashTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_trash_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {
        blob::BlobSchema(), TrashSchema(), {"test/pots", kMigrations}};
    ASSERT_TRUE(database_->Migrate(schemas));
    trash_.emplace(*database_, clock_, 100 * kMicrosPerSecond);
    trash_->Register({.noun = "pot",
                      .permission = "pot.write",
                      .names = {{"pot", "name"}},
                      .yields = {"lid_mark"}});
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Write(db::Database::WriteBody body) {
    const auto done = database_->Write(std::move(body));
    ASSERT_TRUE(done) << done.error().ToString();
  }
  void Add(const std::string& id, const std::string& name) {
    Write([&](db::Transaction& tx) -> Result<> {
      GYRE_DO(tx.Execute("INSERT INTO pot VALUES (?1, 'p', ?2, ?3, ?4, NULL)",
                         {id, name, 0.1 + 0.2, db::Bytes{std::string_view("a\0b'", 4)}}));
      GYRE_DO(tx.Execute("INSERT INTO tea VALUES (?1, ?2)", {id, "leaf of " + id}));
      GYRE_DO(
          tx.Execute("INSERT INTO lid_mark VALUES (?1, ?2) ON CONFLICT DO NOTHING", {"best", id}));
      return blob::AddRef(tx, "pot", id, {std::string(64, id[0]), 1000});
    });
  }
  Result<> Remove(const std::string& id, const std::string& name) {
    return database_->Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(Parcel parcel, Parcel::Begin(tx, {.noun = "pot",
                                                 .project = "p",
                                                 .name = name,
                                                 .what = "one leaf",
                                                 .by = "ann",
                                                 .now_us = clock_.NowMicros()}));
      GYRE_DO(parcel.Take("lid_mark", "pot = ?1", {id}));
      GYRE_DO(parcel.Take("tea", "pot = ?1", {id}));
      GYRE_DO(parcel.Take("pot", "id = ?1", {id}));
      return parcel.TakeBlobs("pot", id);
    });
  }
  Result<> PutBack(const std::string& name, std::string_view as = {}) {
    GYRE_TRY(const Item item, trash_->Newest("p", "pot", name));
    return trash_->Restore(item, as);
  }
  // Every cell of every table, as text.
  std::string Everything() {
    std::string all;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      for (const std::string_view sql :
           {"SELECT quote(id) || quote(name) || quote(size) || quote(lid) || quote(old) FROM pot "
            "ORDER BY id",
            "SELECT quote(pot) || quote(leaf) FROM tea ORDER BY leaf",
            "SELECT quote(name) || quote(pot) FROM lid_mark",
            "SELECT owner_kind || owner_id || digest || size_bytes FROM blob_ref ORDER BY 1"})
        GYRE_DO(reader.Query(sql, {}, [&](const db::Row& row) -> Result<> {
          all += row.Str(0) + "\n";
          return {};
        }));
      return {};
    }));
    return all;
  }

  SetClock clock_;
  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::optional<Trash> trash_;
};

TEST(Cells, SurviveEveryKindOfValue) {
  const std::vector<Cell> cells = {{"a", {}},
                                   {"b", std::int64_t{-5}},
                                   {"c", 0.1 + 0.2},
                                   {"d", std::string("7:x")},
                                   {"e", Bytes{std::string("\0\xff", 2)}},
                                   {"f", -INFINITY}};
  const auto back = Unpacked(Packed(cells));
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(Packed(*back), Packed(cells));
  EXPECT_EQ(std::get<double>((*back)[2].value), 0.1 + 0.2);
  EXPECT_EQ(std::get<Bytes>((*back)[4].value).data, std::string("\0\xff", 2));
  for (const std::string_view broken : {"1", "1:", "1:a", "1:ax0:", "1:ai2:9", "1:ai1:x", "9:a"})
    EXPECT_EQ(Unpacked(broken).error().gy(), "GY5001") << broken;
}

TEST_F(TrashTest, WhatComesBackIsWhatWasThere) {
  Add("1", "blue");
  Add("2", "red");
  const std::string before = Everything();
  ASSERT_TRUE(Remove("1", "blue"));
  EXPECT_EQ(Everything().find("blue"), std::string::npos);
  const auto items = trash_->List({});
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->front().what, "one leaf");
  EXPECT_EQ(items->front().removed_by, "ann");
  EXPECT_EQ(items->front().until_us, clock_.NowMicros() + 100 * kMicrosPerSecond);
  EXPECT_EQ(items->front().rows, 4);
  EXPECT_GT(items->front().bytes, 1000);
  ASSERT_TRUE(PutBack("blue"));
  EXPECT_EQ(Everything(), before);
  EXPECT_TRUE(trash_->List({})->empty());
  EXPECT_EQ(PutBack("blue").error().gy(), "GY5002");
}

TEST_F(TrashTest, ATakenNameIsToldAndAnotherHelps) {
  Add("1", "blue");
  ASSERT_TRUE(Remove("1", "blue"));
  Add("3", "blue");
  const std::string before = Everything();
  const auto taken = PutBack("blue");
  EXPECT_EQ(taken.error().gy(), "GY5003");
  EXPECT_EQ(taken.error().fixes().front(), "gyre undelete pot blue --as blue-2");
  EXPECT_EQ(Everything(), before) << "nothing half";
  ASSERT_TRUE(PutBack("blue", "old-blue"));
  EXPECT_NE(Everything().find("'old-blue'"), std::string::npos);
  EXPECT_NE(Everything().find("'best''3'"), std::string::npos) << "the mark has moved on";
}

TEST_F(TrashTest, TheNewestOfANameIsMeant) {
  Add("1", "blue");
  ASSERT_TRUE(Remove("1", "blue"));
  Add("2", "blue");
  ASSERT_TRUE(Remove("2", "blue"));
  ASSERT_TRUE(PutBack("blue"));
  EXPECT_NE(Everything().find("leaf of 2"), std::string::npos);
}

TEST_F(TrashTest, EndsWhatIsOldAndLeavesNoWordOfIt) {
  Add("1", "blue");
  Add("2", "red");
  ASSERT_TRUE(Remove("1", "blue"));
  clock_.now_us += 60 * kMicrosPerSecond;
  ASSERT_TRUE(Remove("2", "red"));
  EXPECT_EQ(trash_->PurgeOld()->items, 0);
  clock_.now_us += 50 * kMicrosPerSecond;
  const auto purged = trash_->PurgeOld();
  ASSERT_TRUE(purged);
  EXPECT_EQ(purged->items, 1);
  EXPECT_GT(purged->bytes, 1000);
  EXPECT_EQ(PutBack("blue").error().gy(), "GY5002");
  EXPECT_EQ(Everything().find(std::string(64, '1')), std::string::npos) << "its blob may go";
  ASSERT_TRUE(PutBack("red"));
}

TEST_F(TrashTest, WhatOthersReferToStays) {
  Add("1", "blue");
  const std::string before = Everything();
  const auto done = database_->Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(Parcel parcel, Parcel::Begin(tx, {.noun = "pot", .project = "p", .name = "blue"}));
    return parcel.Take("pot", "id = ?1", {"1"});
  });
  EXPECT_EQ(done.error().gy(), "GY1403");
  EXPECT_EQ(Everything(), before);
  EXPECT_TRUE(trash_->List({})->empty());
}

}  // namespace
}  // namespace gyre::trash
