#include "ml/tracking/deleted.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/files.h"
#include "ml/tracking/logged_models.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

class FakeClock : public Clock {
 public:
  std::int64_t NowMicros() const override { return now_us; }
  std::int64_t MonotonicMicros() const override { return now_us; }
  std::int64_t now_us = 1'000'000;
};

class DeletedTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-deleted-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    blobs_ = *blob::OpenLocalStore(directory_ + "/blobs");
    experiments_ = *OpenExperiments(*database_, clock_, stamps_);
    tracking_ = *OpenTracking(*database_, clock_, stamps_);
    files_ = std::make_unique<Files>(*database_);
    models_ = std::make_unique<LoggedModels>(*database_, clock_);
    deleted_ = std::make_unique<Deleted>(
        *database_, stamps_,
        Deleted::Others{.needed = [this](db::Reader&)
                            -> Result<std::map<std::string, std::string>> { return needed_; },
                        .end = [this](const Experiment& experiment) -> Result<> {
                          ended_.push_back(experiment.title);
                          return {};
                        }});
  }
  void TearDown() override {
    tracking_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  // With something in every table of a run.
  tracking::Run Make(const std::string& experiment, const std::string& file) {
    NewRun from{.project = "p"};
    from.experiment = experiment;
    from.params = {{"lr", "0.1"}};
    from.tags = {{"team", "blue"}};
    const tracking::Run run = *tracking_->CreateRun(from);
    EXPECT_TRUE(tracking_->LogBatch(run.id, {.metrics = {{"loss", 0.5, 1, 5}}}));
    EXPECT_TRUE(tracking_->LogInputs(run.id, {{.name = "rows", .digest = file}}));
    EXPECT_TRUE(tracking_->AddOutput(run.id, {"logged_model", "m", "model"}));
    EXPECT_TRUE(files_->Put({FileOwner::Kind::kRun, "p", run.id}, {"f", *blobs_->Put(file), ""}));
    return run;
  }
  LoggedModel MakeModel(const Experiment& experiment, const std::string& file) {
    const auto model = models_->Create({.project = "p",
                                        .experiment = experiment.number,
                                        .name = "m",
                                        .params = {{"a", "b"}},
                                        .tags = {{"c", "d"}}});
    EXPECT_TRUE(model) << model.error().ToString();
    EXPECT_TRUE(files_->Put({FileOwner::Kind::kLoggedModel, "p", model->id},
                            {"f", *blobs_->Put(file), ""}));
    return *model;
  }
  // Rows that are left in the tables of this room, and references to blobs.
  std::int64_t Rows() {
    std::int64_t rows = 0;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(
          const auto tables,
          db::Collect<std::string>(
              reader,
              "SELECT name FROM sqlite_master WHERE type = 'table' AND (name LIKE 'tracking_%' "
              "OR name = 'blob_ref') AND name NOT IN ('tracking_name', 'tracking_counter')",
              {}, [](const db::Row& row) { return row.Str(0); }));
      for (const std::string& table : tables)
        GYRE_DO(reader.QueryOne(fmt::format("SELECT COUNT(*) FROM {}", table), {},
                                [&](const db::Row& row) { rows += row.Int(0); }));
      return {};
    }));
    return rows;
  }

  std::string directory_;
  FakeClock clock_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<Experiments> experiments_;
  std::unique_ptr<Tracking> tracking_;
  std::unique_ptr<Files> files_;
  std::unique_ptr<LoggedModels> models_;
  std::unique_ptr<Deleted> deleted_;
  std::map<std::string, std::string> needed_;
  std::vector<std::string> ended_;
};

TEST_F(DeletedTest, ARunGoesWithAllThatIsItsOwn) {
  const Experiment experiment = *experiments_->Create({.project = "p", .title = "e"});
  const std::int64_t before = Rows();
  const tracking::Run run = Make("e", "some bytes");
  EXPECT_TRUE(deleted_->End({})->runs.empty()) << "nobody has deleted it";
  ASSERT_TRUE(tracking_->HideRun(run.id));
  EXPECT_TRUE(deleted_->End({.before_us = clock_.now_us - 1})->runs.empty()) << "not old enough";
  EXPECT_TRUE(deleted_->End({.project = "other"})->runs.empty());
  EXPECT_EQ(deleted_->Find({})->bytes, 10);
  const std::uint64_t stamp = stamps_.Of(run.id);
  const auto ended = deleted_->End({});
  ASSERT_TRUE(ended) << ended.error().ToString();
  EXPECT_EQ(ended->runs.size(), 1U);
  EXPECT_NE(stamps_.Of(run.id), stamp) << "nobody shows it from memory";
  EXPECT_EQ(tracking_->GetRunById(run.id).error().gy(), "GY3401");
  EXPECT_EQ(Rows(), before);
}

TEST_F(DeletedTest, WhatIsRestoredOrNeededStays) {
  const tracking::Run restored = Make("e", "one"), needed = Make("e", "two"),
                      gone = Make("e", "three");
  for (const tracking::Run* run : {&restored, &needed, &gone})
    ASSERT_TRUE(tracking_->HideRun(run->id));
  ASSERT_TRUE(tracking_->UnhideRun(restored.id));
  needed_ = {{needed.id, "model churn:v1"}};
  const auto ended = deleted_->End({});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->needed, needed_);
  EXPECT_EQ(ended->runs.size(), 1U);
  EXPECT_TRUE(tracking_->GetRunById(restored.id));
  EXPECT_TRUE(files_->Get({FileOwner::Kind::kRun, "p", needed.id}, "f"));
  EXPECT_FALSE(tracking_->GetRunById(gone.id));
}

TEST_F(DeletedTest, AnExperimentGoesWithItsRunsAndModels) {
  const std::int64_t before = Rows();
  const Experiment experiment = *experiments_->Create({.project = "p", .title = "e"});
  Make("e", "one");
  MakeModel(experiment, "two");
  ASSERT_TRUE(experiments_->SetTags("p", experiment.number, {{"k", "v"}}));
  ASSERT_TRUE(experiments_->Delete("p", experiment.number));
  EXPECT_EQ(deleted_->Find({})->bytes, 6);
  const auto ended = deleted_->End({});
  ASSERT_TRUE(ended) << ended.error().ToString();
  ASSERT_EQ(ended->experiments.size(), 1U);
  EXPECT_EQ(ended_, std::vector<std::string>{"e"}) << "others end what they keep of it";
  EXPECT_EQ(Rows(), before);
  EXPECT_TRUE(experiments_->Create({.project = "p", .title = "e"})) << "its name is free";
}

TEST_F(DeletedTest, AnExperimentStaysForWhatIsNeededOfIt) {
  const Experiment experiment = *experiments_->Create({.project = "p", .title = "e"});
  Make("e", "one");
  const LoggedModel model = MakeModel(experiment, "two");
  ASSERT_TRUE(experiments_->Delete("p", experiment.number));
  needed_ = {{model.id, "model churn:v1"}};
  const auto ended = deleted_->End({});
  EXPECT_EQ(ended->runs.size(), 1U) << "what nobody needs goes all the same";
  EXPECT_TRUE(ended->experiments.empty());
  EXPECT_EQ(ended->needed, needed_);
  EXPECT_TRUE(files_->Get({FileOwner::Kind::kLoggedModel, "p", model.id}, "f"));
  needed_.clear();
  EXPECT_EQ(deleted_->End({})->experiments.size(), 1U);
}

TEST_F(DeletedTest, OnlyWhatIsNamed) {
  const tracking::Run one = Make("e", "one"), two = Make("e", "two"), three = Make("f", "three");
  const Experiment f = *experiments_->Find("p", "f");
  ASSERT_TRUE(experiments_->Delete("p", f.number));
  for (const tracking::Run* run : {&one, &two}) ASSERT_TRUE(tracking_->HideRun(run->id));
  EXPECT_EQ(deleted_->End({.runs = {one.id}})->runs.size(), 1U);
  EXPECT_TRUE(tracking_->GetRunById(two.id));
  const auto ended = deleted_->End({.experiments = {f.number}});
  EXPECT_EQ(ended->runs.size(), 1U);
  EXPECT_EQ(ended->experiments.size(), 1U);
  EXPECT_FALSE(tracking_->GetRunById(three.id));
  EXPECT_TRUE(tracking_->GetRunById(two.id));
}

TEST_F(DeletedTest, ADeletedModelGoesAlone) {
  const Experiment experiment = *experiments_->Create({.project = "p", .title = "e"});
  const std::int64_t before = Rows();
  const LoggedModel model = MakeModel(experiment, "two");
  ASSERT_TRUE(models_->Delete("p", model.id));
  EXPECT_EQ(deleted_->End({})->models.size(), 1U);
  EXPECT_EQ(Rows(), before);
}

}  // namespace
}  // namespace gyre::tracking
