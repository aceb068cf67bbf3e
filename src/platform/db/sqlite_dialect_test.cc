#include <gtest/gtest.h>

#include "platform/db/dialect.h"

namespace gyre::db {
namespace {

TEST(Dialect, SplitsStatementsOutsideQuotesAndComments) {
  const auto statements = SplitStatements(
      "-- head; er\nINSERT INTO t VALUES ('a;b', \"c;d\"); /* x; y */ SELECT 1;;\n ");
  ASSERT_EQ(statements.size(), 2u);
  EXPECT_EQ(statements[0], "INSERT INTO t VALUES ('a;b', \"c;d\")");
  EXPECT_EQ(statements[1], "SELECT 1");
  EXPECT_TRUE(SplitStatements(" ; -- nothing").empty());
}

TEST(Dialect, MakesTablesStrict) {
  EXPECT_EQ(*SqliteDialect().Schema("CREATE TABLE t (a BIGINT, b TEXT DEFAULT 'bigint')"),
            "CREATE TABLE t (a INTEGER, b TEXT DEFAULT 'bigint') STRICT");
  EXPECT_EQ(*SqliteDialect().Schema("create index i on t (a)"), "create index i on t (a)");
  EXPECT_EQ(*SqliteDialect().Schema("CREATE TABLE t (a BIGINT PRIMARY KEY) CLUSTERED"),
            "CREATE TABLE t (a INTEGER PRIMARY KEY)  WITHOUT ROWID, STRICT");
  EXPECT_EQ(*SqliteDialect().Schema("ALTER TABLE t ADD COLUMN c BIGINT"),
            "ALTER TABLE t ADD COLUMN c INTEGER");
}

TEST(Dialect, RefusesWhatDoesNotPort) {
  for (const char* sql :
       {"CREATE TABLE t (a TEXT) WITHOUT ROWID", "CREATE TABLE t (a TEXT) STRICT",
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TABLE t (a TEXT REFERENCES u (a) DEFERRABLE INITIALLY DEFERRED)"}) {
    const auto refused = SqliteDialect().Schema(sql);
    ASSERT_FALSE(refused) << sql;
    EXPECT_EQ(refused.error().gy(), "GY1407");
  }
}

}  // namespace
}  // namespace gyre::db
