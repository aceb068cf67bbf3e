#include "ml/tracking/run_writes.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>

#include "base/time.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/metric_codec.h"
#include "platform/blob/blob_store.h"

namespace gyre::tracking {
namespace {

class RunWritesTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-run-writes-XXXXXX";
    directory_ = mkdtemp(pattern);
    auto database = db::OpenSqlite({.path = directory_ + "/gyre.db"});
    ASSERT_TRUE(database);
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    auto tracking = OpenTracking(*database_, SystemClock(), stamps_);
    ASSERT_TRUE(tracking);
    tracking_ = *std::move(tracking);
  }
  void TearDown() override {
    tracking_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  Result<tracking::Run> Create(NewRun from) {
    std::promise<Result<tracking::Run>> told;
    tracking_->CreateRunLater(std::move(from),
                              [&](Result<tracking::Run> run) { told.set_value(std::move(run)); });
    return told.get_future().get();
  }
  Result<tracking::Run> Change(const std::string& id, RunChange change) {
    std::promise<Result<tracking::Run>> told;
    tracking_->ChangeRunLater(id, std::move(change),
                              [&](Result<tracking::Run> run) { told.set_value(std::move(run)); });
    return told.get_future().get();
  }
  Result<> Log(const std::string& id, Batch batch, std::vector<ParamConflict>* conflicts) {
    std::promise<Result<>> told;
    tracking_->LogBatchLater(id, std::move(batch),
                             [&](Result<> outcome, const std::vector<ParamConflict>& found) {
                               *conflicts = found;
                               told.set_value(std::move(outcome));
                             });
    return told.get_future().get();
  }
  Result<> Put(std::int64_t run, std::int64_t* waiting) {
    return database_->Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(*waiting, PutPoints(tx, RunKey{.number = run}, EncodePoints({{"loss", 1, 1, 1}})));
      return {};
    });
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Tracking> tracking_;
};

TEST_F(RunWritesTest, WhatIsToldLaterIsThere) {
  const auto made = Create({.project = "p", .name = "first", .params = {{"lr", "1"}}});
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(made->params.at("lr"), "1");
  const std::uint64_t stamp = stamps_.Of(made->id);
  std::vector<ParamConflict> conflicts;
  ASSERT_TRUE(Log(made->id,
                  {.params = {{"depth", "3"}, {"lr", "1"}},
                   .tags = {{"team", "blue"}},
                   .metrics = {{"loss", 0.5, 1, 1}}},
                  &conflicts));
  EXPECT_NE(stamps_.Of(made->id), stamp);
  const auto changed =
      Change(made->id, {.status = RunStatus::kFinished, .ended_us = 7, .name = "second"});
  ASSERT_TRUE(changed) << changed.error().ToString();
  EXPECT_EQ(changed->name, "second");
  EXPECT_EQ(changed->status, RunStatus::kFinished);
  const auto run = tracking_->GetRunById(made->id);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->name, "second");
  EXPECT_EQ(run->ended_us, 7);
  EXPECT_EQ(run->params, (std::map<std::string, std::string>{{"depth", "3"}, {"lr", "1"}}));
  EXPECT_EQ(run->tags.at("team"), "blue");
  EXPECT_EQ(run->metrics.at("loss").value, 0.5);
}

TEST_F(RunWritesTest, ErrorsAreToldOnceAndLeaveNothing) {
  const auto made = Create({.project = "p", .params = {{"a", "1"}, {"b", "2"}}});
  ASSERT_TRUE(made);
  std::vector<ParamConflict> conflicts;
  const auto refused =
      Log(made->id, {.params = {{"a", "x"}, {"b", "y"}, {"c", "z"}}, .tags = {{"new", "t"}}},
          &conflicts);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY3404");
  ASSERT_EQ(conflicts.size(), 2u) << "all of them";
  EXPECT_EQ(conflicts[1].key, "b");
  EXPECT_EQ(conflicts[1].before, "2");
  EXPECT_EQ(conflicts[1].value, "y");
  const auto run = tracking_->GetRunById(made->id);
  EXPECT_EQ(run->params.size(), 2u);
  EXPECT_TRUE(run->tags.empty());
  // The names of what was undone have no numbers, also not in memory.
  ASSERT_TRUE(Log(made->id, {.params = {{"c", "z"}}, .tags = {{"new", "t"}}}, &conflicts));
  EXPECT_EQ(tracking_->GetRunById(made->id)->tags.at("new"), "t");
  EXPECT_EQ(Log("nothing", {.tags = {{"a", "b"}}}, &conflicts).error().gy(), "GY3401");
  EXPECT_EQ(Log(made->id, {.project = "other"}, &conflicts).error().gy(), "GY3401");
  EXPECT_EQ(Log(made->id, {.tags = {{"", "b"}}}, &conflicts).error().gy(), "GY3407");
  EXPECT_EQ(Create({.project = "p", .id = made->id}).error().gy(), "GY3425");
  EXPECT_EQ(Create({.project = "p", .experiment_number = 99}).error().gy(), "GY3422");
  EXPECT_EQ(Change(made->id, {.project = "other"}).error().gy(), "GY3401");
  ASSERT_TRUE(tracking_->HideRun(made->id));
  EXPECT_EQ(Change(made->id, {.name = "x"}).error().gy(), "GY3426");
}

TEST_F(RunWritesTest, AProgramDoesNotEndItsOwnRun) {
  const auto program = Create({.project = "p", .kind = "program"});
  ASSERT_TRUE(program) << program.error().ToString();
  const auto told = Change(
      program->id,
      {.by_program = true, .status = RunStatus::kFinished, .ended_us = 7, .name = "renamed"});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->status, RunStatus::kRunning);
  EXPECT_EQ(told->ended_us, 0);
  EXPECT_EQ(tracking_->GetRunById(program->id)->status, RunStatus::kRunning);
  EXPECT_EQ(tracking_->GetRunById(program->id)->name, "renamed");
}

TEST_F(RunWritesTest, CountsWhatWaitsThoughTheTailIsNeverEmpty) {
  std::int64_t waiting = 0;
  for (int i = 1; i <= 70; ++i) {
    ASSERT_TRUE(Put(1, &waiting));
    EXPECT_EQ(waiting, i);
  }
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
    return tx.Execute("DELETE FROM tracking_metric_tail WHERE run = 1 AND sequence <= 69", {});
  }));
  ASSERT_TRUE(Put(1, &waiting));
  EXPECT_EQ(waiting, 2) << "one stayed";
}

}  // namespace
}  // namespace gyre::tracking
