#include "ml/tracking/logged_models.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/model_points.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

class LoggedModelsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-models-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    experiment_ = (*OpenExperiments(*database_, SystemClock(), stamps_))
                      ->Create({.project = "p", .title = "churn"})
                      ->number;
    models_ = std::make_unique<LoggedModels>(*database_, SystemClock());
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  LoggedModel Create(const std::string& name, std::map<std::string, std::string> params = {}) {
    return *models_->Create(
        {.project = "p", .experiment = experiment_, .name = name, .params = std::move(params)});
  }
  void Measure(const LoggedModel& model, double value, std::int64_t time_us,
               const std::string& dataset = "") {
    const ModelPoints points = {{model.id, {{"auc", value, 0, time_us, "run", dataset, "1"}}}};
    ASSERT_TRUE(
        database_->Write([&](db::Transaction& tx) { return PutModelPoints(tx, "p", points); }));
  }
  std::string Names(const ModelSearch& search) {
    std::string names;
    const auto found = models_->Search(search);
    EXPECT_TRUE(found) << found.error().ToString();
    for (const LoggedModel& model : found->models) names += model.name;
    return names;
  }
  ModelSearch All(const std::string& filter = "") {
    ModelSearch search{.project = "p", .experiments = {experiment_}};
    search.filter = *ParseFilter(filter, kLoggedModelFields);
    return search;
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::int64_t experiment_ = 0;
  std::unique_ptr<LoggedModels> models_;
};

TEST_F(LoggedModelsTest, AModelLives) {
  const LoggedModel made = Create("a", {{"lr", "0.1"}});
  EXPECT_EQ(made.id.size(), 34u);
  ASSERT_TRUE(models_->AddParams("p", made.id, {{"lr", "0.2"}, {"depth", "3"}}));
  ASSERT_TRUE(models_->SetTags("p", made.id, {{"team", "blue"}}));
  Measure(made, std::nan(""), 5);
  Measure(made, 0.5, 6, "train");
  Measure(made, 0.5, 6, "train");  // tried again
  ASSERT_TRUE(models_->Finish("p", made.id, ModelStatus::kReady));
  const LoggedModel now = *models_->Get("p", made.id);
  EXPECT_EQ(now.status, ModelStatus::kReady);
  EXPECT_EQ(now.params.at("lr"), "0.1") << "a param keeps its value";
  EXPECT_EQ(now.params.at("depth"), "3");
  ASSERT_EQ(now.metrics.size(), 2u);
  EXPECT_TRUE(std::isnan(now.metrics[0].value));
  EXPECT_EQ(now.metrics[1].dataset_name, "train");
  EXPECT_EQ(models_->Get("q", made.id).error().gy(), "GY3441");
  EXPECT_EQ(models_->DeleteTag("p", made.id, "x").error().gy(), "GY3442");
  ASSERT_TRUE(models_->Delete("p", made.id));
  EXPECT_EQ(models_->Get("p", made.id).error().gy(), "GY3441");
  EXPECT_TRUE(models_->Get("p", made.id, true));
  EXPECT_EQ(Names(All()), "");
  EXPECT_EQ(models_->Create({.project = "p", .experiment = 99, .name = "x"}).error().gy(),
            "GY3422");
}

TEST_F(LoggedModelsTest, OneThatWasMadeElsewhereKeepsItsIdAndDate) {
  NewLoggedModel from{.project = "p", .experiment = experiment_, .name = "old"};
  from.id = "m-0123456789abcdef0123456789abcdef";
  from.created_us = 5;
  const auto made = models_->Create(from);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(made->id, from.id);
  const std::vector<ModelPoint> points = {{"auc", 0.5, 0, 6, "run", "train", "1"}};
  for (int twice = 0; twice < 2; ++twice)
    ASSERT_TRUE(models_->AddPoints("p", from.id, points)) << "the same point is one";
  const auto read = models_->Get("p", from.id);
  EXPECT_EQ(read->created_us, 5);
  EXPECT_EQ(read->metrics.size(), 1U);
  EXPECT_EQ(models_->Create(from).error().gy(), "GY3445") << "it is there";
  for (const char* id : {"0123", "m-0123", "m-0123456789ABCDEF0123456789ABCDEF", "m-/../x"}) {
    from.id = id;
    EXPECT_EQ(models_->Create(from).error().gy(), "GY3445") << id;
  }
  EXPECT_EQ(models_->AddPoints("other", made->id, points).error().gy(), "GY3441");
}

TEST_F(LoggedModelsTest, SearchFiltersOrdersAndPages) {
  const LoggedModel a = Create("a", {{"lr", "0.1"}}), b = Create("b"), c = Create("c");
  Measure(a, 0.9, 1, "train");
  Measure(a, 0.4, 2, "train");
  Measure(b, 0.6, 1, "test");
  EXPECT_EQ(Names(All("metrics.auc > 0.5")), "b") << "the latest counts";
  EXPECT_EQ(Names(All("params.lr = '0.1'")), "a");
  EXPECT_EQ(Names(All("status = 'PENDING' AND name != 'c'")), "ba");
  ModelSearch search = All();
  search.datasets = {{"train", ""}};
  EXPECT_EQ(Names(search), "a");
  search = All();
  search.order = {{.by = {.entity = Entity::kMetric, .key = "auc", .ascending = false}}};
  EXPECT_EQ(Names(search), "bac");
  search.limit = 2;
  const auto page = models_->Search(search);
  ASSERT_EQ(page->models.size(), 2u);
  search.page_token = page->next_page_token;
  EXPECT_EQ(Names(search), "c");
  search.order.clear();
  EXPECT_EQ(models_->Search(search).error().gy(), "GY3432");
}

TEST_F(LoggedModelsTest, AModelIsFoundOnceWhateverComesBetweenPages) {
  for (const char* name : {"a", "b", "c", "d"}) Create(name);
  ModelSearch search = All();
  search.experiments = {experiment_, experiment_};
  EXPECT_EQ(Names(search), "dcba");
  search.limit = 2;
  const auto first = models_->Search(search);
  ASSERT_EQ(first->models.size(), 2u);
  Create("e");
  ASSERT_TRUE(models_->Delete("p", first->models[1].id));
  search.page_token = first->next_page_token;
  EXPECT_EQ(Names(search), "ba");
}

}  // namespace
}  // namespace gyre::tracking
