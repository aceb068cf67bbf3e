#include "ml/tracking/run_follower.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/run_transfer.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

TEST(RunNewsTest, TellsEachChangedRunOnceAndInOrder) {
  RunNews news;
  const std::uint64_t begin = news.newest();
  EXPECT_TRUE(news.Since(begin, 10).changes.empty());
  EXPECT_FALSE(news.Since(begin, 10).lost);
  for (const char* id : {"a", "b", "a", "c", "a"}) news.Add(id);
  news.Leave("b", 7);
  const auto some = news.Since(begin, 2);
  ASSERT_EQ(some.changes.size(), 2U);
  EXPECT_EQ(some.changes[0].run_id, "c");
  EXPECT_EQ(some.changes[1].run_id, "a");
  const auto rest = news.Since(some.changes[1].number, 10);
  ASSERT_EQ(rest.changes.size(), 1U);
  EXPECT_EQ(rest.changes[0].run_id, "b");
  EXPECT_EQ(rest.changes[0].left, 7);
  EXPECT_EQ(rest.changes[0].number, news.newest());
}

TEST(RunNewsTest, WhoWasAwayTooLongIsToldSo) {
  RunNews news;
  const std::uint64_t begin = news.newest();
  EXPECT_TRUE(news.Since(begin - 1, 10).lost) << "of a server before this one";
  EXPECT_TRUE(news.Since(begin + 1, 10).lost) << "of none";
  for (std::size_t i = 0; i < RunNews::kRunsMax; ++i) news.Add(fmt::format("{}", i));
  EXPECT_FALSE(news.Since(begin, 10).lost);
  news.Add("one more");
  EXPECT_TRUE(news.Since(begin, 10).lost);
  EXPECT_FALSE(news.Since(begin + 1, 10).lost);
  EXPECT_EQ(news.Since(begin + 1, 100'000).changes.size(), RunNews::kRunsMax);
  const std::uint64_t before = news.newest();
  news.Reset();
  EXPECT_TRUE(news.Since(before, 10).lost);
  EXPECT_FALSE(news.Since(news.newest(), 10).lost);
}

class RunFollowerTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-follower-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    experiments_ = *OpenExperiments(*database_, SystemClock(), stamps_);
    tracking_ = *OpenTracking(*database_, SystemClock(), stamps_);
    one_ = experiments_->Create({.project = "p", .title = "one"})->number;
    two_ = experiments_->Create({.project = "p", .title = "two"})->number;
    seen_ = stamps_.news().newest();
  }
  void TearDown() override {
    tracking_.reset();
    experiments_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::string Create(const std::string& project, const std::string& experiment) {
    return tracking_->CreateRun({.project = project, .experiment = experiment})->id;
  }
  // What has come since the last call, of those subjects: "run run -gone".
  std::string Look(const RunSubjects& subjects) {
    const auto patch = RunFollower(*database_, stamps_).Look("p", subjects, seen_);
    EXPECT_TRUE(patch) << patch.error().ToString();
    if (patch->lost) return "lost";
    std::string text;
    for (const tracking::Run& run : patch->runs) text += run.id + " ";
    for (const std::string& id : patch->gone) text += "-" + id + " ";
    return text;
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Experiments> experiments_;
  std::unique_ptr<Tracking> tracking_;
  std::int64_t one_ = 0, two_ = 0;
  std::uint64_t seen_ = 0;
};

TEST_F(RunFollowerTest, TellsWhatIsFollowedAndNothingElse) {
  const std::string a = Create("p", "one"), b = Create("p", "two"), q = Create("q", "other");
  EXPECT_EQ(Look({}), a + " " + b + " ");
  EXPECT_EQ(Look({.experiments = {one_}}), a + " ");
  EXPECT_EQ(Look({.runs = {b, q}}), b + " ") << "a run of another project";
  seen_ = stamps_.news().newest();
  EXPECT_EQ(Look({}), "");
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(tracking_->LogBatch(b, {.metrics = {{"loss", 1.0 / (i + 1), i}}}));
  const auto patch = *RunFollower(*database_, stamps_).Look("p", {.experiments = {two_}}, seen_);
  ASSERT_EQ(patch.runs.size(), 1U) << "five changes are one patch";
  EXPECT_EQ(patch.runs[0].metrics.at("loss").step, 4);
  EXPECT_EQ(patch.seen, stamps_.news().newest());
}

TEST_F(RunFollowerTest, TellsWhatIsGone) {
  const std::string a = Create("p", "one"), b = Create("p", "one");
  seen_ = stamps_.news().newest();
  ASSERT_TRUE(RunTransfer(*database_, SystemClock(), stamps_).Move(a, two_));
  EXPECT_EQ(Look({.experiments = {one_}}), "-" + a + " ");
  EXPECT_EQ(Look({.experiments = {two_}}), a + " ");
  EXPECT_EQ(Look({.experiments = {one_, two_}}), a + " ");
  ASSERT_TRUE(tracking_->DeleteRun(b, "ann"));
  EXPECT_EQ(Look({.experiments = {one_}}), "-" + a + " -" + b + " ");
  EXPECT_EQ(Look({.runs = {b}}), "-" + b + " ");
  EXPECT_EQ(Look({}), a + " -" + b + " ");
  ASSERT_TRUE(experiments_->Delete("p", two_));
  EXPECT_EQ(Look({}), "lost");
}

}  // namespace
}  // namespace gyre::tracking
