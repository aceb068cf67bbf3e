#include "ml/automation/release.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "ledger/events/events.h"
#include "ml/automation/automation.h"
#include "ml/automation/clock_for_tests.h"

namespace gyre::automation {
namespace {

class ReleaseTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("release-" + std::to_string(getpid()));
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    auto database = db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    ASSERT_TRUE(database);
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {AutomationSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    Open();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void Open() {
    Traffic traffic;
    traffic.give = [this](std::string_view, std::string_view, std::string_view,
                          double share) -> Result<> {
      share_ = counts_.canary_share = share;
      counts_.canary_model = "churn:v2";
      ++gives_;
      return {};
    };
    traffic.take_back = [this](std::string_view, std::string_view, std::string_view) -> Result<> {
      share_ = counts_.canary_share = 0;
      counts_.canary_model = "";
      return {};
    };
    traffic.counts = [this](std::string_view, std::string_view) -> Result<Traffic::Counts> {
      return counts_;
    };
    releases_ = std::make_unique<Releases>(*database_, clock_, std::move(traffic));
  }
  static Releases::Start Start(std::string_view key, std::string_view model) {
    return {.key = std::string(key),
            .run_id = "run-1",
            .project = "default",
            .endpoint = "churn",
            .model = std::string(model)};
  }
  Release Begin(std::string_view key = "k") {
    auto release = releases_->Begin(Start(key, "churn:v2"));
    EXPECT_TRUE(release) << release.error().ToString();
    return release ? *release : Release();
  }
  void Serve(std::int64_t requests, std::int64_t failed = 0) {
    counts_.champion.requests += requests;
    counts_.champion.rows += requests;
    counts_.canary.requests += requests;
    counts_.canary.rows += requests;
    counts_.canary.failed += failed;
    clock_.now_us += 601 * kMicrosPerSecond;
  }

  std::filesystem::path directory_;
  SetClock clock_;
  std::unique_ptr<db::Database> database_;
  Traffic::Counts counts_;
  double share_ = -1;
  int gives_ = 0;
  std::unique_ptr<Releases> releases_;
};

TEST_F(ReleaseTest, GoesThroughItsStepsAndPasses) {
  const Release release = Begin();
  EXPECT_EQ(share_, 0.05);
  EXPECT_EQ(releases_->Look(release.id)->state, "baking");
  for (const double share : {0.25, 0.5}) {
    Serve(300);
    EXPECT_EQ(releases_->Look(release.id)->state, "baking");
    EXPECT_EQ(share_, share);
  }
  Serve(199);
  EXPECT_EQ(releases_->Look(release.id)->state, "baking") << "too few rows in this step";
  Serve(1);
  const auto passed = releases_->Look(release.id);
  EXPECT_EQ(passed->state, "passed");
  EXPECT_EQ(passed->history.size(), 4u);
  EXPECT_EQ(share_, 0.5) << "until somebody promotes it";
}

TEST_F(ReleaseTest, TakesTheTrafficBackForHarm) {
  const Release release = Begin();
  Serve(300, 60);
  const auto back = releases_->Look(release.id);
  EXPECT_EQ(back->state, "rolled back");
  EXPECT_NE(back->reason.find("60 of 300"), std::string::npos);
  EXPECT_EQ(share_, 0);
  EXPECT_EQ(releases_->Look(release.id)->history.size(), 2u) << "ended is ended";
}

TEST_F(ReleaseTest, GoesOnAfterARestart) {
  const Release release = Begin();
  Serve(300);
  ASSERT_TRUE(releases_->Look(release.id));
  counts_.champion = counts_.canary = {};  // counted anew; shares are durable
  Open();
  EXPECT_EQ(Begin().id, release.id) << "the same key is the same release";
  EXPECT_EQ(gives_, 2);
  Serve(300);
  EXPECT_EQ(releases_->Look(release.id)->step, 2);
}

TEST_F(ReleaseTest, WhatSomebodyTookBackStaysBack) {
  const Release release = Begin();
  Serve(10);
  ASSERT_TRUE(releases_->Look(release.id));
  counts_.canary_model = "";  // gyre endpoints rollback
  counts_.canary_share = 0;
  const auto looked = releases_->Look(release.id);
  EXPECT_EQ(looked->state, "rolled back");
  EXPECT_NE(looked->reason.find("somebody"), std::string::npos) << looked->reason;
  EXPECT_EQ(gives_, 1);
  EXPECT_EQ(counts_.canary_share, 0);
}

// Failures of the champion before the release, and a champion that was deployed anew: its counts
// begin at zero, and are no fewer than those of before.
TEST_F(ReleaseTest, CountsBelongToADeployment) {
  counts_.champion = {.requests = 500, .failed = 5, .rows = 500};
  counts_.champion_deployment = "d1";
  const Release release = Begin();
  counts_.champion = {};
  counts_.champion_deployment = "d2";
  Serve(300);
  EXPECT_EQ(releases_->Look(release.id)->step, 1);
}

TEST_F(ReleaseTest, OneAtATimeOnAnEndpoint) {
  const Release release = Begin();
  const auto second = releases_->Begin(Start("other", "churn:v3"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().gy(), "GY4808");
  EXPECT_EQ(releases_->RollBack(release.id, "its run was cancelled")->reason,
            "its run was cancelled");
  EXPECT_TRUE(releases_->Begin(Start("other", "churn:v3")));
  EXPECT_EQ(releases_->Get("nothing").error().gy(), "GY4809");
}

TEST_F(ReleaseTest, NoShareIsLeftBehindByARunThatDidNotSucceed) {
  std::string run = "running";
  const auto state = [&](std::string_view) -> Result<std::string> {
    if (run == "gone") return NotFound("GY4711", "no such run");
    return run;
  };
  for (const std::string_view end : {"failed", "cancelled", "gone"}) {
    run = "running";
    const Release release = Begin(end);
    ASSERT_TRUE(releases_->Settle(state));
    EXPECT_EQ(releases_->Get(release.id)->state, "baking");
    run = end;
    ASSERT_TRUE(releases_->Settle(state));
    EXPECT_EQ(releases_->Get(release.id)->state, "rolled back");
    EXPECT_NE(releases_->Get(release.id)->reason.find("its run"), std::string::npos);
    EXPECT_EQ(share_, 0);
    share_ = 0.5;  // of somebody else
    ASSERT_TRUE(releases_->Settle(state));
    EXPECT_EQ(share_, 0.5) << "settled is settled";
  }
}

TEST_F(ReleaseTest, WhatPassedIsTakenBackWhenItWasNotPromoted) {
  for (const bool succeeded : {true, false}) {
    const Release release = Begin(succeeded ? "one" : "two");
    for (int step = 0; step < 3; ++step) {
      Serve(300);
      ASSERT_TRUE(releases_->Look(release.id));
    }
    ASSERT_EQ(releases_->Get(release.id)->state, "passed");
    ASSERT_TRUE(releases_->Settle([&](std::string_view) -> Result<std::string> {
      return std::string(succeeded ? "succeeded" : "failed");
    }));
    EXPECT_EQ(releases_->Get(release.id)->state, succeeded ? "passed" : "rolled back");
    EXPECT_EQ(share_, succeeded ? 0.5 : 0);
  }
}

TEST_F(ReleaseTest, AClockThatIsSetBackBeginsTheStepAnew) {
  const Release release = Begin();
  clock_.now_us -= kMicrosPerDay;
  ASSERT_TRUE(releases_->Look(release.id));
  Serve(300);  // ten minutes
  EXPECT_EQ(releases_->Look(release.id)->step, 1);
}

TEST_F(ReleaseTest, AClockThatJumpsAYearAheadPromotesNobody) {
  const Release release = Begin();
  clock_.now_us += 365 * kMicrosPerDay;
  const auto looked = releases_->Look(release.id);
  EXPECT_EQ(looked->state, "rolled back") << "nobody has seen it work";
  EXPECT_FALSE(looked->reason.empty());
  EXPECT_EQ(share_, 0);
}

}  // namespace
}  // namespace gyre::automation
