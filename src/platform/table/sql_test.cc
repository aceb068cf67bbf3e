#include "platform/table/sql.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/time.h"
#include "platform/table/writer.h"

namespace gyre::table {
namespace {

class Sql : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/gyre_sql_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_ + "/parts");
    std::filesystem::create_directories(folder_ + "/scratch");
    Frame frame;
    frame.columns.resize(2);
    frame.columns[0] = {"n", Type::kInt, {}, {}, {}, {}};
    frame.columns[1] = {"name", Type::kText, {}, {}, {}, {}};
    for (int i = 0; i < 1000; ++i) {
      frame.columns[0].PushInt(i);
      frame.columns[1].PushText("row " + std::to_string(i));
    }
    ASSERT_TRUE(WriteParquet(frame, folder_ + "/parts/a.parquet"));
    ASSERT_TRUE(WriteParquet(frame, folder_ + "/parts/other.parquet"));
    tables_ = {{"numbers", {folder_ + "/parts/a.parquet"}}};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<SqlResult> Run(const std::string& sql, SqlOptions options = {}) {
    options.scratch_directory = folder_ + "/scratch";
    return RunSql(tables_, sql, options);
  }
  std::string folder_;
  std::vector<SqlTable> tables_;
};

TEST_F(Sql, Selects) {
  const auto result =
      Run("SELECT sum(n) AS total, count(*) c, [1,2] AS list, 1.25::decimal(9,2) d FROM numbers; ");
  ASSERT_TRUE(result) << result.error().ToString();
  EXPECT_EQ(result->frame.columns[0].ints[0], 499500);
  EXPECT_EQ(result->frame.columns[1].ints[0], 1000);
  EXPECT_EQ(result->frame.columns[2].text[0], "[1, 2]");
  EXPECT_EQ(result->frame.columns[3].doubles[0], 1.25);
  EXPECT_EQ(result->frame.columns[0].name, "total");
}

TEST_F(Sql, WholeNumbersKeepEachDigit) {
  const auto result =
      Run("SELECT sum(n + 9007199254740993) AS fits, sum(n + 9223372036854774000) AS beyond, "
          "18446744073709551615::UBIGINT AS wide, sum(n) FILTER (n < 0) AS none FROM numbers");
  ASSERT_TRUE(result) << result.error().ToString();
  EXPECT_EQ(result->frame.columns[0].ints[0], 9007199254740993 * 1000 + 499500);
  EXPECT_EQ(result->frame.columns[1].text[0], "9223372036854774499500");
  EXPECT_EQ(result->frame.columns[2].text[0], "18446744073709551615");
  EXPECT_FALSE(result->frame.columns[3].IsValid(0));
  const auto odd = Run("SELECT 'inf'::double a, '-inf'::double b, 'nan'::double c, 1.5::double d");
  ASSERT_TRUE(odd);
  EXPECT_EQ(FrameToJson(odd->frame)["rows"].Dump(), R"([["Infinity","-Infinity","NaN",1.5]])");
}

TEST_F(Sql, CutsOffAtTheRowLimit) {
  const auto result = Run("SELECT * FROM numbers ORDER BY n", {.rows_max = 10});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->frame.rows(), 10u);
  EXPECT_TRUE(result->truncated);
  EXPECT_FALSE(Run("SELECT * FROM numbers LIMIT 10", {.rows_max = 10})->truncated);
}

TEST_F(Sql, RefusesEverythingButOneSelect) {
  for (const std::string& sql : std::vector<std::string>{"CREATE MACRO f(x) AS x",
                                                         "SET VARIABLE x = 1",
                                                         "CHECKPOINT",
                                                         "CALL enable_logging()",
                                                         "PRAGMA enable_profiling",
                                                         "SELECT 1; SELECT 2",
                                                         "CREATE TABLE t(a int)",
                                                         "DROP VIEW numbers",
                                                         "INSERT INTO numbers VALUES (1, 'x')",
                                                         "COPY numbers TO '/tmp/x.csv'",
                                                         "ATTACH '/tmp/x.db'",
                                                         "INSTALL httpfs",
                                                         "LOAD httpfs",
                                                         "EXPORT DATABASE '/tmp/x'",
                                                         "SET enable_external_access=true",
                                                         "EXPLAIN ANALYZE SELECT 1",
                                                         "PREPARE p AS SELECT 1",
                                                         "BEGIN",
                                                         "VACUUM",
                                                         "USE memory",
                                                         "SELECT $1",
                                                         "DESCRIBE numbers; DROP VIEW numbers"}) {
    const auto result = Run(sql);
    ASSERT_FALSE(result) << sql;
    EXPECT_NE(result.error().code(), Code::kInternal) << sql;
  }
  EXPECT_EQ(Run("").error().gy(), "GY2010");
  EXPECT_EQ(Run("-- nothing").error().gy(), "GY2010");
  EXPECT_EQ(Run("CREATE TABLE t(a int)").error().gy(), "GY2011");
}

TEST_F(Sql, ShowsNothingOfTheServer) {
  for (const std::string& sql :
       std::vector<std::string>{"PRAGMA version",
                                "/* x */ pragma version",
                                "SELECT * FROM duckdb_settings()",
                                "SELECT current_setting('temp_directory')",
                                "SELECT * FROM \"duckdb_views\"",
                                "SELECT * FROM sqlite_master",
                                "SELECT sql FROM system.main.DUCKDB_VIEWS()",
                                "SELECT * FROM information_schema.views",
                                "FROM query('FROM duckdb_settings()')",
                                "SELECT '--', (SELECT current_setting('temp_directory'))",
                                "SELECT e'\\'', (SELECT current_setting('temp_directory')), ''",
                                "FROM \"query\" /* ( */ ('FROM numbers')",
                                "SELECT 1 AS \"'\", * FROM duckdb_settings() AS \"'\"",
                                "SELECT $$'$$, * FROM duckdb_settings() -- '",
                                "SELECT $tag$ $$ ' $tag$, * FROM duckdb_settings() -- '",
                                "SELECT 1 /* /* */ ' */, * FROM duckdb_settings() -- '",
                                "SELECT 1 -- '\r, * FROM duckdb_settings() -- '",
                                "SELECT e'it''s \\'', * FROM duckdb_settings() -- '",
                                "SELECT e'a'\n'\\'', * FROM duckdb_settings() -- '",
                                "SELECT\u00a0e'\\'', * FROM duckdb_settings() -- '",
                                "SELECT 1 AS the'\\', * FROM duckdb_settings() -- '",
                                "SELECT 1e'\\'', * FROM duckdb_settings() -- '",
                                "SELECT 1 AS a$$, '$$', * FROM duckdb_settings()",
                                "FROM 'duckdb_views'",
                                "FROM numbers, 'Sqlite_Master'",
                                "SELECT * FROM $$duckdb_views$$",
                                "FROM e'duckdb\\x5fviews'",
                                "FROM e'duck\\db_views'",
                                "FROM 'duckdb_' -- x\n 'views'",
                                "SELECT * FROM U&\"\\0064uckdb_views\"",
                                "SELECT * FROM\u00a0duckdb_settings()",
                                "SELECT * FROM \"main\".\"duckdb_\u00e9\""}) {
    const auto result = Run(sql);
    ASSERT_FALSE(result) << sql;
    EXPECT_EQ(result.error().gy(), "GY2018") << sql;
  }
  EXPECT_TRUE(Run("SELECT n AS query, 'the getenv' FROM numbers -- pragma"));
  EXPECT_TRUE(Run("SELECT n AS \"it's\", $$a getenv$$, $a$'$a$ FROM numbers /* /* ' */ getenv */"));
  EXPECT_TRUE(Run("SELECT e'\\'getenv', 'it''s', 1e3, 'e' FROM numbers"));
}

TEST_F(Sql, OpensNoOtherFile) {
  std::filesystem::create_symlink("/etc/passwd", folder_ + "/scratch/link.csv");
  for (const std::string& sql : std::vector<std::string>{
           std::string("SELECT * FROM read_csv('/etc/passwd')"),
           std::string("SELECT * FROM '/etc/passwd'"),
           "SELECT * FROM read_parquet('" + folder_ + "/parts/other.parquet')",
           "SELECT * FROM read_parquet('" + folder_ + "/parts/*.parquet')",
           "SELECT * FROM '" + folder_ + "/parts/a.parquet/../other.parquet'",
           "SELECT * FROM read_text('" + folder_ + "/scratch/../parts/other.parquet')",
           "SELECT * FROM read_csv('" + folder_ + "/scratch/link.csv')",
           std::string("SELECT * FROM read_text('/etc/hostname')"),
           std::string("SELECT * FROM read_blob('/proc/self/environ')"),
           std::string("SELECT * FROM read_json('http://127.0.0.1:1/x')"),
           std::string("SELECT * FROM 'https://example.org/a.parquet'"),
           std::string("SELECT * FROM 's3://bucket/a.parquet'"),
           std::string("SELECT * FROM duckdb_secrets(), read_text('/root/.bashrc')"),
           std::string("SELECT * FROM sqlite_scan('/tmp/x.db', 't')"),
           std::string("SELECT getenv('HOME')")}) {
    const auto result = Run(sql);
    ASSERT_FALSE(result) << sql;
    EXPECT_NE(result.error().code(), Code::kInternal) << sql << result.error().ToString();
  }
  const auto listing = Run("SELECT * FROM glob('/etc/*')");
  EXPECT_TRUE(!listing || listing->frame.rows() == 0);
}

TEST_F(Sql, StopsInTime) {
  const std::int64_t start_us = SystemClock().MonotonicMicros();
  const auto late = Run("SELECT i FROM range(100000000000) t(i) WHERE i < 0", {.timeout_ms = 200});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded) << late.error().ToString();
  const auto aggregate = Run("SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)",
                             {.timeout_ms = 200});
  ASSERT_FALSE(aggregate);
  EXPECT_EQ(aggregate.error().code(), Code::kDeadlineExceeded) << aggregate.error().ToString();
  const auto cancelled = Run("SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)",
                             {.cancelled = [] { return true; }});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code(), Code::kCancelled);
  EXPECT_LT(SystemClock().MonotonicMicros() - start_us, 60 * kMicrosPerSecond);
}

TEST_F(Sql, StaysWithinItsMemory) {
  const auto result = RunSql(
      tables_, "SELECT list(i::varchar || 'padding padding padding') FROM range(10000000) t(i)",
      {.memory_bytes_max = 64 << 20});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kResourceExhausted) << result.error().ToString();
}

TEST_F(Sql, NamesTheTablesThereAre) {
  const auto result = Run("SELECT * FROM nombers");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "there is no table `nombers`");
  EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
  EXPECT_NE(result.error().fixes().at(0).find("numbers"), std::string::npos);
}

}  // namespace
}  // namespace gyre::table
