// A threshold is told once, as notice and event together, and what runs ends only where the budget
// says so and covers it.
#include "gyre/budget_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/testing/set_clock.h"
#include "gyre/schemas.h"
#include "ledger/secrets/secrets.h"
#include "platform/exec/files.h"
#include "platform/net/egress.h"
#include "platform/telemetry/metrics.h"

namespace gyre {
namespace {

class BudgetKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = exec::MakeTemporaryDirectory().value();
    database_ = *db::OpenSqlite({.path = folder_ + "/gyre.db"});
    ASSERT_TRUE(database_->Migrate(AllSchemas()));
    blobs_ = *blob::OpenLocalStore(folder_ + "/blobs");
    usage_ = std::make_unique<usage::Usage>(*database_, clock_);
    budgets_ = std::make_unique<usage::Budgets>(*database_, clock_);
    events_ = events::OpenEvents(*database_, clock_);
    secrets_ = *secrets::OpenSecrets(*database_, folder_ + "/key", clock_);
    notices_ =
        notices::OpenNotices({*database_, *events_, *secrets_, metrics_, guard_, clock_}, {});
    // Never started: what is submitted waits.
    jobs_ = *runners::OpenJobs(*database_, *blobs_, clock_, {});
    for (const char* const kind : {"training.train", "dataset.import"})
      jobs_->Register({.name = kind, .execute = [](runners::JobRun&) { return Json(); }});
    pipelines_ =
        *pipelines::OpenPipelines({*database_, *blobs_, *events_, clock_},
                                  {.directory = folder_ + "/pipelines", .environment = {}});
    ASSERT_TRUE(pipelines_->Start());
    ASSERT_TRUE(usage_->SetPrices({.cpu_hour_micros = 1'000'000, .valid_from_us = 1}));
  }
  void TearDown() override {
    pipelines_.reset();
    jobs_.reset();
    events_.reset();
    notices_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Spend(std::int64_t units, std::string_view user = "ana") {
    ASSERT_TRUE(usage_->Record({.project = "p",
                                .subject_kind = "run",
                                .subject_id = "r",
                                .at_us = clock_.now_us,
                                .quantities = {.cpu_us = units * usage::kMicrosPerHour},
                                .user = user}));
  }
  void Keep() {
    const auto kept =
        KeepBudgets({*database_, *budgets_, *events_, *notices_, *jobs_, *pipelines_, clock_});
    ASSERT_TRUE(kept) << kept.error().ToString();
  }
  std::string Submit(std::string_view kind, std::string_view by, std::string_view project = "p") {
    return jobs_
        ->Submit({.kind = std::string(kind),
                  .project = std::string(project),
                  .title = "t",
                  .created_by = std::string(by)})
        ->id;
  }
  std::string StateOf(const std::string& job) { return jobs_->Get(job)->state; }
  std::int64_t Count(const std::string& sql) {
    std::int64_t count = 0;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool any,
               reader.QueryOne(sql, {}, [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }
  std::int64_t Events(const std::string& kind) {
    return Count(fmt::format("SELECT COUNT(*) FROM event WHERE kind = '{}'", kind));
  }
  std::int64_t Notices(const std::string& kind) {
    return Count(fmt::format("SELECT COUNT(*) FROM notice WHERE kind = '{}'", kind));
  }

  SetClock clock_;
  std::string folder_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<usage::Usage> usage_;
  std::unique_ptr<usage::Budgets> budgets_;
  std::unique_ptr<events::Events> events_;
  std::unique_ptr<secrets::Secrets> secrets_;
  telemetry::Metrics metrics_;
  net::EgressGuard guard_;
  std::unique_ptr<notices::Notices> notices_;
  std::unique_ptr<runners::Jobs> jobs_;
  std::unique_ptr<pipelines::Pipelines> pipelines_;
};

TEST_F(BudgetKeeperTest, EachThresholdIsToldOnceInAPeriod) {
  ASSERT_TRUE(budgets_->Add({.name = "p", .project = "p", .limit_nanos = 10'000'000'000}));
  Keep();
  Spend(8);
  for (int i = 0; i < 3; ++i) Keep();
  EXPECT_EQ(Events("budget.warned"), 1);
  EXPECT_EQ(Notices("budget.warned"), 1);
  EXPECT_EQ(Events("budget.spent"), 0);
  Spend(2);
  for (int i = 0; i < 3; ++i) Keep();
  EXPECT_EQ(Events("budget.spent"), 1);
  EXPECT_EQ(Notices("budget.spent"), 1);
  clock_.now_us += 40 * 24 * usage::kMicrosPerHour;  // another month
  Keep();
  EXPECT_EQ(Events("budget.spent"), 1);
  Spend(12);
  Keep();
  EXPECT_EQ(Events("budget.spent"), 2);
  EXPECT_EQ(Events("budget.warned"), Notices("budget.warned"));
}

TEST_F(BudgetKeeperTest, WhatRunsGoesOnUnlessTheBudgetStopsIt) {
  const std::string job = Submit("dataset.import", "ana");
  ASSERT_TRUE(
      budgets_->Add({.name = "p", .project = "p", .limit_nanos = 1'000'000'000, .stops = true}));
  Spend(2);
  Keep();
  EXPECT_EQ(StateOf(job), "queued");
}

TEST_F(BudgetKeeperTest, EndsWhatItCoversAndNothingElse) {
  const std::string hers = Submit("dataset.import", "ana"),
                    nested = Submit("training.train", "ana>train"),
                    his = Submit("dataset.import", "bo"),
                    elsewhere = Submit("dataset.import", "ana", "q"),
                    own = Submit("dataset.import", "");
  const auto run = pipelines_->Run({.project = "p",
                                    .source = "name: a\nsteps: {x: {command: [sleep, '60']}}",
                                    .created_by = "ana"});
  ASSERT_TRUE(run) << run.error().ToString();
  ASSERT_TRUE(budgets_->Add({.name = "ana",
                             .project = "p",
                             .user = "ana",
                             .limit_nanos = 1'000'000'000,
                             .stops = true,
                             .stops_running = true}));
  Keep();
  EXPECT_EQ(StateOf(hers), "queued") << "it is not spent";
  Spend(2, "bo");
  Keep();
  EXPECT_EQ(StateOf(hers), "queued") << "another spent it";
  Spend(1);
  Keep();
  EXPECT_EQ(StateOf(hers), "cancelled");
  EXPECT_EQ(jobs_->Get(hers)->cancelled_by, "budget ana");
  EXPECT_EQ(StateOf(nested), "cancelled") << "a step of hers is hers";
  EXPECT_EQ(StateOf(his), "queued");
  EXPECT_EQ(StateOf(elsewhere), "queued");
  EXPECT_EQ(StateOf(own), "queued") << "housekeeping goes on";
  const auto ended = pipelines_->Wait(run->id, 20'000);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, "cancelled");
  EXPECT_EQ(ended->reason, "budget ana is spent");
}

TEST_F(BudgetKeeperTest, ABudgetOfAKindEndsThatKindAlone) {
  const std::string import = Submit("dataset.import", "ana"),
                    training = Submit("training.train", "ana");
  ASSERT_TRUE(budgets_->Add({.name = "runs",
                             .subject_kind = "run",
                             .limit_nanos = 1'000'000'000,
                             .stops = true,
                             .stops_running = true}));
  Spend(1);
  Keep();
  EXPECT_EQ(StateOf(training), "cancelled") << "a training is booked as its run";
  EXPECT_EQ(StateOf(import), "queued");
}

}  // namespace
}  // namespace gyre
