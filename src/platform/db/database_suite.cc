#include "platform/db/database_suite.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <future>
#include <limits>
#include <thread>

#include "base/id.h"
#include "base/time.h"
#include "platform/db/read_budget.h"
#include "platform/db/write_companion.h"

namespace gyre::db {

void DatabaseSuite::SetUp() {
  directory_ = testing::TempDir() + "gyre_db_" + NewId().substr(0, 12);
  std::filesystem::create_directories(directory_);
  Reopen();
}

void DatabaseSuite::TearDown() {
  database_.reset();
  std::filesystem::remove_all(directory_);
}

void DatabaseSuite::Reopen(Settings settings) {
  database_.reset();
  auto opened = GetParam().open(directory_, std::move(settings));
  ASSERT_TRUE(opened) << opened.error().ToString();
  database_ = *std::move(opened);
}

namespace {

constexpr Migration kFirst[] = {{1, "init",
                                 "CREATE TABLE pet (id TEXT PRIMARY KEY, name TEXT NOT NULL "
                                 "UNIQUE, age BIGINT, weight REAL, photo BLOB,\n"
                                 "  CHECK (age >= 0)); -- a comment; with a semicolon\n"
                                 "CREATE TABLE toy (id INTEGER PRIMARY KEY, pet_id TEXT NOT NULL "
                                 "REFERENCES pet (id), label TEXT);\n"
                                 "CREATE INDEX toy_pet ON toy (pet_id)"}};
constexpr Migration kSecond[] = {
    kFirst[0], {2, "colour", "ALTER TABLE pet ADD COLUMN colour TEXT NOT NULL DEFAULT 'a;b'"}};
constexpr Migration kChanged[] = {{1, "init", "CREATE TABLE pet (id TEXT PRIMARY KEY)"}};
constexpr Migration kBroken[] = {
    kFirst[0], {2, "broken", "CREATE TABLE extra (id TEXT); CREATE TABLE pet (id TEXT)"}};

std::vector<ModuleSchema> Schemas(std::span<const Migration> migrations) {
  return {{"test/pets", migrations}};
}

Result<> AddPet(Database& database, std::string_view id, std::string_view name) {
  return database.Write([&](Transaction& tx) {
    return tx.Execute("INSERT INTO pet (id, name) VALUES (?1, ?2)", {id, name});
  });
}

std::int64_t Count(Database& database, std::string_view table) {
  std::int64_t count = -1;
  const auto read = database.Read([&](Reader& reader) -> Result<> {
    return reader.Query(fmt::format("SELECT count(*) FROM {}", table), {},
                        [&](const Row& row) -> Result<> {
                          count = row.Int(0);
                          return {};
                        });
  });
  EXPECT_TRUE(read) << read.error().ToString();
  return count;
}

TEST_P(DatabaseSuite, KeepsEveryKindOfValue) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  const std::string bytes("\0\xff'\n", 4);
  const std::optional<std::int64_t> none;
  ASSERT_TRUE(database_->Write([&](Transaction& tx) -> Result<> {
    GYRE_DO(tx.Execute("INSERT INTO pet (id, name, age, weight, photo) VALUES (?1, ?2, ?3, ?4, ?5)",
                       {"a", "Zoë", std::numeric_limits<std::int64_t>::max(), 0.1, Bytes{bytes}}));
    EXPECT_EQ(tx.changes(), 1);
    return tx.Execute("INSERT INTO pet (id, name, age, weight, photo) VALUES (?1, ?2, ?3, ?4, ?5)",
                      {std::string("b"), "", none, std::nan(""), nullptr});
  }));
  Reopen();
  int rows = 0;
  ASSERT_TRUE(database_->Read([&](Reader& reader) {
    return reader.Query("SELECT id, name, age, weight, photo FROM pet ORDER BY id", {},
                        [&](const Row& row) -> Result<> {
                          if (rows++ == 0) {
                            EXPECT_EQ(row.Text(1), "Zoë");
                            EXPECT_EQ(row.Int(2), std::numeric_limits<std::int64_t>::max());
                            EXPECT_EQ(row.Real(3), 0.1);
                            EXPECT_EQ(row.Text(4), bytes);
                          } else {
                            EXPECT_EQ(row.Text(0), "b");
                            EXPECT_FALSE(row.IsNull(1));
                            for (const int column : {2, 3, 4})
                              EXPECT_TRUE(row.IsNull(column)) << column;
                            EXPECT_EQ(row.Int(2), 0);
                            EXPECT_EQ(row.Text(4), "");
                          }
                          return {};
                        });
  }));
  EXPECT_EQ(rows, 2);
}

TEST_P(DatabaseSuite, ColumnsHoldWhatTheySay) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  const auto wrong = database_->Write([&](Transaction& tx) {
    return tx.Execute("INSERT INTO pet (id, name, age) VALUES ('a', 'n', ?1)", {"old"});
  });
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().gy(), "GY1403");
  const auto broken_text = AddPet(*database_, "a", "\xff");
  ASSERT_FALSE(broken_text);
  EXPECT_EQ(broken_text.error().gy(), "GY1409");
}

TEST_P(DatabaseSuite, NamesBrokenConstraints) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  ASSERT_TRUE(AddPet(*database_, "a", "one"));
  EXPECT_EQ(AddPet(*database_, "a", "two").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(AddPet(*database_, "b", "one").error().gy(), "GY1402");
  const auto orphan = database_->Write([](Transaction& tx) {
    return tx.Execute("INSERT INTO toy (pet_id) VALUES (?1)", {"nobody"});
  });
  EXPECT_EQ(orphan.error().gy(), "GY1403");
  const auto negative =
      database_->Write([](Transaction& tx) { return tx.Execute("UPDATE pet SET age = ?1", {-1}); });
  EXPECT_EQ(negative.error().code(), Code::kFailedPrecondition);
  const auto nonsense = database_->Write([](Transaction& tx) { return tx.Execute("SELEC 1", {}); });
  EXPECT_EQ(nonsense.error().gy(), "GY1407");
  const auto two = database_->Write(
      [](Transaction& tx) { return tx.Execute("DELETE FROM toy; DELETE FROM pet", {}); });
  EXPECT_EQ(two.error().gy(), "GY1407");
  const auto count = database_->Write(
      [](Transaction& tx) { return tx.Execute("DELETE FROM pet WHERE id = ?1", {}); });
  EXPECT_EQ(count.error().gy(), "GY1407");
  EXPECT_EQ(Count(*database_, "pet"), 1);
}

TEST_P(DatabaseSuite, AFailedClosureLeavesNothingAndItsNeighboursStay) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  std::atomic<int> callbacks = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&, i] {
      const auto written = database_->Write([&](Transaction& tx) -> Result<> {
        tx.AfterCommit([&] { ++callbacks; });
        const std::string id = std::to_string(i);
        GYRE_DO(tx.Execute("INSERT INTO pet (id, name) VALUES (?1, ?2)", {id, id}));
        if (i % 4 == 0) return Error(Code::kAborted, "GY9999", "changed my mind");
        if (i % 4 == 1) return tx.Execute("INSERT INTO pet (id, name) VALUES (?1, ?2)", {id, id});
        return {};
      });
      EXPECT_EQ(written.has_value(), i % 4 > 1);
      if (!written) {
        EXPECT_EQ(written.error().gy(), i % 4 == 0 ? "GY9999" : "GY1402");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(*database_, "pet"), 20);
  EXPECT_EQ(callbacks, 20);
}

TEST_P(DatabaseSuite, AnExceptionInAClosureIsItsError) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  const auto thrown = database_->Write([](Transaction& tx) -> Result<> {
    GYRE_DO(tx.Execute("INSERT INTO pet (id, name) VALUES ('a', 'b')", {}));
    static_cast<void>(std::string("x").at(5));
    return {};
  });
  EXPECT_EQ(thrown.error().gy(), "GY1412");
  EXPECT_EQ(Count(*database_, "pet"), 0);
}

TEST_P(DatabaseSuite, ACompanionRidesOnTheFirstWriteThatSucceeds) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  {
    WriteCompanion companion([]() -> Database::WriteBody {
      return [](Transaction& tx) {
        return tx.Execute("INSERT INTO pet (id, name) VALUES ('record', 'of it')", {});
      };
    });
    EXPECT_FALSE(AddPet(*database_, "a", "\xff")) << "no text";
    EXPECT_FALSE(companion.written());
    EXPECT_EQ(Count(*database_, "pet"), 0) << "no change, no record";
    ASSERT_TRUE(AddPet(*database_, "a", "a"));
    EXPECT_TRUE(companion.written());
    EXPECT_EQ(Count(*database_, "pet"), 2);
    ASSERT_TRUE(AddPet(*database_, "b", "b"));
    EXPECT_EQ(Count(*database_, "pet"), 3) << "once";
  }
  ASSERT_TRUE(AddPet(*database_, "c", "c"));
  EXPECT_EQ(Count(*database_, "pet"), 4);
}

TEST_P(DatabaseSuite, AChangeWithoutItsCompanionIsNotMade) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  const WriteCompanion companion([]() -> Database::WriteBody {
    return [](Transaction&) -> Result<> { return Internal("GY9999", "no room for the record"); };
  });
  EXPECT_EQ(AddPet(*database_, "a", "a").error().gy(), "GY9999");
  EXPECT_EQ(Count(*database_, "pet"), 0);
}

TEST_P(DatabaseSuite, TellsAfterTheCommitAndBeforeTheAnswer) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  bool told = false;
  ASSERT_TRUE(database_->Write([&](Transaction& tx) -> Result<> {
    tx.AfterCommit([&] { told = true; });
    EXPECT_FALSE(told);
    return tx.Execute("INSERT INTO pet (id, name) VALUES ('a', 'b')", {});
  }));
  EXPECT_TRUE(told);
}

TEST_P(DatabaseSuite, AReadIsOneMoment) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  ASSERT_TRUE(AddPet(*database_, "a", "a"));
  ASSERT_TRUE(database_->Read([&](Reader& reader) -> Result<> {
    const auto count = [&] {
      std::int64_t n = 0;
      EXPECT_TRUE(
          reader.QueryOne("SELECT count(*) FROM pet", {}, [&](const Row& row) { n = row.Int(0); }));
      return n;
    };
    EXPECT_EQ(count(), 1);
    std::thread([&] { EXPECT_TRUE(AddPet(*database_, "b", "b")); }).join();
    EXPECT_EQ(count(), 1);
    return {};
  }));
  EXPECT_EQ(Count(*database_, "pet"), 2);
}

TEST_P(DatabaseSuite, ReadersCannotWrite) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  EXPECT_FALSE(database_->Read([](Reader& reader) {
    return reader.Query("INSERT INTO pet (id, name) VALUES ('a', 'b')", {},
                        [](const Row&) -> Result<> { return {}; });
  }));
  EXPECT_EQ(Count(*database_, "pet"), 0);
}

TEST_P(DatabaseSuite, MoreReadersThanConnectionsWaitForOneAnother) {
  Reopen({.readers_max = 2});
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  ASSERT_TRUE(AddPet(*database_, "a", "a"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) EXPECT_EQ(Count(*database_, "pet"), 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(DatabaseSuite, TheSameStatementNestsAndRowErrorsStopIt) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(AddPet(*database_, id, id));
  int seen = 0;
  const auto stopped = database_->Read([&](Reader& reader) {
    const auto sql = "SELECT id FROM pet ORDER BY id";
    return reader.Query(sql, {}, [&](const Row& outer) -> Result<> {
      const std::string outer_id = outer.Str(0);
      GYRE_DO(reader.Query(sql, {}, [&](const Row&) -> Result<> {
        ++seen;
        return {};
      }));
      EXPECT_EQ(outer.Text(0), outer_id);
      if (outer_id == "b") return Error(Code::kCancelled, "GY9998", "enough");
      return {};
    });
  });
  EXPECT_EQ(stopped.error().gy(), "GY9998");
  EXPECT_EQ(seen, 6);
}

TEST_P(DatabaseSuite, ManyShapesOfStatementsComeAndGo) {
  ASSERT_TRUE(database_->Read([&](Reader& reader) -> Result<> {
    std::int64_t sum = 0;
    const auto add = [&](const Row& row) -> Result<> {
      sum += row.Int(0);
      return {};
    };
    GYRE_DO(reader.Query("SELECT 1 UNION ALL SELECT 2", {}, [&](const Row&) -> Result<> {
      for (int i = 0; i < 700; ++i)
        GYRE_DO(reader.Query("SELECT " + std::to_string(i) + " + ?1", {1}, add));
      return {};
    }));
    EXPECT_EQ(sum, 2 * (700 * 699 / 2 + 700));
    return {};
  }));
}

TEST_P(DatabaseSuite, RefusesWritersBeyondItsQueue) {
  Reopen({.queue_length_max = 2});
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  std::promise<void> inside, release;
  std::thread first([&] {
    EXPECT_TRUE(database_->Write([&](Transaction&) -> Result<> {
      inside.set_value();
      release.get_future().wait();
      return {};
    }));
  });
  inside.get_future().wait();
  std::atomic<int> refused = 0, done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&] {
      const auto written = database_->Write([](Transaction&) -> Result<> { return {}; });
      if (written) {
        ++done;
      } else {
        EXPECT_EQ(written.error().gy(), "GY1401");
        EXPECT_EQ(written.error().code(), Code::kResourceExhausted);
        if (++refused == 3) release.set_value();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  first.join();
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(done, 2);
}

TEST_P(DatabaseSuite, FinishesWhatWaitsWhenItIsClosed) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  ASSERT_TRUE(AddPet(*database_, "a", "a"));
  Reopen();
  EXPECT_EQ(Count(*database_, "pet"), 1);
}

TEST_P(DatabaseSuite, TellsLaterWhatIsDurable) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  const auto add = [&](const std::string& id, const std::string& name) {
    auto told = std::make_shared<std::promise<Result<>>>();
    database_->WriteLater(
        [id, name](Transaction& tx) -> Result<> {
          if (name == "throws") static_cast<void>(std::string("x").at(5));
          return tx.Execute("INSERT INTO pet (id, name) VALUES (?1, ?2)", {id, name});
        },
        [told](Result<> outcome) { told->set_value(std::move(outcome)); });
    return told->get_future();
  };
  std::vector<std::future<Result<>>> all;
  for (int i = 0; i < 50; ++i) all.push_back(add(std::to_string(i), "pet " + std::to_string(i)));
  auto twice = add("0", "another"), thrown = add("x", "throws");
  ASSERT_TRUE(AddPet(*database_, "waits", "among them"));
  for (auto& each : all) EXPECT_TRUE(each.get());
  EXPECT_EQ(twice.get().error().gy(), "GY1402");
  EXPECT_EQ(thrown.get().error().gy(), "GY1412");
  EXPECT_EQ(Count(*database_, "pet"), 51);
}

TEST_P(DatabaseSuite, RefusesLaterWritesBeyondItsQueueAndTellsTheRestWhenItIsClosed) {
  Reopen({.queue_length_max = 2});
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  std::promise<void> inside, release;
  std::atomic<int> refused = 0, done = 0;
  const auto count = [&](const Result<>& outcome) {
    EXPECT_TRUE(outcome || outcome.error().gy() == "GY1401");
    ++(outcome ? done : refused);
  };
  database_->WriteLater(
      [&](Transaction&) -> Result<> {
        inside.set_value();
        release.get_future().wait();
        return {};
      },
      count);
  inside.get_future().wait();
  for (int i = 0; i < 5; ++i)
    database_->WriteLater([](Transaction&) -> Result<> { return {}; }, count);
  EXPECT_EQ(refused, 3) << "told at once";
  release.set_value();
  database_.reset();
  EXPECT_EQ(done, 3);
}

TEST_P(DatabaseSuite, NothingRidesOnALaterWrite) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto write = [&] {
    const WriteCompanion companion([]() -> Database::WriteBody { return nullptr; });
    database_->WriteLater([](Transaction&) -> Result<> { return {}; }, [](const Result<>&) {});
  };
  EXPECT_DEATH(write(), "");
}

TEST_P(DatabaseSuite, MigratesOnceAndGoesOn) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  ASSERT_TRUE(AddPet(*database_, "a", "a"));
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  Reopen();
  const auto migrated = database_->Migrate(Schemas(kSecond));
  ASSERT_TRUE(migrated) << migrated.error().ToString();
  ASSERT_TRUE(database_->Read([](Reader& reader) -> Result<> {
    GYRE_TRY(const bool found, reader.QueryOne("SELECT colour FROM pet", {}, [](const Row& row) {
      EXPECT_EQ(row.Text(0), "a;b");
    }));
    EXPECT_TRUE(found);
    return {};
  }));
}

TEST_P(DatabaseSuite, RefusesANewerSchemaByName) {
  ASSERT_TRUE(database_->Migrate(Schemas(kSecond)));
  const auto refused = database_->Migrate(Schemas(kFirst));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY1410");
  EXPECT_NE(refused.error().message().find("test/pets 0002 (colour)"), std::string::npos)
      << refused.error().message();
}

TEST_P(DatabaseSuite, RefusesAChangedMigration) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  EXPECT_EQ(database_->Migrate(Schemas(kChanged)).error().gy(), "GY1411");
}

TEST_P(DatabaseSuite, AFailedMigrationChangesNothing) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  const auto failed = database_->Migrate(Schemas(kBroken));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("test/pets 0002 (broken)"), std::string::npos)
      << failed.error().message();
  EXPECT_TRUE(database_->Migrate(Schemas(kSecond)));
}

TEST_P(DatabaseSuite, CopiesItselfWhileWritersWrite) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      if (AddPet(*database_, std::to_string(i), std::to_string(i))) ++written;
    }
  });
  while (written < 20) std::this_thread::yield();
  const int before = written;
  const std::string other = directory_ + "/copy";
  std::filesystem::create_directories(other);
  const auto copied = database_->BackupTo(other + "/gyre.db");
  stop = true;
  writer.join();
  ASSERT_TRUE(copied) << copied.error().ToString();
  auto copy = GetParam().open(other, {});
  ASSERT_TRUE(copy) << copy.error().ToString();
  EXPECT_GE(Count(**copy, "pet"), before);
  EXPECT_LE(Count(**copy, "pet"), written);
  EXPECT_TRUE((*copy)->IntegrityProblems()->empty());
  EXPECT_TRUE((*copy)->Migrate(Schemas(kFirst)));
}

TEST_P(DatabaseSuite, AnswersOnlyWhatStays) {
  ASSERT_TRUE(database_->Migrate(Schemas(kFirst)));
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        const std::string id = fmt::format("{}-{}", i, k);
        ASSERT_TRUE(AddPet(*database_, id, id));
        // The reader sees what was answered.
        std::int64_t found = 0;
        ASSERT_TRUE(database_->Read([&](Reader& reader) -> Result<> {
          return reader.Query("SELECT count(*) FROM pet WHERE id = ?1", {id},
                              [&](const Row& row) -> Result<> {
                                found = row.Int(0);
                                return {};
                              });
        }));
        EXPECT_EQ(found, 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(*database_, "pet"), 320);
}

TEST_P(DatabaseSuite, AReadEndsWhenItsBudgetIsSpent) {
  constexpr std::string_view kEndless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) ";
  const auto read = [&](std::string_view what, const Reader::RowCallback& row) {
    return database_->Read([&](Reader& reader) {
      return reader.Query(std::string(kEndless) + std::string(what), {}, row);
    });
  };
  const auto pass = [](const Row&) -> Result<> { return {}; };
  std::atomic<bool> gone = false;
  {
    const ReadBudget short_one(20'000, [] { return false; });
    EXPECT_EQ(read("SELECT count(*) FROM n", pass).error().gy(), "GY1416");
    EXPECT_TRUE(ReadBudget::Spent());
    EXPECT_EQ(read("SELECT i FROM n", pass).error().gy(), "GY1416");
  }
  {
    const ReadBudget budget(kMicrosPerSecond * 1'000, [&] { return gone.load(); });
    EXPECT_FALSE(ReadBudget::Spent());
    const auto leave = [&](const Row& row) -> Result<> {
      gone = row.Int(0) >= 1'000;
      return {};
    };
    EXPECT_EQ(read("SELECT i FROM n", leave).error().gy(), "GY1417");
  }
  EXPECT_TRUE(read("SELECT i FROM n LIMIT 100000", pass)) << "nothing bounds this one";
}

TEST_P(DatabaseSuite, AClosureThatCallsItsDatabaseIsAProgrammersError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(static_cast<void>(database_->Write([&](Transaction&) {
                 return database_->Read([](Reader&) -> Result<> { return {}; });
               })),
               "");
  EXPECT_DEATH(static_cast<void>(database_->Read([&](Reader&) {
                 return database_->Read([](Reader&) -> Result<> { return {}; });
               })),
               "");
}

}  // namespace
}  // namespace gyre::db
