#include "ledger/events/events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "base/id.h"
#include "base/mutex.h"

namespace gyre::events {
namespace {

constexpr std::int64_t kLong = 60'000'000;

class EventsTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_events_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schema = EventsSchema();
    ASSERT_TRUE(database_->Migrate(std::span(&schema, 1)));
    ASSERT_TRUE(database_->Write([](db::Transaction& tx) {
      return tx.Execute("CREATE TABLE effect (sequence INTEGER, note TEXT)", {});
    }));
    Reopen();
  }
  void TearDown() override {
    events_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Reopen() {
    events_.reset();
    events_ = OpenEvents(*database_, SystemClock());
  }
  void PublishOne(std::string_view kind, std::string_view project = "p") {
    ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
      return events_->Publish(tx, {kind, project, "subject", R"({"n":1})"});
    }));
  }
  std::int64_t Count(std::string_view sql) {
    std::int64_t count = 0;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool found,
               reader.QueryOne(sql, {}, [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }
  void ExpectQuiet() {
    const auto quiet = events_->WaitForQuiet(kLong);
    ASSERT_TRUE(quiet);
    EXPECT_TRUE(*quiet);
  }
  static Result<> Note(db::Transaction& tx, const Event& event) {
    return tx.Execute("INSERT INTO effect (sequence, note) VALUES (?1, ?2)",
                      {event.sequence, event.kind});
  }

  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Events> events_;
};

TEST_F(EventsTest, TellsInCommitOrderOnce) {
  Mutex mutex;
  std::vector<std::int64_t> seen;
  events_->Subscribe({.name = "one", .react = [&](const Event& event) -> Result<> {
                        MutexLock lock(mutex);
                        seen.push_back(event.sequence);
                        return {};
                      }});
  events_->Subscribe({.name = "two", .kinds = {"model."}, .apply = Note});
  ASSERT_TRUE(events_->Start());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 25; ++k) PublishOne(i % 2 ? "model.alias_moved" : "run.ended");
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectQuiet();
  MutexLock lock(mutex);
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(Count("SELECT count(*) FROM effect"), 100);
  EXPECT_EQ(Count("SELECT count(DISTINCT sequence) FROM effect"), 100);
}

TEST_F(EventsTest, AnEventOfAFailedChangeIsNeverTold) {
  events_->Subscribe({.name = "one", .apply = Note});
  ASSERT_TRUE(events_->Start());
  EXPECT_FALSE(database_->Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(events_->Publish(tx, {.kind = "x.y"}));
    return Error(Code::kAborted, "GY9999", "no");
  }));
  PublishOne("x.z");
  ExpectQuiet();
  EXPECT_EQ(Count("SELECT count(*) FROM effect"), 1);
}

TEST_F(EventsTest, GoesOnWhereItWasAfterARestart) {
  events_->Subscribe({.name = "one", .apply = Note});
  ASSERT_TRUE(events_->Start());
  PublishOne("a.a");
  ExpectQuiet();
  Reopen();
  for (int i = 0; i < 500; ++i) PublishOne("a.b");  // nobody listens
  events_->Subscribe({.name = "one", .apply = Note});
  ASSERT_TRUE(events_->Start());
  ExpectQuiet();
  EXPECT_EQ(Count("SELECT count(*) FROM effect"), 501);
  EXPECT_EQ(Count("SELECT count(DISTINCT sequence) FROM effect"), 501);
}

TEST_F(EventsTest, ANewSubscriberReconcilesAndThenFollows) {
  PublishOne("a.before");
  std::atomic<int> reconciled = 0;
  events_->Subscribe({.name = "late",
                      .reconcile = [&]() -> Result<> {
                        if (++reconciled < 3) return Error(Code::kUnavailable, "GY9999", "not yet");
                        return {};
                      },
                      .apply =
                          [&](db::Transaction& tx, const Event& event) {
                            EXPECT_EQ(reconciled, 3) << "reconcile comes first";
                            return Note(tx, event);
                          },
                      .retry_us = 1000});
  ASSERT_TRUE(events_->Start());
  PublishOne("a.after");
  ExpectQuiet();
  EXPECT_EQ(reconciled, 3);
  EXPECT_EQ(Count("SELECT count(*) FROM effect"), 1);
}

TEST_F(EventsTest, APoisonEventIsParkedShownAndRetried) {
  std::atomic<bool> cured = false;
  std::atomic<int> attempts = 0;
  events_->Subscribe({.name = "sick",
                      .react = [&](const Event& event) -> Result<> {
                        if (event.kind != "poison.x" || cured) return {};
                        if (++attempts == 2)
                          static_cast<void>(std::string().at(1));  // an exception counts too
                        return Error(Code::kInternal, "GY9999", "cannot swallow");
                      },
                      .apply = Note,
                      .attempts_max = 3,
                      .retry_us = 1000});
  ASSERT_TRUE(events_->Start());
  PublishOne("good.x");
  PublishOne("poison.x");
  PublishOne("good.x");
  ExpectQuiet();
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(Count("SELECT count(*) FROM effect"), 2) << "the others go on";
  auto parked = *events_->ListParked();
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_EQ(parked[0].subscriber, "sick");
  EXPECT_EQ(parked[0].event.kind, "poison.x");
  EXPECT_EQ(parked[0].attempts, 3);
  EXPECT_NE(parked[0].error.find("cannot swallow"), std::string::npos);
  EXPECT_EQ(events_->Retry("sick", 99).error().gy(), "GY4101");
  EXPECT_EQ(events_->Retry("nobody", parked[0].event.sequence).error().gy(), "GY4101");
  ASSERT_TRUE(events_->Retry("sick", parked[0].event.sequence));
  while (attempts < 6 || events_->ListParked()->at(0).attempts < 6) std::this_thread::yield();
  cured = true;
  ASSERT_TRUE(events_->Retry("sick", parked[0].event.sequence));
  while (!events_->ListParked()->empty()) std::this_thread::yield();
  EXPECT_EQ(Count("SELECT count(*) FROM effect"), 3);
}

TEST_F(EventsTest, AnEffectAndItsCursorAreOne) {
  std::atomic<int> calls = 0;
  events_->Subscribe({.name = "one",
                      .apply = [&](db::Transaction& tx, const Event& event) -> Result<> {
                        GYRE_DO(Note(tx, event));
                        if (++calls % 2 == 1)
                          return Error(Code::kAborted, "GY9999", "after the effect");
                        return {};
                      },
                      .retry_us = 1000});
  ASSERT_TRUE(events_->Start());
  for (int i = 0; i < 10; ++i) PublishOne("a.b");
  ExpectQuiet();
  EXPECT_EQ(calls, 20);
  EXPECT_EQ(Count("SELECT count(*) FROM effect"), 10);
  EXPECT_EQ(Count("SELECT sequence FROM event_cursor"), 10);
}

TEST_F(EventsTest, ListsTrimsAndWaits) {
  for (int i = 0; i < 5; ++i) PublishOne(i % 2 ? "model.x" : "run.y", i < 3 ? "p" : "q");
  EXPECT_EQ(events_->List({})->size(), 5u);
  EXPECT_EQ(events_->List({})->front().sequence, 5);
  EXPECT_EQ(events_->List({.after = 2})->front().sequence, 3);
  EXPECT_EQ(events_->List({.before = 3})->front().sequence, 2);
  EXPECT_EQ(events_->List({.projects = {{"q"}}})->size(), 2u);
  EXPECT_EQ(events_->List({.kind = "model."})->size(), 2u);
  EXPECT_EQ(events_->List({.kind = "model.x", .limit = 1})->size(), 1u);
  EXPECT_EQ(events_->List({})->front().payload, R"({"n":1})");
  EXPECT_FALSE(*events_->WaitForNews(5, 1000));
  EXPECT_TRUE(*events_->WaitForNews(4, kLong));
  std::thread later([&] { PublishOne("late.z"); });
  EXPECT_TRUE(*events_->WaitForNews(5, kLong));
  later.join();
  EXPECT_EQ(*events_->Trim(1), 0);
  EXPECT_EQ(*events_->Trim(SystemClock().NowMicros() + 1), 5);
  PublishOne("next.z");
  EXPECT_EQ(events_->List({})->front().sequence, 7) << "no number twice";
}

TEST_F(EventsTest, TrimKeepsWhatASubscriberStillNeeds) {
  events_->Subscribe({.name = "one",
                      .apply = [](db::Transaction&, const Event&) -> Result<> {
                        return Error(Code::kInternal, "GY9999", "no");
                      },
                      .attempts_max = 1});
  ASSERT_TRUE(events_->Start());
  PublishOne("a.b");
  ExpectQuiet();
  events_.reset();
  events_ = OpenEvents(*database_, SystemClock());
  PublishOne("a.c");
  PublishOne("a.d");
  EXPECT_EQ(*events_->Trim(SystemClock().NowMicros() + 1), 0)
      << "one is parked, one not passed, one the newest";
}

}  // namespace
}  // namespace gyre::events
