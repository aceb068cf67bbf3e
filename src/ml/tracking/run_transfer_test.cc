#include "ml/tracking/run_transfer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/run_search.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

class RunTransferTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-transfer-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    experiments_ = *OpenExperiments(*database_, SystemClock(), stamps_);
    tracking_ = *OpenTracking(*database_, SystemClock(), stamps_);
    transfer_ = std::make_unique<RunTransfer>(*database_, SystemClock(), stamps_);
    to_ = experiments_->Create({.project = "p", .title = "to"})->number;
    elsewhere_ = experiments_->Create({.project = "q", .title = "elsewhere"})->number;
  }
  void TearDown() override {
    tracking_.reset();
    experiments_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  // With everything that a run may have.
  tracking::Run Make() {
    NewRun from{.project = "p", .experiment = "from", .name = "r", .import_key = "lab:1"};
    from.params = {{"lr", "0.1"}};
    from.source = Json::Obj({{"command", Json::Arr({"true"})}});
    const tracking::Run run = *tracking_->CreateRun(std::move(from));
    Batch batch{.tags = {{"team", "blue"}}};
    for (int i = 0; i < 100; ++i) batch.metrics.push_back({"loss", 1.0 / (i + 1), i, i});
    EXPECT_TRUE(tracking_->LogBatch(run.id, batch));
    EXPECT_TRUE(tracking_->SettleMetrics("p", {}));
    EXPECT_TRUE(tracking_->LogBatch(run.id, {.metrics = {{"loss", 7, 100, 100}}}));
    EXPECT_TRUE(tracking_->LogInputs(
        run.id, {DatasetInput{"sales", "d1", "local", "s", "", "", "train", {{"x", "y"}}},
                 DatasetInput{.name = "other", .digest = "d2", .context = "test"}}));
    EXPECT_TRUE(tracking_->AddArtifacts(run.id, {{"a.txt", {"digest1", 5}, ""},
                                                 {"again.txt", {"digest1", 5}, ""},
                                                 {"b/c.txt", {"digest2", 7}, ""}}));
    EXPECT_TRUE(tracking_->AddOutput(run.id, {"model_version", "m1", "churn:v1"}));
    return *tracking_->GetRunById(run.id);
  }

  std::int64_t Count(std::string_view sql) {
    std::int64_t count = -1;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool found,
               reader.QueryOne(sql, {}, [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Experiments> experiments_;
  std::unique_ptr<Tracking> tracking_;
  std::unique_ptr<RunTransfer> transfer_;
  std::int64_t to_ = 0, elsewhere_ = 0;
};

TEST_F(RunTransferTest, AMovedRunIsFoundWhereItIsNow) {
  const tracking::Run run = Make();
  const std::uint64_t stamp = stamps_.Of(run.id);
  ASSERT_TRUE(transfer_->Move(run.id, to_));
  EXPECT_NE(stamps_.Of(run.id), stamp);
  const tracking::Run now = *tracking_->GetRunById(run.id);
  EXPECT_EQ(now.experiment, "to");
  EXPECT_EQ(now.params, run.params);
  EXPECT_EQ(now.metrics.at("loss").points, 101);
  ASSERT_TRUE(tracking_->SettleMetrics("p", {}));
  RunSearch search{.project = "p", .experiments = {to_}};
  search.filter =
      *ParseFilter("metrics.loss = 7 and tags.team = 'blue' and params.lr = '0.1'", kRunFields);
  EXPECT_EQ(RunSearcher(*database_).Find(search)->ids, std::vector{run.id});
  EXPECT_EQ(tracking_->ListInputs(run.id)->size(), 2U);
  const std::int64_t before[] = {run.experiment_number}, after[] = {to_};
  EXPECT_TRUE(experiments_->Datasets("p", before, 10)->empty());
  EXPECT_EQ(experiments_->Datasets("p", after, 10)->size(), 2U);
  EXPECT_EQ(transfer_->Move(run.id, elsewhere_).error().gy(), "GY3422") << "of another project";
  EXPECT_EQ(transfer_->Move("nobody", to_).error().gy(), "GY3401");
  ASSERT_TRUE(experiments_->Delete("p", run.experiment_number));
  EXPECT_EQ(transfer_->Move(run.id, run.experiment_number).error().gy(), "GY3423");
  ASSERT_TRUE(tracking_->HideRun(run.id));
  EXPECT_EQ(transfer_->Move(run.id, to_).error().gy(), "GY3426");
}

TEST_F(RunTransferTest, ACopyHasWhatTheFirstOneHas) {
  const tracking::Run run = Make();
  for (const auto& [project, experiment] : {std::pair("p", to_), std::pair("q", elsewhere_)}) {
    const auto id = transfer_->Copy({.run_id = run.id,
                                     .project = project,
                                     .experiment_number = experiment,
                                     .name = "again",
                                     .by = "ann"});
    ASSERT_TRUE(id) << id.error().ToString();
    const tracking::Run copy = *tracking_->GetRunById(*id);
    EXPECT_EQ(copy.project, project);
    EXPECT_EQ(copy.experiment_number, experiment);
    EXPECT_EQ(copy.name, "again");
    EXPECT_EQ(copy.created_by, "ann");
    EXPECT_EQ(copy.status, RunStatus::kKilled) << "the first one still ran";
    EXPECT_EQ(copy.params, run.params);
    EXPECT_EQ(copy.tags, (std::map<std::string, std::string>{{"team", "blue"}}));
    EXPECT_EQ(copy.metrics.at("loss").value, 7);
    EXPECT_EQ(tracking_->MetricHistory(*id, "loss", 0)->size(), 101U);
    EXPECT_EQ(copy.source["copied_from"]["run"].AsString(), run.id);
    EXPECT_EQ(copy.source["command"], run.source["command"]);
    const auto inputs = *tracking_->ListInputs(*id);
    ASSERT_EQ(inputs.size(), 2U);
    EXPECT_EQ(inputs[0].name, "sales");
    EXPECT_EQ(inputs[0].tags.at("x"), "y");
    EXPECT_EQ(tracking_->ListArtifacts(*id, "")->size(), 3U);
    EXPECT_TRUE(tracking_->ListOutputs(*id)->empty());
    EXPECT_EQ(Count("SELECT COUNT(*) FROM blob_ref WHERE owner_kind = 'run' AND owner_id = '" +
                    *id + "'"),
              2);
    const auto up = lineage::Lineage(*database_).Walk(*id, lineage::Direction::kUp);
    ASSERT_TRUE(up);
    EXPECT_EQ(up->nodes.back().id, project == std::string_view("p") ? run.id : *id)
        << "nobody walks into another project";
  }
  // What becomes of one is nothing to the other.
  const std::string copy =
      *transfer_->Copy({.run_id = run.id, .project = "p", .experiment_number = to_, .by = "ann"});
  EXPECT_EQ(tracking_->GetRunById(copy)->name, "r");
  ASSERT_TRUE(tracking_->DeleteRun(run.id, "ann"));
  EXPECT_EQ(tracking_->MetricHistory(copy, "loss", 0)->size(), 101U);
  EXPECT_EQ(tracking_->ListArtifacts(copy, "")->size(), 3U);
  EXPECT_EQ(
      transfer_->Copy({.run_id = run.id, .project = "p", .experiment_number = to_}).error().gy(),
      "GY3401");
}

}  // namespace
}  // namespace gyre::tracking
