#include "ledger/audit/audit.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "ledger/audit/anchors.h"
#include "platform/exec/files.h"

namespace gyre::audit {
namespace {

class AuditTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_audit_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schema = AuditSchema();
    ASSERT_TRUE(database_->Migrate(std::span(&schema, 1)));
    audit_ = std::make_unique<Audit>(*database_);
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void AppendSome(int count) {
    for (int i = 1; i <= count; ++i) {
      const std::string object = fmt::format("object {}", i);
      ASSERT_TRUE(audit_->Append({.at_us = i * 1000,
                                  .actor_id = "u1",
                                  .actor_name = "ada",
                                  .actor_kind = "user",
                                  .action = i % 2 ? "model.alias_moved" : "user.added",
                                  .project = i % 3 ? "p" : "q",
                                  .object = object}));
    }
  }
  void Tamper(std::string_view sql) {
    ASSERT_TRUE(database_->Write([&](db::Transaction& tx) { return tx.Execute(sql, {}); }));
  }

  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Audit> audit_;
};

TEST_F(AuditTest, KeepsEntriesAndFindsThem) {
  AppendSome(10);
  const auto all = *audit_->List({});
  ASSERT_EQ(all.size(), 10u);
  EXPECT_EQ(all[0].sequence, 10);
  EXPECT_EQ(all[0].actor_name, "ada");
  EXPECT_EQ(all[0].outcome, "ok");
  EXPECT_EQ(all[0].details, "{}");
  EXPECT_EQ(audit_->List({.project = "q"})->size(), 3u);
  EXPECT_EQ(audit_->List({.actor = "ada", .limit = 4})->size(), 4u);
  EXPECT_EQ(audit_->List({.actor = "bob"})->size(), 0u);
  EXPECT_EQ(audit_->List({.action = "model."})->size(), 5u);
  EXPECT_EQ(audit_->List({.action = "model"})->size(), 0u);
  EXPECT_EQ(audit_->List({.object = "object 7"})->front().sequence, 7);
  ASSERT_TRUE(audit_->Append({.action = "alias.move", .object = "churn/champion"}));
  ASSERT_TRUE(audit_->Append({.action = "alias.move", .object = "churned"}));
  ASSERT_EQ(audit_->List({.object = "churn"})->size(), 1u) << "and what lies below it";
  EXPECT_EQ(audit_->List({.from_us = 3000, .to_us = 5000})->size(), 2u);
  EXPECT_EQ(audit_->List({.before = 4})->front().sequence, 3);
}

TEST_F(AuditTest, AnEntryOfAFailedChangeIsNotKept) {
  EXPECT_FALSE(database_->Write([](db::Transaction& tx) -> Result<> {
    GYRE_DO(Append(tx, {.action = "x.y"}));
    return Error(Code::kAborted, "GY9999", "no");
  }));
  EXPECT_TRUE(audit_->List({})->empty());
  AppendSome(2);
  EXPECT_TRUE(audit_->Verify()->sound);
}

TEST_F(AuditTest, ASoundChainVerifies) {
  EXPECT_TRUE(audit_->Verify()->sound);
  AppendSome(20);
  const Verdict verdict = *audit_->Verify();
  EXPECT_TRUE(verdict.sound);
  EXPECT_EQ(verdict.entries, 20);
  EXPECT_EQ(verdict.end.sequence, 20);
  EXPECT_EQ(verdict.end.hash, audit_->List({.limit = 1})->front().hash);
}

TEST_F(AuditTest, EveryTamperedFieldShows) {
  for (const char* change :
       {"at_us = at_us + 1", "actor_id = 'x'", "actor_name = 'x'", "actor_kind = 'x'",
        "action = 'x'", "project = 'x'", "object = 'x'", "outcome = 'denied'", "request_id = 'x'",
        "peer = 'x'", "details = '{\"a\":1}'", "hash = 'x'"}) {
    TearDown();
    SetUp();
    AppendSome(5);
    Tamper(fmt::format("UPDATE audit_entry SET {} WHERE sequence = 3", change));
    const Verdict verdict = *audit_->Verify();
    EXPECT_FALSE(verdict.sound) << change;
    EXPECT_EQ(verdict.broken_at, 3) << change;
  }
}

TEST_F(AuditTest, RemovedAndMovedTextShows) {
  AppendSome(5);
  Tamper(
      "UPDATE audit_entry SET actor_id = 'u1a', actor_name = 'da' WHERE sequence = 2");  // the same
                                                                                         // letters
                                                                                         // in other
                                                                                         // fields
  EXPECT_EQ(audit_->Verify()->broken_at, 2);
  TearDown();
  SetUp();
  AppendSome(5);
  Tamper("DELETE FROM audit_entry WHERE sequence = 4");
  EXPECT_EQ(audit_->Verify()->broken_at, 4);
}

TEST_F(AuditTest, AnAnchorShowsACutOrRewrittenLog) {
  AppendSome(5);
  const Anchor anchor = audit_->Verify()->end;
  AppendSome(2);
  EXPECT_TRUE(audit_->Verify(std::span(&anchor, 1))->sound);
  Tamper("DELETE FROM audit_entry WHERE sequence > 4");
  EXPECT_TRUE(audit_->Verify()->sound) << "the end of a chain alone cannot be missed";
  EXPECT_FALSE(audit_->Verify(std::span(&anchor, 1))->sound);
  AppendSome(1);
  EXPECT_NE(audit_->Verify(std::span(&anchor, 1))->problem.find("rewritten"), std::string::npos);
}

TEST_F(AuditTest, AnchorsStandOutsideOfTheDatabaseAndAreNotRepeated) {
  const std::string path = directory_ + "/audit.anchors";
  EXPECT_TRUE(Anchors::Read(path)->empty());
  {
    const Anchors anchors(*audit_, path, SystemClock());
  }
  EXPECT_TRUE(Anchors::Read(path)->empty()) << "there is no entry yet";
  AppendSome(3);
  {
    const Anchors anchors(*audit_, path, SystemClock());
  }
  {
    const Anchors anchors(*audit_, path, SystemClock());
    AppendSome(2);
  }
  const std::vector<Anchor> kept = *Anchors::Read(path);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].sequence, 3);
  EXPECT_EQ(kept[1].sequence, 5);
  const Verdict verdict = *audit_->Verify(kept);
  EXPECT_TRUE(verdict.sound);
  EXPECT_EQ(verdict.anchored.sequence, 5);
  EXPECT_GT(verdict.anchored.at_us, 0);

  // All of it written anew, hashes and all, with one entry left out.
  Tamper("DELETE FROM audit_entry");
  AppendSome(6);
  Tamper("UPDATE audit_entry SET actor_name = 'eve' WHERE sequence = 1");
  EXPECT_FALSE(audit_->Verify(kept)->sound);
  Tamper("DELETE FROM audit_entry");
  ASSERT_TRUE(audit_->Append({.actor_name = "eve", .action = "x"}));
  AppendSome(6);
  EXPECT_TRUE(audit_->Verify()->sound);
  EXPECT_EQ(audit_->Verify(kept)->broken_at, 3);
}

TEST_F(AuditTest, AnAnchorCutOffIsLeftOutAndAChangedOneIsSaid) {
  const std::string path = directory_ + "/audit.anchors";
  AppendSome(1);
  {
    const Anchors anchors(*audit_, path, SystemClock());
  }
  ASSERT_TRUE(exec::AppendFile(path, "{\"sequence\":"));
  EXPECT_EQ(Anchors::Read(path)->size(), 1u);
  AppendSome(1);
  {
    const Anchors anchors(*audit_, path, SystemClock());
  }
  const auto kept = Anchors::Read(path);
  ASSERT_TRUE(kept) << kept.error().ToString();
  EXPECT_EQ(kept->size(), 2u);
  EXPECT_TRUE(audit_->Verify(*kept)->sound);
  ASSERT_TRUE(exec::AppendFile(path, "{\"sequence\":\n"));
  EXPECT_EQ(Anchors::Read(path).error().gy(), "GY4165");
}

}  // namespace
}  // namespace gyre::audit
