// The metric store between its parts: settling, compaction, a process that dies between two steps.
#include "ml/tracking/compaction.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

class CompactionTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-compaction-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    Open();
  }
  void TearDown() override {
    tracking_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  // As a process does that begins.
  void Open() {
    tracking_.reset();
    names_ = std::make_unique<NameBook>(*database_);
    settler_ = std::make_unique<MetricSettler>(*database_, *names_);
    tracking_ = *OpenTracking(*database_, SystemClock(), stamps_);
  }

  tracking::Run Create(const std::string& experiment = "e") {
    auto run = tracking_->CreateRun({.project = "p", .experiment = experiment});
    EXPECT_TRUE(run) << run.error().ToString();
    return *run;
  }
  void Log(const tracking::Run& run, const std::string& key, std::int64_t step) {
    const auto done =
        tracking_->LogBatch(run.id, {.metrics = {{key, static_cast<double>(step), step, step}}});
    ASSERT_TRUE(done) << done.error().ToString();
  }
  void Compact(const tracking::Run& run) {
    auto more = CompactPiece(*database_, *settler_, run.number);
    while (more && *more) more = CompactPiece(*database_, *settler_, run.number);
    ASSERT_TRUE(more) << more.error().ToString();
  }
  void Do(const std::string& sql) {
    const auto done = database_->Write([&](db::Transaction& tx) { return tx.Execute(sql, {}); });
    ASSERT_TRUE(done) << done.error().ToString();
  }
  std::int64_t Number(const std::string& sql) {
    std::int64_t number = -1;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_DO(reader.QueryOne(sql, {}, [&](const db::Row& row) { number = row.Int(0); }));
      return {};
    }));
    return number;
  }
  std::int64_t Segments() { return Number("SELECT COUNT(*) FROM tracking_metric_segment"); }
  std::int64_t Batches() { return Number("SELECT COUNT(*) FROM tracking_metric_tail"); }
  std::int64_t PointsInSegments() {
    return Number("SELECT COALESCE(SUM(point_count), 0) FROM tracking_metric_segment");
  }
  void ExpectSteps(const tracking::Run& run, const std::string& key, std::int64_t count) {
    const auto points = tracking_->MetricHistory(run.id, key, 0);
    ASSERT_TRUE(points);
    ASSERT_EQ(points->size(), static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i)
      ASSERT_EQ((*points)[static_cast<std::size_t>(i)].step, i);
    EXPECT_EQ(tracking_->GetRunById(run.id)->metrics.at(key).step, count - 1);
  }

  void WaitUntil(const std::string& sql, std::int64_t number) {
    for (int i = 0; i < 1'000 && Number(sql) != number; ++i) usleep(10'000);
    EXPECT_EQ(Number(sql), number) << sql;
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<NameBook> names_;
  std::unique_ptr<MetricSettler> settler_;
  std::unique_ptr<Tracking> tracking_;
};

TEST_F(CompactionTest, WhatIsLoggedWhileSomebodySettlesIsNotLost) {
  const tracking::Run run = Create();
  Log(run, "loss", 0);
  Unsettled read;
  ASSERT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(read, ReadUnsettled(reader, run.number));
    return {};
  }));
  Compact(run);  // somebody else settles, and the tail is empty
  ASSERT_EQ(Batches(), 0);
  Log(run, "loss", 1);
  const auto numbers = *names_->NumbersOf({"loss"});
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) { return PutLatest(tx, read, numbers); }));
  const auto expect = [&] {
    const LatestMetric loss = tracking_->GetRunById(run.id)->metrics.at("loss");
    EXPECT_EQ(loss.step, 1);
    EXPECT_EQ(loss.points, 2);
    EXPECT_EQ(loss.most, 1);
  };
  expect();
  ASSERT_TRUE(tracking_->SettleMetrics("p", {}));
  expect();
}

TEST_F(CompactionTest, LatestValuesThatAreWrongAreTakenFromAllPointsAnew) {
  const tracking::Run run = Create();
  Log(run, "loss", 0);
  Log(run, "loss", 1);
  Compact(run);
  Log(run, "loss", 2);
  Log(run, "auc", 0);
  ASSERT_TRUE(tracking_->SettleMetrics("p", {}));
  Log(run, "loss", 3);
  Do("UPDATE tracking_metric SET value = 9, step = 1, points = 7, least = 5, most = 6");
  Do("INSERT INTO tracking_metric_recount (run) SELECT number FROM tracking_run");
  Open();
  WaitUntil("SELECT COUNT(*) FROM tracking_metric_recount", 0);
  const tracking::Run read = *tracking_->GetRunById(run.id);
  EXPECT_EQ(read.metrics.at("loss").value, 3);
  EXPECT_EQ(read.metrics.at("loss").points, 4);
  EXPECT_EQ(read.metrics.at("loss").least, 0);
  EXPECT_EQ(read.metrics.at("auc").points, 1);
  EXPECT_EQ(read.metrics.at("auc").value, 0);
}

TEST_F(CompactionTest, WhatADeadProcessLeftIsTakenUp) {
  for (int i = 0; i < 5; ++i) Log(Create(), "loss", 0);
  const tracking::Run active = Create();
  Log(active, "loss", 0);
  Do(fmt::format("UPDATE tracking_run SET status = 'finished' WHERE number <> {}", active.number));
  DueRuns due;
  ASSERT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(due, ReadDueRuns(reader, active.number - 3));
    return {};
  }));
  EXPECT_EQ(due.runs, (std::vector{active.number - 2, active.number - 1}));
  EXPECT_EQ(due.last, 0);
  Open();
  WaitUntil("SELECT COUNT(*) FROM tracking_metric_tail", 1);
  EXPECT_EQ(Segments(), 5);
}

TEST_F(CompactionTest, OnlyWhatIsAskedForIsSettled) {
  const tracking::Run other = Create("other");
  Log(other, "loss", 0);
  tracking::Run run;
  for (int i = 0; i < 10; ++i) {
    run = Create("e");
    Log(run, "loss", 0);
  }
  ASSERT_TRUE(tracking_->SettleMetrics("p", std::vector{run.experiment_number}));
  EXPECT_EQ(Number("SELECT COUNT(*) FROM tracking_metric_unsettled"), 1);
  ASSERT_TRUE(tracking_->SettleMetrics("q", {}));
  EXPECT_EQ(Number("SELECT run FROM tracking_metric_unsettled"), other.number);
  ASSERT_TRUE(tracking_->SettleMetrics("p", {}));
  EXPECT_EQ(Number("SELECT COUNT(*) FROM tracking_metric_unsettled"), 0);
}

TEST_F(CompactionTest, SegmentsAreMergedByEights) {
  const tracking::Run run = Create();
  for (int i = 0; i < 70; ++i) {
    Log(run, "loss", i);
    Compact(run);
    const int count = i + 1;
    // As the digits of a number to the base of eight.
    ASSERT_EQ(Segments(), (count / 64) + (count / 8 % 8) + (count % 8)) << count;
    ASSERT_EQ(PointsInSegments(), count);
  }
  ExpectSteps(run, "loss", 70);
}

TEST_F(CompactionTest, LongSeriesMakeFullSegments) {
  const tracking::Run run = Create();
  Batch batch;
  for (int i = 0; i < 20'000; ++i) batch.metrics.push_back({"loss", 1, i, i});
  ASSERT_TRUE(tracking_->LogBatch(run.id, batch));
  Compact(run);
  EXPECT_EQ(Segments(), 3);
  for (int i = 20'000; i < 20'007; ++i) {
    Log(run, "loss", i);
    Compact(run);
  }
  EXPECT_EQ(Segments(), 10) << "the long ones are left alone";
  Log(run, "loss", 20'007);
  Compact(run);
  EXPECT_EQ(Segments(), 4);
  ExpectSteps(run, "loss", 20'008);
}

TEST_F(CompactionTest, OneThatDiedOnTheWayGoesOn) {
  constexpr int kKeys = 450;
  const tracking::Run run = Create();
  const auto log = [&](std::int64_t step) {
    Batch batch;
    for (int k = 0; k < kKeys; ++k) batch.metrics.push_back({fmt::format("k{}", k), 1, step, step});
    ASSERT_TRUE(tracking_->LogBatch(run.id, batch));
  };
  log(0);
  log(1);
  ASSERT_TRUE(tracking_->SettleMetrics("p", {}));
  std::vector<SegmentChange> changes;
  ASSERT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const Tail tail, ReadTail(reader, run.number, SIZE_MAX, SIZE_MAX));
    GYRE_TRY(changes, PlanOf(reader, run.number, tail));
    return {};
  }));
  ASSERT_EQ(changes.size(), static_cast<std::size_t>(kKeys));
  changes.resize(200);
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) -> Result<> {
    for (const SegmentChange& change : changes) GYRE_DO(PutSegments(tx, run.number, change));
    return {};
  }));
  ExpectSteps(run, "k0", 2);
  log(2);
  Compact(run);
  EXPECT_EQ(Batches(), 0);
  EXPECT_EQ(PointsInSegments(), 3 * kKeys) << "none is there twice";
  for (const int k : {0, 5, 444}) ExpectSteps(run, fmt::format("k{}", k), 3);
}

}  // namespace
}  // namespace gyre::tracking
