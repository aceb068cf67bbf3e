#include "gyre/retention.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "base/testing/set_clock.h"

namespace gyre {
namespace {

constexpr std::int64_t kDay = kMicrosPerDay;
constexpr db::Migration kMigrations[] = {{1, "init", "CREATE TABLE leaf (at_us BIGINT)"}};

class RetentionTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_retention_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {{"test/leaves", kMigrations}};
    ASSERT_TRUE(database_->Migrate(schemas));
    clock_.now_us = 100 * kDay;
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Add(std::int64_t at_us) {
    ASSERT_TRUE(database_->Write(
        [&](db::Transaction& tx) { return tx.Execute("INSERT INTO leaf VALUES (?1)", {at_us}); }));
  }
  RetentionRule Leaves(std::int64_t keep_us) {
    return {.noun = "old leaves",
            .setting = "retention.leaves",
            .keep_us = keep_us,
            .held = "SELECT COUNT(*), COALESCE(MIN(at_us), 0) FROM leaf",
            .forget = [this](std::int64_t before_us) -> Result<std::int64_t> {
              std::int64_t gone = 0;
              GYRE_DO(database_->Write([&](db::Transaction& tx) -> Result<> {
                GYRE_DO(tx.Execute("DELETE FROM leaf WHERE at_us < ?1", {before_us}));
                gone = tx.changes();
                return {};
              }));
              return gone;
            }};
  }

  SetClock clock_;
  std::string directory_;
  std::unique_ptr<db::Database> database_;
};

TEST_F(RetentionTest, ForgetsByTheClockAndSaysWhatIsHeld) {
  for (const std::int64_t day : {1, 50, 95, 99}) Add(day * kDay);
  const Retention retention(*database_, clock_, {Leaves(10 * kDay)});
  Json leaves = retention.Report(101 * kDay)->operator[]("items").items()[0];
  EXPECT_EQ(leaves["held"].AsInt(), 4);
  EXPECT_EQ(leaves["oldest"].AsString(), FormatTime(kDay));
  EXPECT_EQ(leaves["kept_seconds"].AsInt(), 10 * 86'400);
  EXPECT_EQ(leaves["next_run"].AsString(), FormatTime(101 * kDay));
  EXPECT_TRUE(leaves["due"].AsBool());
  EXPECT_EQ((*retention.Forget())["old_leaves_removed"].AsInt(), 2);
  leaves = retention.Report(0)->operator[]("items").items()[0];
  EXPECT_EQ(leaves["held"].AsInt(), 2);
  EXPECT_FALSE(leaves["due"].AsBool());
  EXPECT_TRUE(leaves["next_run"].is_null()) << "nothing runs by itself";

  clock_.now_us = 106 * kDay;
  EXPECT_EQ((*retention.Forget())["old_leaves_removed"].AsInt(), 1);
  clock_.now_us = 90 * kDay;
  EXPECT_EQ((*retention.Forget())["old_leaves_removed"].AsInt(), 0) << "a clock that was set back";
}

TEST_F(RetentionTest, ZeroIsForEver) {
  Add(1);
  const Retention retention(*database_, clock_, {Leaves(0)});
  EXPECT_EQ((*retention.Forget())["old_leaves_removed"].AsInt(), 0);
  const Json leaves = retention.Report(101 * kDay)->operator[]("items").items()[0];
  EXPECT_TRUE(leaves["kept_seconds"].is_null());
  EXPECT_TRUE(leaves["next_run"].is_null());
  EXPECT_FALSE(leaves["due"].AsBool());
}

}  // namespace
}  // namespace gyre
