// What only the SQLite backend can meet: files that are no database, file systems, snapshots.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/id.h"
#include "platform/db/database.h"
#include "platform/db/database_file.h"
#include "platform/db/sqlite_connection.h"

namespace gyre::db {
namespace {

class SqliteFiles : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_sqlite_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/gyre.db"; }
  std::size_t Snapshots() const {
    std::error_code error;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/snapshots", error))
      count += entry.is_regular_file();
    return count;
  }

  std::string directory_;
};

constexpr Migration kMigrations[] = {
    {1, "one", "CREATE TABLE t (k TEXT, v TEXT)"},   {2, "two", "CREATE INDEX t_k ON t (k)"},
    {3, "three", "ALTER TABLE t ADD COLUMN w TEXT"}, {4, "four", "ALTER TABLE t ADD COLUMN x TEXT"},
    {5, "five", "ALTER TABLE t ADD COLUMN y TEXT"},  {6, "six", "ALTER TABLE t ADD COLUMN z TEXT"}};

std::vector<ModuleSchema> SchemasUpTo(std::size_t count) {
  return {{"test/t", std::span(kMigrations).first(count)}};
}

TEST_F(SqliteFiles, AFileThatIsNoDatabaseIsRefused) {
  std::ofstream(path()) << std::string(8192, 'x');
  const auto opened = OpenSqlite({.path = path()});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().gy(), "GY1405");
  EXPECT_EQ(opened.error().code(), Code::kDataLoss);
}

TEST_F(SqliteFiles, AMissingFolderIsNamed) {
  const auto opened = OpenSqlite({.path = directory_ + "/none/gyre.db"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().gy(), "GY1415");
  EXPECT_NE(opened.error().message().find("none"), std::string::npos);
}

TEST_F(SqliteFiles, ADamagedPageIsFound) {
  {
    auto database = *OpenSqlite({.path = path()});
    ASSERT_TRUE(database->Migrate(SchemasUpTo(2)));
    ASSERT_TRUE(database->Write([](Transaction& tx) -> Result<> {
      for (int i = 0; i < 2000; ++i) {
        const std::string key = std::to_string(i);
        GYRE_DO(tx.Execute("INSERT INTO t (k, v) VALUES (?1, ?2)", {key, std::string(200, 'v')}));
      }
      return {};
    }));
  }
  const auto size = std::filesystem::file_size(path());
  int found = 0, pages = 0;
  for (std::uintmax_t page = 4096; page + 4096 <= size; page += 4096 * 7, ++pages) {
    const std::string copy = directory_ + "/copy.db";
    std::filesystem::copy_file(path(), copy, std::filesystem::copy_options::overwrite_existing);
    {
      std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(page));
      file << std::string(64, '\xa5');  // the page's header and cell pointers
    }
    const auto database = OpenSqlite({.path = copy});
    if (!database) {
      EXPECT_EQ(database.error().code(), Code::kDataLoss);
      ++found;
      continue;
    }
    const auto problems = (*database)->IntegrityProblems();
    ASSERT_TRUE(problems) << problems.error().ToString();
    if (!problems->empty()) ++found;
    const auto whole = CheckPages(copy, {});
    ASSERT_FALSE(whole) << page;
    EXPECT_EQ(whole.error().gy(), "GY1405");
    EXPECT_TRUE(whole.error().fixes().at(0).starts_with("gyre restore"));
    EXPECT_TRUE(CheckPages(copy, [] { return true; })) << "who is told to stop finds nothing";
  }
  EXPECT_TRUE(CheckPages(path(), {}));
  EXPECT_GT(pages, 5);
  EXPECT_EQ(found, pages);
}

TEST_F(SqliteFiles, SnapshotsBeforeItChangesData) {
  auto database = *OpenSqlite({.path = path()});
  ASSERT_TRUE(database->Migrate(SchemasUpTo(1)));
  EXPECT_EQ(Snapshots(), 0u) << "there was nothing to lose";
  ASSERT_TRUE(database->Write(
      [](Transaction& tx) { return tx.Execute("INSERT INTO t (k) VALUES ('kept')", {}); }));
  ASSERT_TRUE(database->Migrate(SchemasUpTo(2)));
  ASSERT_EQ(Snapshots(), 1u);
  const std::string snapshot =
      std::filesystem::directory_iterator(directory_ + "/snapshots")->path().string();
  auto old = OpenSqlite({.path = snapshot});
  ASSERT_TRUE(old) << old.error().ToString();
  ASSERT_TRUE((*old)->Migrate(SchemasUpTo(1))) << "the snapshot has the old schema";
  for (std::size_t count = 3; count <= 6; ++count)
    ASSERT_TRUE(database->Migrate(SchemasUpTo(count)));
  EXPECT_LE(Snapshots(),
            3u + 2u);  // three kept, and the log files of the one that this test opened
}

TEST_F(SqliteFiles, NetworkFileSystemsAreKnown) {
  EXPECT_EQ(NetworkFileSystemName(0x6969), "NFS");
  EXPECT_EQ(NetworkFileSystemName(static_cast<std::int32_t>(0xFF534D42)), "CIFS");
  EXPECT_EQ(NetworkFileSystemName(0xEF53), "");      // ext4
  EXPECT_EQ(NetworkFileSystemName(0x01021994), "");  // tmpfs
  EXPECT_EQ(NetworkFileSystemName(0x9123683E), "");  // btrfs
}

TEST_F(SqliteFiles, TheLogIsMovedIntoTheDatabaseInTime) {
  auto database = *OpenSqlite({.path = path()});
  ASSERT_TRUE(database->Migrate(SchemasUpTo(1)));
  const std::string value(1 << 20, 'v');
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(database->Write(
        [&](Transaction& tx) { return tx.Execute("INSERT INTO t (v) VALUES (?1)", {value}); }));
  }
  EXPECT_LT(std::filesystem::file_size(path() + "-wal"), 40u << 20);
  database.reset();
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
}

}  // namespace
}  // namespace gyre::db
