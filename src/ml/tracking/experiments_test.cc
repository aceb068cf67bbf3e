#include "ml/tracking/experiments.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

class ExperimentsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-experiments-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    experiments_ = *OpenExperiments(*database_, SystemClock(), stamps_);
    tracking_ = *OpenTracking(*database_, SystemClock(), stamps_);
  }
  void TearDown() override {
    tracking_.reset();
    experiments_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  Experiment Create(const std::string& title, const std::string& project = "default") {
    auto made = experiments_->Create({.project = project, .title = title});
    EXPECT_TRUE(made) << made.error().ToString();
    return *made;
  }
  std::vector<std::string> Titles(const ExperimentSearch& search) {
    std::vector<std::string> titles;
    const auto page = experiments_->Search(search);
    EXPECT_TRUE(page) << page.error().ToString();
    for (const Experiment& e : page->experiments) titles.push_back(e.title);
    return titles;
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Experiments> experiments_;
  std::unique_ptr<Tracking> tracking_;
};

TEST_F(ExperimentsTest, SaysWhatItsRunsRead) {
  const Experiment one = Create("one"), other = Create("other");
  for (const char* context : {"train", "test", "train"}) {
    const auto run = tracking_->CreateRun({.project = "default", .experiment = "one"});
    ASSERT_TRUE(run) << run.error().ToString();
    DatasetInput read;
    read.name = "iris";
    read.digest = "1";
    read.context = context;
    ASSERT_TRUE(tracking_->LogInputs(run->id, {read}));
  }
  const std::int64_t numbers[] = {one.number, other.number};
  const auto uses = experiments_->Datasets("default", numbers, 10);
  ASSERT_TRUE(uses) << uses.error().ToString();
  ASSERT_EQ(uses->size(), 2U);
  EXPECT_EQ((*uses)[0].name + (*uses)[0].context, "iristest");
  EXPECT_EQ((*uses)[1].experiment, one.number);
  EXPECT_EQ(experiments_->Datasets("default", numbers, 1)->size(), 1U);
  EXPECT_TRUE(experiments_->Datasets("elsewhere", numbers, 10)->empty());
}

TEST_F(ExperimentsTest, TheDefaultOfAProjectIsAlwaysThere) {
  const auto first = experiments_->Get("default", 0);
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_EQ(first->number, 0);
  EXPECT_EQ(first->title, "Default");
  const auto other = experiments_->Get("shop", 0);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->title, "Default");
  EXPECT_GT(other->number, 0) << "numbers are unique on the server";
  EXPECT_EQ(experiments_->Find("shop", "Default")->number, other->number);
  EXPECT_EQ(experiments_->Get("shop", other->number)->number, other->number);
  EXPECT_EQ(experiments_->Get("default", other->number).error().gy(), "GY3422");
}

TEST_F(ExperimentsTest, ATitleIsAnyTextAndANameFitsOurRule) {
  EXPECT_EQ(Create("churn").name, "churn");
  EXPECT_EQ(Create("/team/ana/churn").name, "team-ana-churn");
  EXPECT_EQ(Create("team ana churn").name, "team-ana-churn-2");
  EXPECT_EQ(Create("Überblick").name, "berblick");
  EXPECT_EQ(Create("実験").name, "experiment");
  EXPECT_EQ(experiments_->Find("default", "実験")->title, "実験");
  EXPECT_EQ(experiments_->Create({.project = "default", .title = "churn"}).error().gy(), "GY3420");
  EXPECT_EQ(experiments_->Create({.project = "default", .title = ""}).error().gy(), "GY3421");
  EXPECT_TRUE(experiments_->Create({.project = "shop", .title = "churn"})) << "per project";
}

TEST_F(ExperimentsTest, DeletedOnesHideTheirRunsAndKeepTheirTitle) {
  const Experiment churn = Create("churn");
  const tracking::Run run =
      *tracking_->CreateRun({.project = "default", .experiment_number = churn.number});
  EXPECT_EQ(run.experiment, "churn");
  const std::uint64_t stamp = stamps_.Of(run.id);
  ASSERT_TRUE(experiments_->Delete("default", churn.number));
  EXPECT_NE(stamps_.Of(run.id), stamp);
  EXPECT_GT(tracking_->GetRunById(run.id)->deleted_us, 0);
  EXPECT_TRUE(tracking_->ListRuns({.project = "default"})->runs.empty());
  EXPECT_EQ(experiments_->Create({.project = "default", .title = "churn"}).error().gy(), "GY3420");
  EXPECT_EQ(experiments_->Rename("default", churn.number, "other").error().gy(), "GY3423");
  EXPECT_EQ(experiments_->Delete("default", churn.number).error().gy(), "GY3423");
  EXPECT_EQ(
      tracking_->CreateRun({.project = "default", .experiment_number = churn.number}).error().gy(),
      "GY3423");
  EXPECT_EQ(tracking_->LogBatch(run.id, {.params = {{"a", "b"}}}).error().gy(), "GY3426");
  ASSERT_TRUE(experiments_->Restore("default", churn.number));
  EXPECT_EQ(tracking_->GetRunById(run.id)->deleted_us, 0);
  EXPECT_EQ(experiments_->Restore("default", churn.number).error().gy(), "GY3423");
}

TEST_F(ExperimentsTest, TagsAndNamesChange) {
  const Experiment churn = Create("churn");
  ASSERT_TRUE(experiments_->SetTags("default", churn.number, {{"team", "blue"}}));
  ASSERT_TRUE(experiments_->SetTags("default", churn.number, {{"team", "red"}}));
  ASSERT_TRUE(experiments_->Rename("default", churn.number, "who leaves"));
  const Experiment now = *experiments_->Get("default", churn.number);
  EXPECT_EQ(now.tags.at("team"), "red");
  EXPECT_EQ(now.title, "who leaves");
  EXPECT_EQ(now.name, "who-leaves");
  EXPECT_GE(now.updated_us, churn.updated_us);
  ASSERT_TRUE(experiments_->DeleteTag("default", churn.number, "team"));
  EXPECT_EQ(experiments_->DeleteTag("default", churn.number, "team").error().gy(), "GY3424");
  Create("other");
  EXPECT_EQ(experiments_->Rename("default", churn.number, "other").error().gy(), "GY3420");
}

TEST_F(ExperimentsTest, SearchFiltersOrdersAndPages) {
  for (const char* title : {"alpha", "beta", "gamma", "delta"}) Create(title);
  ASSERT_TRUE(experiments_->SetTags("default", experiments_->Find("default", "beta")->number,
                                    {{"team", "blue"}}));
  ASSERT_TRUE(experiments_->Delete("default", experiments_->Find("default", "gamma")->number));
  using Titles = std::vector<std::string>;
  ExperimentSearch search{.project = "default"};
  search.filter = *ParseFilter("tags.team = 'blue' OR name LIKE 'al%'", kExperimentFields);
  search.order = *ParseOrder(std::vector<std::string>{"name ASC"}, kExperimentFields);
  EXPECT_EQ(this->Titles(search), (Titles{"alpha", "beta"}));
  const std::string beta = std::to_string(experiments_->Find("default", "beta")->number);
  for (const std::string& by : {"= '" + beta + "'", "IN ('77', '" + beta + "')"}) {
    search.filter = *ParseFilter("experiment_id " + by, kExperimentFields);
    EXPECT_EQ(this->Titles(search), (Titles{"beta"})) << by;
  }
  search.filter = {};
  search.view = View::kDeleted;
  EXPECT_EQ(this->Titles(search), (Titles{"gamma"}));
  search.view = View::kAll;
  EXPECT_EQ(this->Titles(search), (Titles{"Default", "alpha", "beta", "delta", "gamma"}));
  for (const bool ordered : {false, true}) {
    ExperimentSearch paged{.project = "default", .view = View::kAll, .limit = 2};
    if (ordered) paged.order = search.order;
    Titles seen;
    do {
      const auto page = experiments_->Search(paged);
      ASSERT_TRUE(page) << page.error().ToString();
      for (const Experiment& e : page->experiments) seen.push_back(e.title);
      paged.page_token = page->next_page_token;
    } while (!paged.page_token.empty());
    std::ranges::sort(seen);
    EXPECT_EQ(seen, (Titles{"Default", "alpha", "beta", "delta", "gamma"}));
  }
  search.page_token = "t1.2";
  EXPECT_EQ(experiments_->Search(search).error().gy(), "GY3432");
}

TEST_F(ExperimentsTest, FoldersAreWhatTitlesHaveInCommon) {
  for (const char* title : {"team/churn/v1", "team/churn/v2", "team/price", "team", "team-b/x",
                            "/users/ann/first", "/users/ann/second"})
    Create(title);
  const auto list = [&](const std::string& folder, int limit) {
    FolderQuery query{.project = "default", .folder = folder, .limit = limit};
    std::string text;
    do {
      const auto page = experiments_->ListFolder(query);
      EXPECT_TRUE(page) << page.error().ToString();
      for (const Folder& f : page->folders) text += fmt::format("{}/({}) ", f.path, f.experiments);
      for (const Experiment& e : page->experiments) text += e.title + " ";
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty());
    return text;
  };
  EXPECT_EQ(list("", 100), "/users/(2) team-b/(1) team/(3) Default team ");
  EXPECT_EQ(list("", 1), "/users/(2) Default team team-b/(1) team/(3) ");
  EXPECT_EQ(list("team/", 100), "team/churn/(2) team/price ");
  EXPECT_EQ(list("team/churn", 1), "team/churn/v1 team/churn/v2 ");
  EXPECT_EQ(list("/users/ann", 100), "/users/ann/first /users/ann/second ");
  EXPECT_EQ(list("nothing", 100), "");
  EXPECT_EQ(experiments_->ListFolder({.project = "default", .folder = "team", .page_token = "eabc"})
                .error()
                .gy(),
            "GY3435");
  ASSERT_TRUE(experiments_->Delete("default", experiments_->Find("default", "team/price")->number));
  EXPECT_EQ(list("team", 100), "team/churn/(2) ");
  EXPECT_EQ(experiments_->Below("default", "team")->size(), 2U);
  EXPECT_EQ(experiments_->Below("default", "")->size(), 7U);
}

TEST_F(ExperimentsTest, AFolderMovesWholeOrNotAtAll) {
  const Experiment v1 = Create("a/b/x"), v2 = Create("a/b/b/x"), gone = Create("a/b/old");
  Create("c/x");
  ASSERT_TRUE(experiments_->Delete("default", gone.number));
  const auto title = [&](const Experiment& e) {
    return experiments_->Get("default", e.number)->title;
  };
  EXPECT_EQ(experiments_->MoveFolder("default", "a/b", "c").error().gy(), "GY3420");
  EXPECT_EQ(title(v1), "a/b/x");
  // Upwards: a/b/b/x becomes a/b/x, which has just become a/x.
  EXPECT_EQ(*experiments_->MoveFolder("default", "a/b/", "a"), 3);
  EXPECT_EQ(title(v1), "a/x");
  EXPECT_EQ(title(v2), "a/b/x");
  EXPECT_EQ(title(gone), "a/old");
  EXPECT_EQ(experiments_->Get("default", v2.number)->name, "a-b-x");
  EXPECT_EQ(*experiments_->MoveFolder("default", "a", ""), 3);
  EXPECT_EQ(title(v1), "x");
  EXPECT_EQ(experiments_->MoveFolder("default", "b", "b/deeper").error().gy(), "GY3434");
  EXPECT_EQ(experiments_->MoveFolder("default", "", "b").error().gy(), "GY3434");
  EXPECT_EQ(experiments_->MoveFolder("default", "nothing", "b").error().gy(), "GY3433");
  EXPECT_EQ(experiments_->MoveFolder("other", "b", "d").error().gy(), "GY3433");
}

TEST_F(ExperimentsTest, IsFoundByNumberTitleOrName) {
  const Experiment churn = Create("team/churn"), odd = Create("2024");
  for (const std::string& text : {std::to_string(churn.number), churn.title, churn.name})
    EXPECT_EQ(experiments_->Resolve("default", text)->number, churn.number) << text;
  EXPECT_EQ(experiments_->Resolve("default", "2024")->number, odd.number);
  EXPECT_EQ(experiments_->Resolve("default", "0")->title, "Default");
  EXPECT_EQ(experiments_->Resolve("default", "nothing").error().gy(), "GY3422");
  EXPECT_EQ(experiments_->Resolve("other", "team/churn").error().gy(), "GY3422");
  ASSERT_TRUE(experiments_->Change("default", churn.number,
                                   {.tags = {{"a", "1"}, {"b", "2"}}, .removed_tags = {"c"}}));
  ASSERT_TRUE(
      experiments_->Change("default", churn.number, {.title = "team/left", .removed_tags = {"a"}}));
  const Experiment now = *experiments_->Resolve("default", "team/left");
  EXPECT_EQ(now.tags, (std::map<std::string, std::string>{{"b", "2"}}));
}

}  // namespace
}  // namespace gyre::tracking
