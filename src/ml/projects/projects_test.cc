#include "ml/projects/projects.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "ledger/trash/trash.h"
#include "ml/projects/declarations.h"

namespace gyre::projects {
namespace {

class ProjectsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-projects-XXXXXX";
    db::Settings settings;
    settings.path = std::string(mkdtemp(pattern)) + "/gyre.db";
    auto database = db::OpenSqlite(settings);
    ASSERT_TRUE(database) << database.error().ToString();
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {ProjectsSchema(), trash::TrashSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    projects_ = std::make_unique<Projects>(*database_, SystemClock());
  }
  static ProblemChange Kpis(std::vector<std::string> kpis) {
    ProblemChange change;
    change.kpis = std::move(kpis);
    return change;
  }

  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Projects> projects_;
};

TEST_F(ProjectsTest, TheDefaultProjectIsMadeOnce) {
  ASSERT_TRUE(projects_->EnsureDefault());
  ASSERT_TRUE(projects_->EnsureDefault());
  const auto list = projects_->List("", 10);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ((*list)[0].name, "default");
  EXPECT_FALSE((*list)[0].problem.has_value());
}

TEST_F(ProjectsTest, AProblemIsKeptWithItsGoals) {
  ProblemChange change = Kpis({"auc>=0.84", "cost per saved customer <= 12 EUR"});
  change.target = "Churn";
  ASSERT_TRUE(projects_->Create("churn", change, "ana"));
  const auto project = projects_->Get("churn");
  ASSERT_TRUE(project) << project.error().ToString();
  ASSERT_TRUE(project->problem.has_value());
  EXPECT_EQ(project->problem->version, 1);
  EXPECT_EQ(project->problem->target, "Churn");
  ASSERT_EQ(project->problem->kpis.size(), 2u);
  EXPECT_EQ(project->problem->kpis[0].ToString(), "auc >= 0.84");
  EXPECT_EQ(project->problem->kpis[1].value, 12);
}

TEST_F(ProjectsTest, ChangesAreVersionsAndSayingTheSameIsNone) {
  ASSERT_TRUE(projects_->Create("churn", Kpis({"auc >= 0.84"}), "ana"));
  EXPECT_EQ(projects_->SetProblem("churn", Kpis({"auc >= 0.84"}), "ben")->version, 1);
  EXPECT_EQ(projects_->SetProblem("churn", Kpis({"auc >= 0.86"}), "ben")->version, 2);
  ProblemChange owner;
  owner.owner = "cleo";
  EXPECT_EQ(projects_->SetProblem("churn", owner, "ben")->version, 3);
  const auto history = projects_->History("churn");
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 3u);
  EXPECT_EQ((*history)[0].kpis[0].ToString(), "auc >= 0.86");  // kept from version 2
  EXPECT_EQ((*history)[0].owner, "cleo");
  EXPECT_EQ((*history)[2].kpis[0].ToString(), "auc >= 0.84");
  EXPECT_EQ((*history)[1].created_by, "ben");
}

TEST_F(ProjectsTest, ErrorsNameTheThing) {
  ASSERT_TRUE(projects_->Create("churn", {}, "ana"));
  EXPECT_EQ(projects_->Create("churn", {}, "ana").error().gy(), "GY3901");
  EXPECT_EQ(projects_->Create("no/slash", {}, "ana").error().gy(), "GY1200");
  EXPECT_EQ(projects_->Create("bad", Kpis({"auc is good"}), "ana").error().gy(), "GY3010");
  for (const char* kpi : {"auc >= 3", "auc >= 84", "mcc > -2", "rmse <= -1", "r2 >= 2"})
    EXPECT_EQ(projects_->Create("bad", Kpis({kpi}), "ana").error().gy(), "GY3907") << kpi;
  const auto missing = projects_->Get("chrun");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  ASSERT_FALSE(missing.error().fixes().empty());
  EXPECT_NE(missing.error().fixes()[0].find("churn"), std::string::npos);
  EXPECT_EQ(ProblemChangeFromJson(Json::Obj({{"kpi", "auc >= 1"}})).error().gy(), "GY3903");
  EXPECT_EQ(ProblemChangeFromJson(Json::Obj({{"kpis", "auc >= 1"}})).error().gy(), "GY3903");
  EXPECT_EQ(ProblemChangeFromJson(Json::Obj({{"owner", 5}})).error().gy(), "GY3903");
}

TEST_F(ProjectsTest, PagesGoByName) {
  for (const char* name : {"b", "a", "c"}) ASSERT_TRUE(projects_->Create(name, {}, "ana"));
  const auto first = projects_->List("", 2);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[1].name, "b");
  const auto second = projects_->List("b", 2);
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ((*second)[0].name, "c");
}

TEST_F(ProjectsTest, WhichThingWasMadeIsKept) {
  ASSERT_TRUE(projects_->Create("churn", {}, "ana"));
  Declarations declarations(*database_, SystemClock());
  const auto keep = [&](bool made, std::string thing) {
    return declarations.Keep(
        "churn", {.kind = "datasets", .name = "a", .made = made, .thing = std::move(thing)});
  };
  const auto thing = [&] { return declarations.List("churn")->at(0).thing; };
  ASSERT_TRUE(keep(true, "one"));
  EXPECT_EQ(thing(), "one");
  EXPECT_TRUE(keep(false, "")->made);
  EXPECT_EQ(thing(), "one") << "what came upon it made nothing";
  ASSERT_TRUE(keep(true, "two"));
  EXPECT_EQ(thing(), "two");
}

TEST_F(ProjectsTest, WhatAFileDeclaredIsKeptByKindAndName) {
  ASSERT_TRUE(projects_->Create("churn", {}, "ana"));
  Declarations declarations(*database_, SystemClock());
  const auto keep = [&](std::string kind, std::string name, bool made, Json spec) {
    return declarations.Keep("churn", {.kind = std::move(kind),
                                       .name = std::move(name),
                                       .made = made,
                                       .spec = std::move(spec),
                                       .applied_by = "ana"});
  };
  ASSERT_TRUE(keep("sources", "crm", true, Json::Obj({{"path", "a.csv"}})));
  ASSERT_TRUE(keep("gates", "churn@champion", false, Json::Obj()));
  // Made once, made for good.
  ASSERT_TRUE(keep("sources", "crm", false, Json::Obj({{"path", "b.csv"}})));
  const auto list = declarations.List("churn");
  ASSERT_TRUE(list) << list.error().ToString();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].name, "churn@champion");
  EXPECT_FALSE((*list)[0].made);
  EXPECT_TRUE((*list)[1].made);
  EXPECT_EQ((*list)[1].spec["path"].AsString(), "b.csv");
  EXPECT_EQ(keep("tables", "x", true, {}).error().gy(), "GY3910");
  EXPECT_EQ(keep("sources", "no/slash", true, {}).error().gy(), "GY1200");
  EXPECT_EQ(declarations.List("nobody").error().gy(), "GY3902");
  ASSERT_TRUE(declarations.Forget("churn", "sources", "crm"));
  EXPECT_EQ(declarations.Forget("churn", "sources", "crm").error().gy(), "GY3912");
}

}  // namespace
}  // namespace gyre::projects
