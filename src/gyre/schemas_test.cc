// A start that is killed in the middle of a migration has changed nothing, the next one completes,
// and there is a way back that loses nothing.
#include "gyre/schemas.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "base/hash.h"
#include "base/time.h"
#include "gyre/upgrade.h"
#include "ledger/audit/anchors.h"
#include "ledger/secrets/secrets.h"
#include "platform/db/database_file.h"
#include "platform/exec/fault_point.h"
#include "platform/exec/files.h"

namespace gyre {
namespace {

// As the first releases of the modules were.
std::vector<db::ModuleSchema> FirstOnly() {
  std::vector<db::ModuleSchema> schemas(AllSchemas().begin(), AllSchemas().end());
  for (db::ModuleSchema& schema : schemas) schema.migrations = schema.migrations.first(1);
  return schemas;
}

class SchemasTest : public testing::Test {
 protected:
  void SetUp() override { folder_ = exec::MakeTemporaryDirectory().value(); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/gyre.db"; }
  Result<> Migrate(std::span<const db::ModuleSchema> schemas) const {
    GYRE_TRY(const auto database, db::OpenSqlite({.path = path()}));
    return database->Migrate(schemas);
  }
  Result<> AddBlob(const std::string& owner) const {
    GYRE_TRY(const auto database, db::OpenSqlite({.path = path()}));
    return database->Write([&](db::Transaction& tx) {
      return tx.Execute(
          "INSERT INTO blob_ref (owner_kind, owner_id, digest, size_bytes) VALUES ('x', ?1, ?2, 1)",
          {owner, Sha256Hex(owner)});
    });
  }
  std::vector<std::string> Pending() const {
    return db::OpenDatabaseFile(path()).value()->Pending(AllSchemas()).value();
  }
  std::int64_t Rows(const std::string& database) const {
    const auto counts = db::OpenDatabaseFile(database).value()->CountRows().value();
    for (const db::TableRows& one : counts) {
      if (one.table == "blob_ref") return one.rows;
    }
    return -1;
  }
  // In a process of its own, which dies at the fault point.
  static void DiesAt(const std::string& fault, const std::function<Result<>()>& what) {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool done = exec::ArmFault(fault).has_value() && what().has_value();
      ::_exit(done ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << fault << " " << status;
  }

  std::string folder_;
};

TEST_F(SchemasTest, AMigrationThatIsKilledHasChangedNothing) {
  ASSERT_TRUE(Migrate(FirstOnly()));
  ASSERT_TRUE(AddBlob("a"));
  const auto pending = Pending();
  ASSERT_FALSE(pending.empty());
  for (const std::string& name : pending) {
    DiesAt("migration.applied:" + name, [&] { return Migrate(AllSchemas()); });
    EXPECT_EQ(Pending(), pending) << name;
  }
  EXPECT_LE(db::SnapshotsOf(path()).size(), 4U) << "old ones go";
  ASSERT_TRUE(Migrate(AllSchemas()));
  EXPECT_TRUE(Pending().empty());
  EXPECT_EQ(Rows(path()), 1);
}

TEST_F(SchemasTest, TheLogAndTheSecretsGoBackWithIt) {
  const Clock& clock = SystemClock();
  const auto say = [&](std::string_view action) {
    const auto database = db::OpenSqlite({.path = path()}).value();
    ASSERT_TRUE(audit::Audit(*database).Append({.at_us = 1, .action = action}));
    const audit::Audit log(*database);
    const audit::Anchors anchors(log, folder_ + "/audit.anchors", clock);
  };
  const auto vault = [&](db::Database& database) {
    return secrets::OpenSecrets(database, folder_ + "/master.key", clock).value();
  };
  ASSERT_TRUE(Migrate(FirstOnly()));
  {
    const auto database = db::OpenSqlite({.path = path()}).value();
    ASSERT_TRUE(vault(*database)->Put("p", "kept", "old", "ann"));
    ASSERT_TRUE(vault(*database)->Put("p", "removed", "old", "ann"));
  }
  say("first");
  ASSERT_TRUE(Migrate(AllSchemas()));
  {
    const auto database = db::OpenSqlite({.path = path()}).value();
    const auto secrets = vault(*database);
    ASSERT_TRUE(secrets->Put("p", "kept", "new", "ann"));
    ASSERT_TRUE(secrets->Remove("p", "removed"));
    ASSERT_TRUE(secrets->RotateMasterKey());
  }
  say("second");
  const auto back = RollBack(folder_, AllSchemas());
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(back->secrets_kept, 1);
  EXPECT_EQ(back->secrets_gone, 1);
  say("third");
  const auto database = db::OpenSqlite({.path = path()}).value();
  EXPECT_EQ(vault(*database)->Resolve("p", "secret:kept").value(), "new");
  const audit::Audit log(*database);
  const auto anchors = audit::Anchors::Read(folder_ + "/audit.anchors").value();
  const auto verdict = log.Verify(anchors);
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  EXPECT_TRUE(verdict->sound) << verdict->problem;
  EXPECT_EQ(log.List({}).value().at(1).action, "database.rolled_back");
  std::string aside = back->set_aside;
  aside.replace(aside.rfind(".db"), 3, ".anchors");
  EXPECT_EQ(audit::Anchors::Read(aside).value().size(), 2U) << "what was, with the later end";
}

TEST_F(SchemasTest, GoesBackAndSetsAsideWhatCameSince) {
  ASSERT_TRUE(Migrate(FirstOnly()));
  EXPECT_EQ(RollBack(folder_, AllSchemas()).error().gy(), "GY1920");
  ASSERT_TRUE(AddBlob("a"));
  const auto pending = Pending();
  ASSERT_TRUE(Migrate(AllSchemas()));
  ASSERT_TRUE(AddBlob("b"));
  DiesAt("rollback.ready", [&]() -> Result<> {
    GYRE_TRY(const RolledBack back, RollBack(folder_, AllSchemas()));
    return {};
  });
  EXPECT_TRUE(Pending().empty()) << "not before it is ready";
  const auto back = RollBack(folder_, AllSchemas());
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(Pending(), pending);
  EXPECT_EQ(Rows(back->set_aside), 2);
  EXPECT_EQ(Rows(path()), 3) << "a, and both for what is set aside";
  EXPECT_EQ(back->blobs_gone, 1) << "there never was a file";
  const auto since = std::ranges::find(back->since, "blob_ref", &RowsSince::table);
  ASSERT_NE(since, back->since.end());
  EXPECT_EQ(since->then, 1);
  EXPECT_EQ(since->now, 2);
  const auto database = db::OpenSqlite({.path = path()}).value();
  ASSERT_TRUE(ForgetSetAside(*database, folder_));
  EXPECT_EQ(Rows(path()), 3);
  std::filesystem::remove(back->set_aside);
  ASSERT_TRUE(ForgetSetAside(*database, folder_));
  EXPECT_EQ(Rows(path()), 1);
}

}  // namespace
}  // namespace gyre
