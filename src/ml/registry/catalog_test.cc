#include "ml/registry/catalog.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "base/testing/set_clock.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ml/registry/trash_kind.h"

namespace gyre::registry {
namespace {

class CatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("catalog-" + NewId());
    std::filesystem::create_directories(directory_);
    auto database = db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    ASSERT_TRUE(database) << database.error().ToString();
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), events::EventsSchema(),
                                        lineage::LineageSchema(), trash::TrashSchema(),
                                        RegistrySchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    events_ = events::OpenEvents(*database_, clock_);
    registry_.emplace(*database_, clock_, events_.get());
    catalog_.emplace(*database_, clock_, events_.get());
  }
  void TearDown() override {
    catalog_.reset();
    registry_.reset();
    events_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  Model Make(const std::string& title) {
    auto model = catalog_->Create({.project = "default", .title = title, .created_by = "ann"});
    EXPECT_TRUE(model) << model.error().ToString();
    return model ? *model : Model();
  }
  ModelVersion Log(const std::string& title, const std::string& source = "s3://b/m") {
    auto version = catalog_->Log({.project = "default",
                                  .title = title,
                                  .source = source,
                                  .created_by = "ann",
                                  .flavors = {"python_function", "pytorch"}});
    EXPECT_TRUE(version) << version.error().ToString();
    return version ? *version : ModelVersion();
  }
  ModelVersion Register(const std::string& model, char digit = 'a') {
    NewVersion version;
    version.project = "default";
    version.model = model;
    version.package = {std::string(64, digit), 1234};
    version.run_id = NewId();
    version.task = "binary";
    version.learner = "lightgbm";
    version.metrics = Json::Obj({{"auc", 0.86}});
    version.created_by = "ann";
    auto made = registry_->Register(version);
    EXPECT_TRUE(made) << made.error().ToString();
    return made ? *made : ModelVersion();
  }
  Result<AliasMove> Move(const std::string& model, int version, std::string alias = "champion") {
    return registry_->MoveAlias({.project = "default",
                                 .model = model,
                                 .alias = std::move(alias),
                                 .version = version,
                                 .reason = {},
                                 .moved_by = "bob"});
  }
  std::vector<std::string> Told() {
    std::vector<std::string> kinds;
    const auto told = events_->List({.kind = "model.", .after = 0});
    EXPECT_TRUE(told);
    for (const events::Event& event : *told) {
      EXPECT_TRUE(Json::Parse(event.payload)) << event.payload;
      kinds.push_back(event.kind);
    }
    return kinds;
  }

  std::filesystem::path directory_;
  SetClock clock_{kMicrosPerSecond};
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<events::Events> events_;
  std::optional<Registry> registry_;
  std::optional<Catalog> catalog_;
};

TEST_F(CatalogTest, AModelIsMadeOnceAndFoundByItsTitle) {
  const auto made = catalog_->Create({.project = "default",
                                      .title = "My \"model\"",
                                      .description = "what it does",
                                      .created_by = "ann",
                                      .tags = {{"team", "crm"}}});
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(made->name, "My-model");
  EXPECT_EQ(made->description, "what it does");
  EXPECT_EQ(made->tags.at("team"), "crm");
  EXPECT_EQ(made->version_count, 0);
  EXPECT_EQ(catalog_->Get("default", "My \"model\"")->id, made->id);
  EXPECT_EQ(registry_->GetModel("default", "My-model")->id, made->id) << "the other door";
  const auto again = catalog_->Create({.project = "default", .title = "My \"model\""});
  EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(again.error().gy(), "GY3630");
  EXPECT_NE(again.error().why().find(made->id), std::string::npos);
  EXPECT_TRUE(catalog_->Create({.project = "other", .title = "My \"model\""}));
  EXPECT_EQ(catalog_->Create({.project = "default", .title = "a%2eb"}).error().gy(), "GY3631");
  EXPECT_EQ(catalog_->Get("default", "My-model").error().gy(), "GY3602") << "that is no title";
  EXPECT_EQ(Told().front(), "model.created");
}

TEST_F(CatalogTest, TitlesThatMakeOneNameAreTwoModels) {
  const Model one = Make("my model"), two = Make("my (model)"), three = Make("my-model");
  EXPECT_EQ(one.name, "my-model");
  EXPECT_EQ(two.name, "my-model-2");
  EXPECT_EQ(three.name, "my-model-3");
  EXPECT_EQ(catalog_->Get("default", "my-model")->id, three.id);
  EXPECT_EQ(registry_->GetModel("default", "my-model")->id, one.id);
}

TEST_F(CatalogTest, ARenamedModelIsFoundByBothNames) {
  Register("churn");
  Make("taken");
  clock_.now_us += kMicrosPerSecond;
  const auto renamed = catalog_->Rename("default", "churn", "Customer churn");
  ASSERT_TRUE(renamed) << renamed.error().ToString();
  EXPECT_EQ(renamed->title, "Customer churn");
  EXPECT_EQ(renamed->name, "Customer-churn");
  EXPECT_EQ(renamed->updated_us, clock_.now_us);
  EXPECT_EQ(catalog_->Get("default", "churn").error().gy(), "GY3602");
  EXPECT_EQ(registry_->Resolve("default", "churn:v1")->name(), "Customer-churn:v1")
      << "what was written down before";
  EXPECT_EQ(catalog_->Rename("default", "Customer churn", "taken").error().gy(), "GY3630");
  EXPECT_EQ(catalog_->Rename("default", "Customer churn", "a/b").error().gy(), "GY3631");
  EXPECT_TRUE(catalog_->Rename("default", "Customer churn", "Customer churn"));
  const Model next = Make("churn");
  EXPECT_EQ(next.name, "churn");
  EXPECT_EQ(Log("churn").version, 2) << "churn:v1 means one thing for ever";
  EXPECT_EQ(registry_->Resolve("default", "churn")->title, "churn") << "who has it now";
  ASSERT_TRUE(catalog_->Rename("default", "Customer churn", "back"));
  EXPECT_EQ(registry_->GetModel("default", "Customer-churn")->title, "back");
}

TEST_F(CatalogTest, DescriptionsAndTagsOfModels) {
  Make("m");
  clock_.now_us += kMicrosPerSecond;
  EXPECT_EQ(catalog_->Describe("default", "m", "new")->description, "new");
  EXPECT_EQ(catalog_->Get("default", "m")->updated_us, clock_.now_us);
  EXPECT_EQ(catalog_->Describe("default", "m", std::string(5'001, 'x')).error().gy(), "GY3632");
  ASSERT_TRUE(catalog_->SetTags("default", "m", {{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(catalog_->SetTags("default", "m", {{"a", "\"3\""}}));
  EXPECT_EQ(catalog_->Get("default", "m")->tags, (Tags{{"a", "\"3\""}, {"b", "2"}}));
  EXPECT_EQ(catalog_->SetTags("default", "m", {{"a", std::string(100'001, 'x')}}).error().gy(),
            "GY3633");
  ASSERT_TRUE(catalog_->DeleteTag("default", "m", "a"));
  ASSERT_TRUE(catalog_->DeleteTag("default", "m", "a")) << "again";
  EXPECT_EQ(catalog_->Get("default", "m")->tags, (Tags{{"b", "2"}}));
  EXPECT_EQ(catalog_->SetTags("default", "n", {{"a", "1"}}).error().gy(), "GY3602");
  EXPECT_EQ(Told(), (std::vector<std::string>{"model.created", "model.tag.set", "model.tag.set",
                                              "model.tag.set", "model.tag.deleted"}));
}

TEST_F(CatalogTest, AnImportedVersionKeepsItsNumberAndTellsNobody) {
  Make("m");
  const auto made = catalog_->Log(
      {.project = "default", .title = "m", .source = "s3://b/m", .number = 7, .created_us = 5});
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(made->version, 7);
  EXPECT_EQ(Log("m").version, 8);
  EXPECT_EQ(Told(), (std::vector<std::string>{"model.created", "model.version.created"}));
}

TEST_F(CatalogTest, AVersionThatOthersLoggedIsAVersion) {
  Make("m");
  const std::string run(32, 'a');
  const auto one = catalog_->Log({.project = "default",
                                  .title = "m",
                                  .source = "runs:/" + run + "/model",
                                  .owners = {.run_id = run},
                                  .run_link = "https://h/run",
                                  .description = "first",
                                  .created_by = "ann",
                                  .flavors = {"python_function", "pytorch"},
                                  .tags = {{"k", "v"}}});
  ASSERT_TRUE(one) << one.error().ToString();
  EXPECT_EQ(one->version, 1);
  EXPECT_EQ(one->run_id, run);
  EXPECT_EQ(one->notes, "first");
  EXPECT_EQ(one->stage, Stage::kNone);
  EXPECT_FALSE(one->has_package());
  EXPECT_EQ(one->tags.at("k"), "v");
  EXPECT_EQ(one->flavors.size(), 2u);
  EXPECT_EQ(Register("m").version, 2) << "both doors number alike";
  EXPECT_EQ(Log("m").version, 3);
  EXPECT_EQ(registry_->ListVersions("default", "m")->size(), 3u);
  EXPECT_EQ(
      catalog_->Log({.project = "default", .title = "m", .source = "file:///etc"}).error().gy(),
      "GY3640");
  EXPECT_EQ(catalog_
                ->Log({.project = "default",
                       .title = "m",
                       .source = "file:///etc/",
                       .tags = {{std::string(kPromptTag), "true"}}})
                .error()
                .gy(),
            "GY3640")
      << "a prompt is no way around";
  EXPECT_EQ(catalog_->Log({.project = "default", .title = "n", .source = "s3://b/m"}).error().gy(),
            "GY3602");
  EXPECT_EQ(catalog_
                ->Log({.project = "default",
                       .title = "m",
                       .source = "s3://b/m",
                       .owners = {.run_id = "../x"}})
                .error()
                .gy(),
            "GY3637");
  EXPECT_EQ(catalog_->GetVersion("default", "m", 9).error().gy(), "GY3603");
}

TEST_F(CatalogTest, ASourceMayBeAnotherVersion) {
  Make("copy");
  Make("m");
  Log("m", "s3://b/one");
  ASSERT_TRUE(Move("m", 1, "prod"));
  const ModelVersion copied = Log("copy", "models:/m@prod");
  EXPECT_EQ(copied.source, "models:/m@prod");
  EXPECT_EQ(copied.location, "s3://b/one");
  EXPECT_EQ(Log("copy", "models:/copy/latest").location, "s3://b/one");
  const ModelVersion trained = Register("m");
  const ModelVersion same = Log("copy", "models:/m/2");
  EXPECT_EQ(same.package.digest, trained.package.digest);
  EXPECT_EQ(same.run_id, trained.run_id);
  EXPECT_EQ(same.learner, "lightgbm");
  EXPECT_EQ(
      catalog_->Log({.project = "default", .title = "copy", .source = "models:/m/9"}).error().gy(),
      "GY3603");
  EXPECT_EQ(
      catalog_->Log({.project = "default", .title = "copy", .source = "models:/x/1"}).error().gy(),
      "GY3602");
}

TEST_F(CatalogTest, StagesTakeEachOthersPlaces) {
  Make("m");
  const ModelVersion one = Log("m"), two = Log("m"), three = Log("m");
  EXPECT_EQ(catalog_->MoveStage(one.id, Stage::kProduction, false)->stage, Stage::kProduction);
  clock_.now_us += kMicrosPerSecond;
  const auto moved = catalog_->MoveStage(two.id, Stage::kProduction, true);
  ASSERT_TRUE(moved) << moved.error().ToString();
  EXPECT_EQ(moved->updated_us, clock_.now_us);
  EXPECT_EQ(catalog_->GetVersion("default", "m", 1)->stage, Stage::kArchived);
  EXPECT_EQ(catalog_->MoveStage(one.id, Stage::kNone, true).error().gy(), "GY3635");
  const auto latest = catalog_->Latest("default", "m", {});
  ASSERT_TRUE(latest);
  ASSERT_EQ(latest->size(), 3u);
  EXPECT_EQ((*latest)[0].id, one.id) << "by number, whatever the stage";
  EXPECT_EQ((*latest)[1].id, two.id);
  EXPECT_EQ((*latest)[2].id, three.id);
  EXPECT_EQ(catalog_->Latest("default", "m", {Stage::kStaging})->size(), 0u);
  EXPECT_EQ(catalog_->Find("default", "m", "production")->id, two.id);
  EXPECT_EQ(catalog_->Find("default", "m", "latest")->id, three.id);
  EXPECT_EQ(catalog_->Find("default", "m", "staging").error().gy(), "GY3603");
}

TEST_F(CatalogTest, TagsAndDescriptionsOfVersions) {
  Make("m");
  const ModelVersion one = Log("m");
  ASSERT_TRUE(catalog_->SetVersionTags(one.id, {{"k", std::string(100'000, 'v')}}));
  EXPECT_EQ(catalog_->SetVersionTags(one.id, {{"k", std::string(100'001, 'v')}}).error().gy(),
            "GY3633");
  EXPECT_EQ(catalog_->GetVersion("default", "m", 1)->tags.at("k").size(), 100'000u);
  ASSERT_TRUE(catalog_->DeleteVersionTag(one.id, "k"));
  EXPECT_TRUE(catalog_->GetVersion("default", "m", 1)->tags.empty());
  EXPECT_EQ(catalog_->DescribeVersion(one.id, "better")->notes, "better");
  EXPECT_EQ(catalog_->DescribeVersion("none", "x").error().gy(), "GY3603");
}

TEST_F(CatalogTest, WhatOthersLoggedMovesByItsClientUntilSomebodySetsAPolicy) {
  Make("m");
  Log("m");
  const ModelVersion two = Log("m");
  const auto moved = Move("m", 1);
  ASSERT_TRUE(moved) << moved.error().ToString();
  EXPECT_EQ(moved->basis, "client");
  EXPECT_EQ(Move("m", 1, "größte")->basis, "client");
  EXPECT_EQ(registry_->Resolve("default", "m@größte")->version, 1);
  EXPECT_EQ(Move("m", 1, "v3").error().gy(), "GY3634");
  EXPECT_EQ(registry_->RemoveAlias("default", "m", "nobody", "", "bob").error().gy(), "GY3604");
  AliasPolicy policy;
  policy.approvals_min = 1;
  ASSERT_TRUE(registry_->SetPolicy("default", "m", "champion", policy, "root"));
  EXPECT_EQ(Move("m", 2).error().gy(), "GY3606");
  ASSERT_TRUE(registry_->Approve(two.id, "cat", true, ""));
  EXPECT_EQ(Move("m", 2)->basis, "approvals");
  policy.approvals_min = 0;
  policy.rules = *Json::Parse(R"([{"metric":"auc","op":">=","value":0.9}])");
  ASSERT_TRUE(registry_->SetPolicy("default", "m", "champion", policy, "root"));
  const auto refused = Move("m", 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY3605");
  for (const std::string& fix : refused.error().fixes())
    EXPECT_EQ(fix.find("gyre evaluate"), std::string::npos) << "gyre cannot judge it: " << fix;
  EXPECT_EQ(registry_->History("default", "m", "champion", 10)->size(), 2u);
}

TEST_F(CatalogTest, AChampionOfOthersGivesWayToOneThatPassesAlone) {
  Make("m");
  Log("m");
  ASSERT_TRUE(Move("m", 1));
  const ModelVersion trained = Register("m");
  EXPECT_EQ(Move("m", 2).error().gy(), "GY3605") << "gyre's own is judged";
  Registry::NewVerdict verdict;
  verdict.version_id = trained.id;
  verdict.verdict.pass = true;
  ASSERT_TRUE(registry_->RecordVerdict(verdict));
  const auto moved = Move("m", 2);
  ASSERT_TRUE(moved) << moved.error().ToString();
  EXPECT_EQ(moved->basis, "gate");
  EXPECT_EQ(moved->previous_version, 1);
}

TEST_F(CatalogTest, WhatGyreCannotRunSaysWhichFlavourItIs) {
  Make("m");
  const auto refused = CheckHasPackage(Log("m"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY3622");
  EXPECT_EQ(refused.error().code(), Code::kUnimplemented);
  EXPECT_NE(refused.error().message().find("gyre cannot serve mlflow.pytorch models yet"),
            std::string::npos)
      << refused.error().message();
  EXPECT_TRUE(CheckHasPackage(Register("m")));
}

TEST_F(CatalogTest, WhatIsDeletedComesBackWithAllItHas) {
  trash::Trash trash(*database_, clock_, kMicrosPerSecond);
  trash.Register(ModelTrash({*database_, *registry_, *events_, clock_}));
  Make("My model");
  ASSERT_TRUE(catalog_->SetTags("default", "My model", {{"a", "1"}}));
  const ModelVersion one = Log("My model");
  Log("My model");
  ASSERT_TRUE(catalog_->SetVersionTags(one.id, {{"b", "2"}}));
  ASSERT_TRUE(Move("My-model", 1, "prod"));
  ASSERT_TRUE(catalog_->DeleteVersion(one.id, "ann", true));
  EXPECT_EQ(catalog_->GetVersion("default", "My model", 1).error().gy(), "GY3603");
  EXPECT_EQ(catalog_->Find("default", "My model", "@prod").error().gy(), "GY3604");
  EXPECT_EQ(Log("My model").version, 3);
  ASSERT_TRUE(trash.Restore(*trash.Newest("default", "model", "My-model:v1"), ""));
  EXPECT_EQ(catalog_->Find("default", "My model", "@prod")->tags.at("b"), "2");

  ASSERT_TRUE(catalog_->Rename("default", "My model", "Our model"));
  ASSERT_TRUE(catalog_->Delete("default", "Our model", "ann", true));
  EXPECT_EQ(catalog_->Get("default", "Our model").error().gy(), "GY3602");
  EXPECT_EQ(registry_->GetModel("default", "My-model").error().gy(), "GY3602");
  ASSERT_TRUE(trash.Restore(*trash.Newest("default", "model", "Our-model"), ""));
  const auto back = catalog_->Get("default", "Our model");
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(back->tags.at("a"), "1");
  EXPECT_EQ(back->version_count, 3);
  EXPECT_EQ(registry_->GetModel("default", "My-model")->id, back->id);
}

}  // namespace
}  // namespace gyre::registry
