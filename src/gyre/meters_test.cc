// What is stored and what is answered is booked once, to whoever it belongs, to the last byte.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "base/testing/set_clock.h"
#include "gyre/egress_meter.h"
#include "gyre/schemas.h"
#include "gyre/storage_meter.h"
#include "platform/exec/files.h"
#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr std::int64_t kHour = usage::kMicrosPerHour;

class MetersTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = exec::MakeTemporaryDirectory().value();
    database_ = *db::OpenSqlite({.path = folder_ + "/gyre.db"});
    ASSERT_TRUE(database_->Migrate(AllSchemas()));
    usage_ = std::make_unique<usage::Usage>(*database_, clock_);
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Do(const std::string& sql) {
    const auto done = database_->Write([&](db::Transaction& tx) { return tx.Execute(sql, {}); });
    ASSERT_TRUE(done) << done.error().ToString() << "\n" << sql;
  }
  void Refer(const std::string& kind, const std::string& owner, const std::string& blob,
             std::int64_t bytes) {
    Do(
        fmt::format("INSERT INTO blob_ref (owner_kind, owner_id, digest, size_bytes) VALUES ('{}', "
                    "'{}', '{}', {})",
                    kind, owner, Sha256Hex(blob), bytes));
  }
  void AddDataset(const std::string& project, const std::string& name) {
    const std::string id = project + "-" + name;
    Do(fmt::format("INSERT INTO dataset VALUES ('{}', '{}', '{}', 1, 'ana', 0)", id, project,
                   name));
    Do(fmt::format(
        "INSERT INTO dataset_version (id, dataset_id, number, content_hash, source_key, "
        "source_name, source_bytes, format, row_count, schema_json, notes_json, warnings_json, "
        "check_json, profile_digest, merged_digest, merged_bytes, quarantine_digest, "
        "quarantine_rows, created_by, created_us) VALUES ('{0}.1', '{0}', 1, '', '', '', 0, '', 0, "
        "'', '', '', '', '', '', 0, '', 0, 'ana>import', 0)",
        id));
  }
  void AddRun(const std::string& project, const std::string& id) {
    Do(fmt::format(
        "INSERT OR IGNORE INTO tracking_experiment (id, project, name, created_us, "
        "number, title) SELECT '{0}', '{0}', 'default', 0, COUNT(*) + 1, 'default' FROM "
        "tracking_experiment",
        project));
    Do(fmt::format(
        "INSERT INTO tracking_run (number, id, project, experiment, name, kind, job, "
        "parent, created_by, status, seed, error, created_us, started_us, ended_us, "
        "source, code, inputs, environment, resources) SELECT (SELECT COUNT(*) + 1 FROM "
        "tracking_run), '{0}', '{1}', e.number, '{0}', 'run', '', '', 'bo', 'finished', "
        "'', '', 0, 0, 0, '', '', '', '', '' FROM tracking_experiment e WHERE e.id = "
        "'{1}'",
        id, project));
  }
  std::int64_t Stored(const std::string& kind, const std::string& id) {
    return usage_->Sum({.subject_kind = kind, .subject_id = id})->total.storage_byte_hours;
  }

  SetClock clock_{1000 * kHour + 5};
  std::string folder_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<usage::Usage> usage_;
};

TEST_F(MetersTest, ABlobCountsOnceInAProjectForTheFirstThatRefersToIt) {
  AddDataset("p", "people");
  AddDataset("q", "people");
  AddRun("p", "r1");
  AddRun("p", "r2");
  Refer("run", "r2", "shared", 100);
  Refer("run", "r1", "shared", 100);
  Refer("run", "r1", "table", 7);
  Refer("run", "r1", "model", 20);
  Refer("dataset_version", "p-people.1", "table", 7);
  Refer("dataset_version", "q-people.1", "table", 7);
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("dataset", "p-people"), 7);
  EXPECT_EQ(Stored("dataset", "q-people"), 7) << "each project pays";
  EXPECT_EQ(Stored("run", "r1"), 120) << "of two runs the first by id";
  EXPECT_EQ(Stored("run", "r2"), 0);
  EXPECT_EQ(usage_->Sum({})->total.storage_byte_hours, 134);
  EXPECT_EQ(usage_->Sum({.user = "ana"})->total.storage_byte_hours, 14) << "whoever began it";
  EXPECT_EQ(usage_->Sum({.user = "bo"})->total.storage_byte_hours, 120);
}

TEST_F(MetersTest, EachHourIsBookedOnceAndHoursInWhichNothingRanLater) {
  ASSERT_TRUE(BookStorage(*database_, clock_));  // nothing is stored: this hour stays open
  AddRun("p", "r");
  Refer("run", "r", "a", 1000);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 1000);
  clock_.now_us += kHour - 6;  // the last microsecond of the hour
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 1000);
  clock_.now_us += 1;
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 2000);
  clock_.now_us += 5 * kHour;
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 7000);
  clock_.now_us -= 3 * kHour;  // a clock that is put back books nothing twice
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 7000);
  clock_.now_us += 10'000 * kHour;
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 7000 + 31 * 24 * 1000) << "a month at most";
}

TEST_F(MetersTest, NobodyPaysForHoursBeforeItCame) {
  ASSERT_TRUE(BookStorage(*database_, clock_));
  for (int i = 0; i < 20; ++i) {
    clock_.now_us += kHour;
    ASSERT_TRUE(BookStorage(*database_, clock_));
  }
  AddRun("p", "r");
  Refer("run", "r", "a", 1000);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 1000) << "the store was empty until now";
  // What came while nobody booked, beside what was there before.
  clock_.now_us += 6 * kHour;
  AddRun("p", "s");
  Do(fmt::format("UPDATE tracking_run SET created_us = {} WHERE id = 's'", clock_.now_us - kHour));
  Refer("run", "s", "b", 10);
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "r"), 7000);
  EXPECT_EQ(Stored("run", "s"), 20);
  // All is gone for a day, and a new thing comes.
  Do("DELETE FROM blob_ref");
  clock_.now_us += 24 * kHour;
  ASSERT_TRUE(BookStorage(*database_, clock_));
  AddRun("p", "t");
  Refer("run", "t", "c", 5);
  ASSERT_TRUE(BookStorage(*database_, clock_));
  EXPECT_EQ(Stored("run", "t"), 5);
}

class Asked final : public net::Request {
 public:
  explicit Asked(std::string peer) { peer_.address = std::move(peer); }
  net::Method method() const override { return net::Method::kGet; }
  std::string_view path() const override { return "/"; }
  std::optional<std::string_view> Header(std::string_view) const override { return {}; }
  std::string_view body() const override { return {}; }
  net::BodyReader& body_reader() override { std::abort(); }
  const net::Peer& peer() const override { return peer_; }
  const std::string& id() const override { return id_; }
  bool client_gone() const override { return false; }

 private:
  net::Peer peer_;
  std::string id_ = "r";
};

class Deaf final : public net::Observer {
 public:
  void OnFinished(const net::Finished&) override { ++heard; }
  std::atomic<int> heard = 0;
};

class EgressTest : public MetersTest {
 protected:
  void Answer(std::int64_t bytes, const std::string& endpoint, const std::string& user = "ana",
              int status = 200, const std::string& peer = "10.0.0.1") {
    Asked request(peer);
    request.principal.name = user;
    if (!endpoint.empty()) request.params = {{"endpoint", endpoint}};
    meter_->OnFinished({request, &route_, "predict", status, bytes, 5});
  }
  std::int64_t Sent(const usage::ReportFilter& filter) {
    return usage_->Sum(filter)->total.egress_bytes;
  }
  static Result<net::Response> Nothing(void*, net::Request&) { return net::Response::Empty(); }

  const net::Route route_{.method = net::Method::kGet,
                          .path = "/e/{endpoint}",
                          .handler = Nothing,
                          .permission = net::kPublic,
                          .summary = ""};
  void SetUp() override {
    MetersTest::SetUp();
    meter_ = std::make_unique<EgressMeter>(next_, *usage_, clock_, [](std::string_view endpoint) {
      return std::string(endpoint == "churn" ? "p" : "");
    });
  }

  Deaf next_;
  std::unique_ptr<EgressMeter> meter_;
};

TEST_F(EgressTest, WhatLeavesIsCountedForWhoeverAsked) {
  Answer(100, "churn");
  Answer(20, "churn", "bo");
  Answer(3, "");
  Answer(1000, "churn", "ana", 200, "unix");  // leaves no machine
  Answer(0, "churn");
  EXPECT_EQ(Sent({}), 0) << "nothing is booked yet";
  meter_->Book();
  meter_->Book();
  EXPECT_EQ(Sent({.subject_kind = "endpoint", .subject_id = "churn"}), 120);
  EXPECT_EQ(Sent({.projects = {{"p"}}}), 120) << "an endpoint's path does not tell its project";
  EXPECT_EQ(Sent({.user = "bo"}), 20);
  EXPECT_EQ(Sent({.subject_kind = "api", .subject_id = "predict"}), 3);
  EXPECT_EQ(Sent({}), 123);
  EXPECT_EQ(next_.heard, 5);
}

TEST_F(EgressTest, NamesOfWhatIsNotThereMakeNoLines) {
  for (int i = 0; i < 50; ++i) Answer(2, fmt::format("nobody{}", i), "ana", 404);
  meter_->Book();
  ASSERT_EQ(usage_->Sum({})->lines.size(), 1u);
  EXPECT_EQ(Sent({.subject_kind = "api"}), 100);
}

TEST_F(EgressTest, WhatNoProtocolServesHasAName) {
  Asked request("10.0.0.1");
  meter_->OnFinished({request, nullptr, "", 404, 30, 5});
  meter_->Book();
  const usage::Line line = usage_->Sum({})->lines.at(0);
  EXPECT_EQ(line.subject_id, "unserved");
  EXPECT_EQ(line.subject_label, "addresses that nothing serves");
}

TEST_F(EgressTest, NoByteIsLostOrCountedTwiceWhileOthersBook) {
  constexpr int kThreads = 4, kEach = 2000;
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kEach; ++i) Answer(1 + i % 7, t % 2 ? "churn" : "other");
    });
  }
  for (int i = 0; i < 20; ++i) meter_->Book();
  threads.clear();
  meter_->Book();
  std::int64_t expected = 0;
  for (int i = 0; i < kEach; ++i) expected += kThreads * (1 + i % 7);
  EXPECT_EQ(Sent({}), expected);
}

TEST_F(EgressTest, WhatCannotBeBookedNowIsBookedLater) {
  Answer(100, "churn");
  Do("ALTER TABLE usage_line RENAME TO usage_line_away");
  meter_->Book();
  Do("ALTER TABLE usage_line_away RENAME TO usage_line");
  EXPECT_EQ(Sent({}), 0);
  meter_->Book();
  EXPECT_EQ(Sent({}), 100);
}

TEST_F(EgressTest, ThatItCannotBookIsSaidOnce) {
  const std::string log = folder_ + "/said.log";
  ASSERT_TRUE(telemetry::ConfigureLog({.file = log}));
  const auto said = [&](std::string_view words) {
    telemetry::FlushLog();
    const std::string text = *exec::ReadFile(log);
    int times = 0;
    for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
      ++times;
    return times;
  };
  for (const int round : {1, 2}) {
    Answer(100, "churn");
    Answer(20, "other", "bo");
    Do("ALTER TABLE usage_line RENAME TO usage_line_away");
    for (int i = 0; i < 5; ++i) meter_->Book();
    EXPECT_EQ(said("not booked yet") - said("works again"), round);
    Do("ALTER TABLE usage_line_away RENAME TO usage_line");
    meter_->Book();
    EXPECT_EQ(said("works again"), round);
    EXPECT_EQ(Sent({}), 120 * round);
  }
  ASSERT_TRUE(telemetry::ConfigureLog({}));
}

}  // namespace
}  // namespace gyre
