// What was written under the first schema is there under the present one, and what lay in the trash
// comes back.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/trash/parcel.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/metric_codec.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

class MigrationTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-migration-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Migrate(std::size_t migrations) {
    db::ModuleSchema tracking = TrackingSchema();
    tracking.migrations = tracking.migrations.first(migrations);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(), tracking};
    const auto done = database_->Migrate(schemas);
    ASSERT_TRUE(done) << done.error().ToString();
  }
  void Do(const std::string& sql, const std::vector<db::Value>& values = {}) {
    const auto done =
        database_->Write([&](db::Transaction& tx) { return tx.ExecuteList(sql, values); });
    ASSERT_TRUE(done) << sql << ": " << done.error().ToString();
  }
  void AddOldRun(const std::string& id, int number) {
    Do(
        fmt::format("INSERT INTO tracking_run VALUES ('{}', {}, 'p', 'e1', 'first', 'run', '', '', "
                    "'ana', 'finished', '', '', 5, 6, 7, '', '', '', '', '')",
                    id, number));
    Do(fmt::format("INSERT INTO tracking_param VALUES ('{}', 'lr', '0.1')", id));
    Do(fmt::format("INSERT INTO tracking_tag VALUES ('{}', 'team', 'blue')", id));
    Do(fmt::format("INSERT INTO tracking_tag VALUES ('{}', 'import.key', 'key of {}')", id, id));
    Do(fmt::format("INSERT INTO tracking_metric_latest VALUES ('{}', 'auc', 0.75, 2, 20, 2)", id));
    const std::string points = EncodePoints({{"auc", 0.5, 1, 10}, {"auc", 0.75, 2, 20}});
    Do(fmt::format("INSERT INTO tracking_metric_batch VALUES ('{}', 1, ?1)", id),
       {db::Bytes{points}});
    Do(fmt::format("INSERT INTO tracking_artifact VALUES ('{}', 'a.txt', '{}', 3, 'text/plain')",
                   id, std::string(64, 'a')));
    Do(fmt::format("INSERT INTO tracking_output VALUES ('{}', 'model_version', 'v1', 'm:v1')", id));
  }
  void ThrowOld(const std::string& id) {
    const auto done = database_->Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(trash::Parcel parcel,
               trash::Parcel::Begin(tx, {.noun = "run", .project = "p", .name = id, .now_us = 1}));
      for (const char* table : {"tracking_param", "tracking_tag", "tracking_metric_latest",
                                "tracking_metric_batch", "tracking_artifact", "tracking_output"})
        GYRE_DO(parcel.Take(table, "run_id = ?1", {id}));
      return parcel.Take("tracking_run", "id = ?1", {id});
    });
    ASSERT_TRUE(done) << done.error().ToString();
  }
  void ExpectWhole(const std::string& id) {
    const auto tracking = *OpenTracking(*database_, SystemClock(), stamps_);
    const auto run = tracking->GetRunById(id);
    ASSERT_TRUE(run) << run.error().ToString();
    EXPECT_EQ(run->experiment, "churn");
    EXPECT_EQ(run->params.at("lr"), "0.1");
    EXPECT_EQ(run->tags.at("team"), "blue");
    EXPECT_EQ(run->metrics.at("auc").value, 0.75);
    EXPECT_EQ(tracking->MetricHistory(id, "auc", 0)->size(), 2U);
    EXPECT_EQ(tracking->ListArtifacts(id, "")->size(), 1U);
    EXPECT_EQ(tracking->ListOutputs(id)->size(), 1U);
    NewRun same{.project = "p", .experiment = "churn"};
    same.import_key = "key of " + id;
    const auto found = tracking->CreateRun(std::move(same));
    ASSERT_TRUE(found) << found.error().ToString();
    EXPECT_EQ(found->id, id);
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
};

TEST_F(MigrationTest, RunsOfTheFirstSchemaStayWhole) {
  Migrate(1);
  Do("INSERT INTO tracking_experiment VALUES ('e1', 'p', 'churn', 3)");
  AddOldRun("aa", 1);
  AddOldRun("bb", 2);
  ThrowOld("bb");
  AddOldRun("cc", 2);  // the number of the one in the trash, given again
  Migrate(TrackingSchema().migrations.size());
  ExpectWhole("aa");
  ExpectWhole("cc");
  const auto experiments = OpenExperiments(*database_, SystemClock(), stamps_);
  EXPECT_EQ((*experiments)->Find("p", "churn")->number, 1);
  trash::Trash trash(*database_, SystemClock(), kMicrosPerSecond);
  const auto tracking = *OpenTracking(*database_, SystemClock(), stamps_);
  trash.Register(RunTrash(*tracking));
  trash.AddReshape(ReshapeRun);
  const auto item = trash.Newest("p", "run", "bb");
  ASSERT_TRUE(item);
  const auto back = trash.Restore(*item, "");
  ASSERT_TRUE(back) << back.error().ToString();
  ExpectWhole("bb");
  ExpectWhole("cc");
  const auto next = tracking->CreateRun({.project = "p", .experiment = "churn"});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->number, 4);
}

}  // namespace
}  // namespace gyre::tracking
