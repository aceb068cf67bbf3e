// What is forgotten of runs, and what must not be.
#include <gtest/gtest.h>
#include <unistd.h>

#include "ml/pipelines/pipelines_for_tests.h"
#include "platform/exec/files.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

class RetentionTest : public PipelinesFixture {
 protected:
  RunView Run(std::string_view source) {
    RunView ended = End(Begin(source));
    EXPECT_EQ(ended.state, "succeeded") << ended.reason;
    return ended;
  }
  // As `gyre gc` does with a retention of 90 days.
  Pipelines::Forgotten Forget() {
    auto forgotten = pipelines_->Forget(clock_.NowMicros() - 90 * kMicrosPerDay);
    EXPECT_TRUE(forgotten) << forgotten.error().ToString();
    EXPECT_TRUE(blob::Collect(*database_, *blobs_, 0, SystemClock().NowMicros() + 1));
    return *forgotten;
  }
  std::int64_t Count(std::string_view from) {
    std::int64_t count = -1;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool any,
               reader.QueryOne(fmt::format("SELECT COUNT(*) FROM {}", from), {},
                               [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }
  std::string FolderOf(const RunView& run) { return root_ + "/pipelines/" + run.id; }
  // Where its first task's file is, when it still is somewhere.
  bool FileIsThere(const RunView& run) {
    const auto described = pipelines_->Describe(run.id, 1);
    const std::string file = (*described)["tasks"].items()[0]["outputs"]["f"].AsString();
    return *blobs_->Exists(file.substr(7));
  }
};

constexpr std::string_view kFile =
    "name: a\nsteps:\n  x:\n    shell: echo made > \"$GYRE_OUTPUT_F\"\n    outputs: {f: file}\n";

TEST_F(RetentionTest, OldRunsGoWithAllThatIsTheirs) {
  const RunView old = Run(kFile);
  clock_.ahead_us = 60 * kMicrosPerDay;
  const RunView young = Run("name: a\nsteps:\n  x: {command: [echo, hello], for_each: [1, 2]}\n");
  EXPECT_EQ(Forget().runs, 0);
  EXPECT_TRUE(FileIsThere(old));

  clock_.ahead_us = 91 * kMicrosPerDay;
  EXPECT_EQ(Forget().runs, 1);
  EXPECT_EQ(pipelines_->Get(old.id).error().gy(), "GY4712");
  EXPECT_EQ(pipelines_->Retry(old.id, "").error().gy(), "GY4712");
  EXPECT_FALSE(exec::FolderExists(FolderOf(old)));
  EXPECT_EQ(Count("blob_ref"), 0);
  EXPECT_EQ(Count("pipeline_run"), 1);
  EXPECT_EQ(Count("pipeline_task"), 2);
  EXPECT_EQ(Count("pipeline_attempt"), 2);
  EXPECT_EQ(pipelines_->ReadLog(young.id, "x[1]", 0, 0, 100)->text, "hello\n");
  EXPECT_EQ(Count("lineage_node"), 2);
  EXPECT_EQ(Forget().runs, 0);
}

TEST_F(RetentionTest, WhatRunsAndWhatARunningRunBeganStay) {
  ASSERT_TRUE(pipelines_->Add("default", "name: inner\nsteps: {y: {command: [echo, done]}}\n",
                              "inner.yaml", "ann"));
  const RunView outer = Begin(
      "name: outer\nsteps:\n  a: {kind: pipeline, pipeline: inner}\n"
      "  b: {command: [sleep, '60'], needs: a}\n");
  while (Count("pipeline_run WHERE state = 'succeeded'") == 0) usleep(5000);
  clock_.ahead_us = 100 * kMicrosPerDay;
  EXPECT_EQ(Forget().runs, 0);
  ASSERT_TRUE(pipelines_->Cancel(outer.id, ""));
  ASSERT_TRUE(pipelines_->Wait(outer.id, 20'000));
  EXPECT_EQ(Forget().runs, 1);  // the inner one; the outer has only just ended
  EXPECT_EQ(pipelines_->Get(outer.id)->state, "cancelled");
  clock_.ahead_us = 200 * kMicrosPerDay;
  EXPECT_EQ(Forget().runs, 1);
}

TEST_F(RetentionTest, WhatACacheServesOutlivesItsRun) {
  const std::string cached = std::string(kFile) + "    cache: 100d\n";
  const RunView maker = Run(cached);
  clock_.ahead_us = 95 * kMicrosPerDay;
  EXPECT_EQ(Forget().runs, 1);
  const RunView taker = Run(cached);
  const auto described = pipelines_->Describe(taker.id, 1);
  EXPECT_EQ((*described)["tasks"].items()[0]["cached_from"].AsString(), maker.id);

  // The result is too old now, but who took it keeps its file.
  clock_.ahead_us = 101 * kMicrosPerDay;
  EXPECT_EQ(Forget().results, 1);
  EXPECT_TRUE(FileIsThere(taker));
  const RunView again = Run(cached);
  EXPECT_EQ((*pipelines_->Describe(again.id, 1))["tasks"].items()[0]["cached_from"].is_null(),
            true);
  clock_.ahead_us = 300 * kMicrosPerDay;
  EXPECT_EQ(Forget().runs, 2);
  EXPECT_EQ(Count("blob_ref"), 0);
  EXPECT_EQ(Count("pipeline_cache"), 0);
}

TEST_F(RetentionTest, ARepeatAfterACrashFinishes) {
  const RunView run = Run(kFile);
  // As if the process had ended between two writes of a large run, and after its last one.
  ASSERT_TRUE(database_->Write(
      [](db::Transaction& tx) { return tx.Execute("DELETE FROM pipeline_attempt", {}); }));
  const std::string lost = root_ + "/pipelines/" + std::string(32, 'a');
  ASSERT_TRUE(exec::MakeDirectory(lost));
  EXPECT_EQ(Forget().folders, 0);
  clock_.ahead_us = kMicrosPerDay + kHour;
  EXPECT_EQ(Forget().folders, 1);
  EXPECT_FALSE(exec::FolderExists(lost));
  EXPECT_TRUE(exec::FolderExists(FolderOf(run)));
  clock_.ahead_us = 91 * kMicrosPerDay;
  EXPECT_EQ(Forget().runs, 1);
  EXPECT_EQ(Count("pipeline_task"), 0);
  EXPECT_FALSE(exec::FolderExists(FolderOf(run)));
}

TEST_F(RetentionTest, LargeRunsGoInPieces) {
  std::string items;
  for (int i = 0; i < 30; ++i) items += fmt::format("{}{}", i == 0 ? "" : ", ", i);
  Run(fmt::format("name: a\nsteps:\n  x: {{command: ['true'], for_each: [{}]}}\n", items));
  ASSERT_TRUE(database_->Write([](db::Transaction& tx) {
    return tx.Execute(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT "
        "INTO pipeline_attempt SELECT run_id, step, n.i, number, nonce, state, reason, reference, "
        "exit_code, started_us, ended_us, cpu_us, memory_bytes_peak FROM pipeline_attempt, n WHERE "
        "item = 0",
        {});
  }));
  clock_.ahead_us = 91 * kMicrosPerDay;
  EXPECT_EQ(Forget().runs, 1);
  EXPECT_EQ(Count("pipeline_attempt"), 0);
  EXPECT_EQ(Count("pipeline_run"), 0);
}

}  // namespace
}  // namespace gyre::pipelines
