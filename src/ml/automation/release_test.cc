#include "ml/automation/release.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing/set_clock.h"
#include "ledger/events/events.h"
#include "ml/automation/automation.h"

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
    traffic.give = [this](std::string_view, std::string_view, std::string_view, double share,
                          std::string_view) -> Result<> {
      share_ = counts_.canary_share = share;
      counts_.canary_model = "churn:v2";
      ++gives_;
      return {};
    };
    traffic.take_back = [this](std::string_view, std::string_view, std::string_view model,
                               std::string_view reason) -> Result<> {
      if (disk_is_full_) return MakeError(Code::kOutOfSpace, "GY1501", "the disk is full");
      told_ = reason;
      if (counts_.canary_model != model) return {};
      share_ = counts_.canary_share = 0;
      counts_.canary_model = "";
      return {};
    };
    traffic.counts = [this](std::string_view, std::string_view) -> Result<Traffic::Counts> {
      return counts_;
    };
    if (compares_) {
      traffic.compare = [this](const Traffic::Question& question) -> Result<Beside> {
        asked_since_us_ = question.steps_us;
        ++comparisons_;
        if (beside_.problem == "broken") return MakeError(Code::kInternal, "GY4800", "broken");
        return beside_;
      };
    }
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
  int gives_ = 0, comparisons_ = 0;
  bool compares_ = false, disk_is_full_ = false;
  std::vector<std::int64_t> asked_since_us_;
  Beside beside_;
  std::string told_;
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

TEST_F(ReleaseTest, TakesNoCanaryFromSomebodyElse) {
  counts_.canary_model = "churn:v9";  // gyre deploy churn:v9 --canary 30%
  counts_.canary_share = 0.3;
  const auto refused = releases_->Begin(Start("k", "churn:v2"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY4808");
  EXPECT_NE(refused.error().message().find("churn:v9"), std::string::npos);
  EXPECT_EQ(gives_, 0);
  EXPECT_FALSE(releases_->OfEndpoint("churn")->has_value());
  counts_.canary_model = "churn:v2";
  EXPECT_EQ(Begin().state, "baking") << "of the same model";
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

// The alias moved, by another endpoint's retraining: what was seen was seen beside another model.
TEST_F(ReleaseTest, AnotherChampionEndsIt) {
  for (const int steps : {0, 1}) {
    counts_.champion_model = "churn:v1";
    const Release release = Begin(steps == 0 ? "first" : "second");
    for (int step = 0; step < steps; ++step) {
      Serve(300);
      ASSERT_EQ(releases_->Look(release.id)->step, step + 1);
    }
    Open();  // also over a restart
    counts_.champion_model = "churn:v3";
    Serve(300);
    const auto back = releases_->Look(release.id);
    EXPECT_EQ(back->state, "rolled back");
    EXPECT_EQ(back->reason,
              "the champion changed from churn:v1 to churn:v3 while it baked: judge again");
    EXPECT_EQ(told_, back->reason);
    EXPECT_EQ(share_, 0);
  }
}

// gyre endpoints promote, or gyre models promote where the endpoint follows: judged by a person.
TEST_F(ReleaseTest, ACanaryThatSomebodyMadeChampionHasPassed) {
  counts_.champion_model = "churn:v1";
  const Release release = Begin();
  Serve(300);
  ASSERT_EQ(releases_->Look(release.id)->step, 1);
  counts_.champion_model = "churn:v2";
  counts_.champion_how = "promoted by ann";
  counts_.canary_model = "";
  counts_.canary_share = 0;
  const auto passed = releases_->Look(release.id);
  EXPECT_EQ(passed->state, "passed");
  EXPECT_EQ(passed->reason, "promoted by ann while it baked, at step 2 of 3");
  EXPECT_TRUE(passed->PromotedByHand());
  EXPECT_EQ(told_, "") << "nothing is taken back";
  EXPECT_EQ(gives_, 2);
  EXPECT_EQ(releases_->Fence("run-1", "churn:v2")->is, Releases::Way::Is::kThere);
}

// Between `passed` and the takeover somebody deploys, or an alias moves.
TEST_F(ReleaseTest, WhatPassedTakesOverFromTheChampionItWasJudgedBesideAlone) {
  for (const bool changed : {false, true}) {
    counts_.champion_model = "churn:v1";
    const Release release = Begin(changed ? "one" : "two");
    EXPECT_EQ(releases_->Fence("run-1", "churn:v2").error().gy(), "GY4813") << "it bakes";
    for (int step = 0; step < 3; ++step) {
      Serve(300);
      ASSERT_TRUE(releases_->Look(release.id));
    }
    ASSERT_EQ(releases_->Get(release.id)->state, "passed");
    const auto way = releases_->Fence("run-1", "churn:v2");
    EXPECT_EQ(way->is, Releases::Way::Is::kStands);
    EXPECT_EQ(way->over, "churn:v1");
    using Is = Releases::Way::Is;
    EXPECT_EQ(releases_->Fence("run-2", "churn:v2")->is, Is::kFree) << "another run";
    EXPECT_EQ(releases_->Fence("run-1", "churn:v9")->is, Is::kFree) << "another model";
    counts_.champion_model = changed ? "churn:v3" : "churn:v2";
    const auto fenced = releases_->Fence("run-1", "churn:v2");
    if (!changed) {
      EXPECT_EQ(fenced->is, Is::kThere);
      continue;
    }
    ASSERT_FALSE(fenced);
    EXPECT_NE(fenced.error().message().find(
                  "the champion changed from churn:v1 to churn:v3 after it passed: judge again"),
              std::string::npos)
        << fenced.error().message();
    EXPECT_EQ(releases_->Get(release.id)->state, "rolled back");
    EXPECT_EQ(share_, 0);
    counts_.champion_model = "churn:v1";
    EXPECT_EQ(releases_->Fence("run-1", "churn:v2").error().gy(), "GY4813") << "ended is ended";
  }
}

// gyre endpoints rollback, after it passed: takes the canary, or the champion that it has become.
TEST_F(ReleaseTest, WhatSomebodyTookBackDoesNotTakeOver) {
  counts_.champion_model = "churn:v1";
  const Release release = Begin();
  for (int step = 0; step < 3; ++step) {
    Serve(300);
    ASSERT_TRUE(releases_->Look(release.id));
  }
  counts_.canary_model = "";
  counts_.canary_share = 0;
  const auto fenced = releases_->Fence("run-1", "churn:v2");
  ASSERT_FALSE(fenced);
  EXPECT_EQ(fenced.error().gy(), "GY4813");
  EXPECT_EQ(releases_->Get(release.id)->state, "rolled back");
  EXPECT_EQ(releases_->Get(release.id)->reason, "somebody took its share back after it passed");
}

// The reason stands before the share goes: what is missing after a crash is nobody's doing.
TEST_F(ReleaseTest, ARollbackThatWasCutShortKeepsItsReason) {
  for (const bool settles : {false, true}) {
    const Release release = Begin(settles ? "one" : "two");
    Serve(300, 60);
    disk_is_full_ = true;
    ASSERT_FALSE(releases_->Look(release.id));
    const auto cut = releases_->Get(release.id);
    EXPECT_EQ(cut->state, "rolling back");
    EXPECT_EQ(cut->ended_us, 0);
    const std::string reason = cut->reason;
    EXPECT_NE(reason.find("60 of 300"), std::string::npos);
    EXPECT_EQ(releases_->Begin(Start("next", "churn:v3")).error().gy(), "GY4808") << "it goes on";
    disk_is_full_ = false;
    counts_.canary_model = "";  // it was taken back, and the process died then
    counts_.canary_share = 0;
    Open();
    if (settles) {
      ASSERT_TRUE(releases_->Settle([](std::string_view) -> Result<Releases::RunEnd> {
        return Releases::RunEnd{"cancelled", "by ann"};
      }));
    } else {
      ASSERT_TRUE(releases_->Look(release.id));
    }
    const auto back = releases_->Get(release.id);
    EXPECT_EQ(back->state, "rolled back");
    EXPECT_EQ(back->reason, reason);
    EXPECT_GT(back->ended_us, 0);
    EXPECT_NE(told_.find("stop errors"), std::string::npos) << told_;
    EXPECT_EQ(back->history.size(), 2u) << back->history.Dump();
  }
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

// The step ends when its answers have been compared, and by what they say.
TEST_F(ReleaseTest, AStepThatIsThroughIsComparedFirst) {
  compares_ = true;
  Open();
  beside_ = {.champion = {.rows = 300, .labelled = 300, .value = 0.8},
             .canary = {.rows = 300, .labelled = 300, .value = 0.8},
             .metric = "auc",
             .worse = 0,
             .error = 0.01};
  const Release release = Begin();
  const std::int64_t began_us = clock_.now_us;
  Serve(300);
  const auto asked = releases_->Look(release.id);
  EXPECT_EQ(asked->step, 0);
  releases_->WaitForComparison();
  EXPECT_EQ(asked_since_us_, std::vector{began_us});
  const auto next = releases_->Look(release.id);
  EXPECT_EQ(next->step, 1);
  EXPECT_NE(next->reason.find("pass quality: auc 0.8 on 300 labels"), std::string::npos)
      << next->reason;
  EXPECT_EQ(next->history.items().back()["checks"].size(), 3u) << next->history.Dump();

  beside_.canary.value = 0.5;
  beside_.worse = 0.3;
  Serve(300);
  ASSERT_TRUE(releases_->Look(release.id));
  releases_->WaitForComparison();
  const auto back = releases_->Look(release.id);
  EXPECT_EQ(back->state, "rolled back");
  EXPECT_TRUE(back->reason.starts_with("quality: auc 0.5")) << back->reason;
  EXPECT_NE(told_.find("stop quality"), std::string::npos) << told_;
  EXPECT_EQ(comparisons_, 2);
  EXPECT_EQ(asked_since_us_, (std::vector{began_us, began_us + 601 * kMicrosPerSecond}));
}

TEST_F(ReleaseTest, HarmIsSeenWhileAStepBakesAndAFailureToCompareHoldsNobodyUp) {
  compares_ = true;
  Open();
  beside_.problem = "broken";
  const Release release = Begin();
  Serve(300);
  ASSERT_TRUE(releases_->Look(release.id));
  releases_->WaitForComparison();
  EXPECT_EQ(releases_->Look(release.id)->step, 1);
  EXPECT_NE(releases_->Get(release.id)->reason.find("could not be compared: broken"),
            std::string::npos);
  beside_ = {.champion = {.rows = 300, .labelled = 300, .value = 0.8},
             .canary = {.rows = 50, .labelled = 100, .value = 0.4},
             .metric = "auc",
             .worse = 0.4,
             .error = 0.01};
  Serve(50);
  clock_.now_us -= 300 * kMicrosPerSecond;  // the step is not through
  ASSERT_TRUE(releases_->Look(release.id));
  releases_->WaitForComparison();
  EXPECT_EQ(releases_->Look(release.id)->state, "rolled back");
}

// A champion that was slow before the release is not slow now.
TEST_F(ReleaseTest, LatencyIsThatOfTheStep) {
  const auto serve = [&](statistics::LogCounts& latency, double us) {
    latency.Add(statistics::LogCounts::PlaceOf(us), 400);
  };
  counts_.champion_deployment = "d1";
  counts_.canary_deployment = "d2";
  serve(counts_.champion_latency_us, 90'000);
  const Release release = Begin();
  serve(counts_.champion_latency_us, 1'000);
  serve(counts_.canary_latency_us, 50'000);
  Serve(400);
  const auto back = releases_->Look(release.id);
  EXPECT_EQ(back->state, "rolled back");
  EXPECT_TRUE(back->reason.starts_with("latency: p99 ")) << back->reason;
}

// Three percent more failures: too few in each step, harm over two of them, also over a restart.
TEST_F(ReleaseTest, EvidenceIsCarriedOverTheSteps) {
  const Release release = Begin();
  std::string state = "baking";
  int step = 0;
  for (; step < 3 && state == "baking"; ++step) {
    const auto others =
        static_cast<std::int64_t>(300 / release.plan.weights[static_cast<std::size_t>(step)]) - 600;
    Serve(300, 12);
    counts_.champion.requests += others;
    counts_.champion.failed += (300 + others) / 100;
    const auto looked = releases_->Look(release.id);
    state = looked->state;
    EXPECT_EQ(looked->step, state == "baking" ? step + 1 : step);
    if (state != "baking") {
      EXPECT_TRUE(looked->reason.starts_with("errors: 24 of 600")) << looked->reason;
    }
    counts_.champion = counts_.canary = {};
    Open();
  }
  EXPECT_EQ(state, "rolled back");
}

TEST_F(ReleaseTest, SaysHowFarItIs) {
  const Release release = Begin();
  EXPECT_TRUE(release.progress.is_null());
  Serve(120);
  clock_.now_us -= 301 * kMicrosPerSecond;
  ASSERT_TRUE(releases_->Look(release.id));
  const auto found = releases_->OfEndpoint("churn");
  ASSERT_TRUE(found && *found);
  const Json& progress = (*found)->progress;
  EXPECT_EQ(progress["step"].AsInt(), 1);
  EXPECT_EQ(progress["steps"].AsInt(), 3);
  EXPECT_EQ(progress["seconds"].AsInt(), 300);
  EXPECT_EQ(progress["bake_seconds"].AsInt(), 600);
  EXPECT_EQ(progress["rows"].AsInt(), 120);
  EXPECT_EQ(progress["checks"].size(), 1u);
  EXPECT_EQ((*releases_->OfRun("run-1"))->id, release.id);
  EXPECT_FALSE(*releases_->OfRun("run-2"));
  EXPECT_FALSE(*releases_->OfEndpoint("other"));
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
  const auto state = [&](std::string_view) -> Result<Releases::RunEnd> {
    if (run == "gone") return NotFound("GY4711", "no such run");
    return Releases::RunEnd{run, run == "failed" ? "step `promote` failed" : ""};
  };
  for (const std::string_view end : {"failed", "cancelled", "gone"}) {
    run = "running";
    const Release release = Begin(end);
    ASSERT_TRUE(releases_->Settle(state));
    EXPECT_EQ(releases_->Get(release.id)->state, "baking");
    run = end;
    ASSERT_TRUE(releases_->Settle(state));
    EXPECT_EQ(releases_->Get(release.id)->state, "rolled back");
    EXPECT_EQ(releases_->Get(release.id)->reason, end == "gone" ? "its run was removed"
                                                  : end == "failed"
                                                      ? "its run failed: step `promote` failed"
                                                      : "its run cancelled");
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
    ASSERT_TRUE(releases_->Settle([&](std::string_view) -> Result<Releases::RunEnd> {
      return Releases::RunEnd{succeeded ? "succeeded" : "failed", ""};
    }));
    EXPECT_EQ(releases_->Get(release.id)->state, succeeded ? "passed" : "rolled back");
    EXPECT_EQ(share_, succeeded ? 0.5 : 0);
  }
}

// A long step after the takeover; meanwhile somebody tries another model, and cancels the run.
TEST_F(ReleaseTest, WhatHasTakenOverIsOver) {
  const auto cancelled = [](std::string_view) -> Result<Releases::RunEnd> {
    return Releases::RunEnd{"cancelled", ""};
  };
  for (const std::string_view way : {"answers", "took over", "replaced"}) {
    counts_ = {};
    counts_.champion_model = "churn:v1";
    const Release release = Begin(way);
    for (int step = 0; step < 3; ++step) {
      Serve(300);
      ASSERT_TRUE(releases_->Look(release.id));
    }
    counts_.champion_model = "churn:v2";
    counts_.canary_model = "churn:v3";  // gyre deploy churn:v3 --canary 10%
    counts_.canary_share = 0.1;
    if (way == "took over") {
      ASSERT_TRUE(releases_->TookOver("run-1", "churn:v2"));
      counts_.champion_model = "churn:v4";
    }
    if (way == "replaced") counts_.champion_model = "churn:v4";  // before its step could say so
    ASSERT_TRUE(releases_->Settle(cancelled));
    EXPECT_EQ(releases_->Get(release.id)->state, way == "replaced" ? "rolled back" : "passed");
    EXPECT_EQ(counts_.canary_model, "churn:v3") << way;
    EXPECT_EQ(counts_.canary_share, 0.1);
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
