#include "ml/pipelines/approvals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "ml/pipelines/pipelines_for_tests.h"

namespace gyre::pipelines {
namespace {

class ApprovalsTest : public PipelinesFixture {
 protected:
  void SetUp() override {
    PipelinesFixture::SetUp();
    approvals_ = std::make_unique<Approvals>(*database_, clock_);
    kind_ = [this] { return ApproveKind(*approvals_); };
    Open();
  }
  Approval Asked(const RunView& run, std::size_t count = 1) {
    for (int look = 0; look < 2000; ++look) {
      const auto all = approvals_->OfRun(run.id);
      if (all && all->size() == count) return all->back();
      usleep(5000);
    }
    ADD_FAILURE() << "nobody was asked";
    return {};
  }
  std::unique_ptr<Approvals> approvals_;
};

constexpr std::string_view kAsks = R"(
name: a
steps:
  ask: {kind: approve, message: "may it?", who: [ben, eve]}
  then: {command: [echo, "${steps.ask.outputs.approved_by} said ${steps.ask.outputs.reason}"]}
)";

TEST_F(ApprovalsTest, ARunWaitsForAYesAlsoOverARestart) {
  const RunView run = Begin(kAsks);
  EXPECT_EQ(Asked(run).message, "may it?");
  Open();
  usleep(200'000);
  EXPECT_EQ(approvals_->OfRun(run.id)->size(), 1u) << "asked once";
  EXPECT_EQ(pipelines_->Get(run.id)->state, "running");
  const auto other = approvals_->Decide(run.id, {.task = "ask", .by = "ann"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().gy(), "GY4748");
  EXPECT_EQ(approvals_->Decide(run.id, {.task = "then", .by = "ben"}).error().gy(), "GY4746");
  const auto agreed = approvals_->Decide(run.id, {.task = "ask", .by = "ben", .reason = "fine"});
  ASSERT_TRUE(agreed) << agreed.error().ToString();
  EXPECT_EQ(agreed->state, "approved");
  EXPECT_EQ(End(run).state, "succeeded");
  EXPECT_EQ(Log(run, "then"), "ben said fine\n");
  const auto late = approvals_->Decide(run.id, {.task = "ask", .agreed = false, .by = "eve"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().gy(), "GY4747");
  EXPECT_NE(late.error().message().find("approved by ben"), std::string::npos);
}

TEST_F(ApprovalsTest, ANoFailsTheStepAndIsNotAskedAgain) {
  const RunView run = Begin(
      "name: a\nsteps: {ask: {kind: approve, retries: {max: 3, backoff: 1s}}, then: {command: "
      "[echo, x], needs: [ask]}}\n");
  Asked(run);
  ASSERT_TRUE(approvals_->Decide(
      run.id, {.task = "ask", .agreed = false, .by = "ben", .reason = "not in December"}));
  const RunView ended = End(run);
  EXPECT_EQ(ended.state, "failed");
  EXPECT_EQ(ended.reason, "step `ask` failed: GY4749 ben said no: not in December");
  ASSERT_TRUE(pipelines_->Retry(run.id, ""));  // by hand it asks anew
  EXPECT_EQ(Asked(run, 2).state, "asked");
  ASSERT_TRUE(approvals_->Decide(run.id, {.task = "ask", .by = "ben"}));
  EXPECT_EQ(End(run).state, "succeeded");
}

TEST_F(ApprovalsTest, WhenItsTimeIsOverNobodyCanAgreeAnyMore) {
  const RunView run = Begin("name: a\nsteps: {ask: {kind: approve, timeout: 1s}}\n");
  EXPECT_EQ(End(run).state, "failed");
  EXPECT_NE(End(run).reason.find("GY4723"), std::string::npos) << End(run).reason;
  for (int look = 0; look < 200 && Asked(run).state == "asked"; ++look) usleep(5000);
  EXPECT_EQ(Asked(run).state, "withdrawn");
  EXPECT_EQ(approvals_->Decide(run.id, {.task = "ask", .by = "ben"}).error().gy(), "GY4747");
}

// The time goes on while no server runs.
TEST_F(ApprovalsTest, ATimeoutCountsFromWhenItWasAsked) {
  const RunView run = Begin("name: a\nsteps: {ask: {kind: approve, timeout: 1h}}\n");
  Asked(run);
  pipelines_.reset();
  clock_.ahead_us = 2 * 3600 * kMicrosPerSecond;
  Open();
  EXPECT_NE(End(run).reason.find("GY4723"), std::string::npos) << End(run).reason;
}

TEST_F(ApprovalsTest, ACancelledRunAsksNobody) {
  const RunView run = Begin(kAsks);
  Asked(run);
  ASSERT_TRUE(pipelines_->Cancel(run.id, "by ann"));
  EXPECT_EQ(End(run).state, "cancelled");
  EXPECT_EQ(Asked(run).state, "withdrawn");
}

TEST_F(ApprovalsTest, WhatCannotBeAskedIsRefused) {
  for (const char* const with : {"role: viewer", "who: [3]", "who: ['']"}) {
    const RunView run =
        End(Begin(fmt::format("name: a\nsteps: {{ask: {{kind: approve, {}}}}}\n", with)));
    EXPECT_NE(run.reason.find("GY4745"), std::string::npos) << run.reason;
  }
}

}  // namespace
}  // namespace gyre::pipelines
