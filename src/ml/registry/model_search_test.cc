#include "ml/registry/model_search.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "base/testing/set_clock.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ml/registry/catalog.h"

namespace gyre::registry {
namespace {

class ModelSearchTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("model-search-" + NewId());
    std::filesystem::create_directories(directory_);
    auto database = db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    ASSERT_TRUE(database) << database.error().ToString();
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        trash::TrashSchema(), RegistrySchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    catalog_.emplace(*database_, clock_);
    registry_.emplace(*database_, clock_);
    searcher_.emplace(*database_);
  }
  void TearDown() override {
    searcher_.reset();
    registry_.reset();
    catalog_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Make(const std::string& title, Tags tags = {}, const std::string& project = "default") {
    clock_.now_us += kMicrosPerSecond;
    const auto made =
        catalog_->Create({.project = project, .title = title, .tags = std::move(tags)});
    ASSERT_TRUE(made) << made.error().ToString();
  }
  ModelVersion Log(const std::string& title, const std::string& source = "s3://b/m", Tags tags = {},
                   const std::string& run = "") {
    clock_.now_us += kMicrosPerSecond;
    auto made = catalog_->Log({.project = "default",
                               .title = title,
                               .source = source,
                               .owners = {.run_id = run},
                               .tags = std::move(tags)});
    EXPECT_TRUE(made) << made.error().ToString();
    return made ? *made : ModelVersion();
  }
  static ModelSearch Search(const std::string& filter, std::vector<std::string> order,
                            const tracking::FieldTable& fields, int limit) {
    ModelSearch search{.project = "default", .limit = limit};
    auto parsed = tracking::ParseFilter(filter, fields);
    EXPECT_TRUE(parsed) << parsed.error().ToString();
    if (parsed) search.filter = *parsed;
    auto orders = tracking::ParseOrder(order, fields);
    EXPECT_TRUE(orders) << orders.error().ToString();
    if (orders) search.order = *orders;
    return search;
  }
  // "a b c" over all pages.
  std::string Models(const std::string& filter, std::vector<std::string> order = {},
                     int limit = 2) {
    ModelSearch search = Search(filter, std::move(order), tracking::kModelFields, limit);
    std::string names;
    do {
      const auto page = searcher_->Models(search);
      EXPECT_TRUE(page) << page.error().ToString();
      if (!page) break;
      EXPECT_LE(page->models.size(), static_cast<std::size_t>(limit));
      for (const FoundModel& one : page->models)
        names += (names.empty() ? "" : " ") + one.model.title;
      search.page_token = page->next_page_token;
    } while (!search.page_token.empty());
    return names;
  }
  std::string Versions(const std::string& filter, std::vector<std::string> order = {},
                       int limit = 2) {
    ModelSearch search = Search(filter, std::move(order), tracking::kModelVersionFields, limit);
    std::string names;
    do {
      const auto page = searcher_->Versions(search);
      EXPECT_TRUE(page) << page.error().ToString();
      if (!page) break;
      for (const ModelVersion& one : page->versions)
        names += fmt::format("{}{}:{}", names.empty() ? "" : " ", one.title, one.version);
      search.page_token = page->next_page_token;
    } while (!search.page_token.empty());
    return names;
  }

  std::filesystem::path directory_;
  SetClock clock_{kMicrosPerSecond};
  std::unique_ptr<db::Database> database_;
  std::optional<Catalog> catalog_;
  std::optional<Registry> registry_;
  std::optional<ModelSearcher> searcher_;
};

TEST_F(ModelSearchTest, ModelsByTitleTagAndTime) {
  Make("b");
  Make("a", {{"team", "crm"}});
  Make("d", {{"team", "ops"}});
  Make("c", {{"team", "crm"}, {"x", "1"}});
  Make("elsewhere", {}, "other");
  EXPECT_EQ(Models(""), "a b c d");
  EXPECT_EQ(Models("", {"name DESC"}), "d c b a");
  EXPECT_EQ(Models("", {"timestamp DESC"}), "c d a b");
  EXPECT_EQ(Models("", {"last_updated_timestamp ASC", "name DESC"}), "b a d c");
  EXPECT_EQ(Models("name = 'a'"), "a");
  EXPECT_EQ(Models("name != 'a'"), "b c d");
  EXPECT_EQ(Models("name ILIKE '%A%'"), "a");
  EXPECT_EQ(Models("name LIKE '%A%'"), "");
  EXPECT_EQ(Models("tags.team = 'crm'"), "a c");
  EXPECT_EQ(Models("tags.team != 'crm'"), "d") << "only what has the tag";
  EXPECT_EQ(Models("NOT tags.team = 'crm'"), "b d");
  EXPECT_EQ(Models("tags.team = 'crm' AND tag.x = '1'"), "c");
  EXPECT_EQ(Models("name = 'b' OR (tags.team LIKE 'o%' AND NOT name = 'x')"), "b d");
}

TEST_F(ModelSearchTest, PromptsAreModelsThatAreAskedFor) {
  const Tags prompt = {{std::string(kPromptTag), "true"}, {"k", "v"}};
  Make("p", prompt);
  Make("m", {{"k", "v"}});
  Make("n", {{std::string(kPromptTag), "false"}});
  EXPECT_EQ(Models(""), "m n");
  EXPECT_EQ(Models("tags.k = 'v'"), "m");
  EXPECT_EQ(Models("tags.`mlflow.prompt.is_prompt` = 'true'"), "p");
  EXPECT_EQ(Models("tags.`mlflow.prompt.is_prompt` != 'false'"), "p");
  EXPECT_EQ(Models("tags.`mlflow.prompt.is_prompt` = 'false'"), "m n");
  EXPECT_EQ(Models("tags.`mlflow.prompt.is_prompt` != 'true'"), "m n");
  EXPECT_EQ(Models("tags.`mlflow.prompt.is_prompt` = 'true' AND name = 'p' AND tags.k = 'v'"), "p");
  Log("p", "dummy-source", prompt);
  Log("m");
  EXPECT_EQ(Versions(""), "m:1");
  EXPECT_EQ(Versions("tags.`mlflow.prompt.is_prompt` = 'true'"), "p:1");
}

TEST_F(ModelSearchTest, VersionsByWhatTheyAre) {
  Make("a");
  Make("b");
  const std::string run(32, 'a'), other(32, 'b');
  Log("a", "s3://b/1", {{"k", "1"}}, run);
  Log("b", "s3://b/2", {}, other);
  Log("a", "s3://b/3", {{"k", "2"}}, other);
  Log("b", "s3://c/4");
  EXPECT_EQ(Versions(""), "b:2 a:2 b:1 a:1") << "the last updated first";
  EXPECT_EQ(Versions("", {"name ASC"}), "a:2 a:1 b:2 b:1");
  EXPECT_EQ(Versions("", {"version_number ASC", "name DESC"}), "b:1 a:1 b:2 a:2");
  EXPECT_EQ(Versions("", {"creation_timestamp ASC"}), "a:1 b:1 a:2 b:2");
  EXPECT_EQ(Versions("name = 'a'"), "a:2 a:1");
  EXPECT_EQ(Versions("name = 'a' AND version_number = 1"), "a:1");
  EXPECT_EQ(Versions("version_number > 1"), "b:2 a:2");
  EXPECT_EQ(Versions("run_id = '" + run + "'"), "a:1");
  EXPECT_EQ(Versions("run_id IN ('" + run + "', '" + other + "')"), "a:2 b:1 a:1");
  EXPECT_EQ(Versions("source_path = 's3://b/3'"), "a:2");
  EXPECT_EQ(Versions("source_path LIKE 's3://b/%'"), "a:2 b:1 a:1");
  EXPECT_EQ(Versions("tags.k = '2'"), "a:2");
  ASSERT_TRUE(catalog_->DeleteVersion(catalog_->GetVersion("default", "a", 2)->id, "ann", true));
  EXPECT_EQ(Versions("name = 'a'"), "a:1");
}

TEST_F(ModelSearchTest, WhatIsFoundHasTagsAliasesAndTheLatestOfEachStage) {
  Make("a", {{"t", "1"}});
  const ModelVersion one = Log("a", "s3://b/1", {{"k", "1"}});
  Log("a");
  Log("a");
  clock_.now_us += kMicrosPerSecond;
  ASSERT_TRUE(catalog_->MoveStage(one.id, Stage::kProduction, false));
  for (const char* alias : {"z", "prod"}) {
    ASSERT_TRUE(registry_->MoveAlias({.project = "default",
                                      .model = "a",
                                      .alias = alias,
                                      .version = 1,
                                      .reason = {},
                                      .moved_by = "ann"}));
  }
  const auto found = searcher_->Models({.project = "default"});
  ASSERT_TRUE(found) << found.error().ToString();
  ASSERT_EQ(found->models.size(), 1u);
  const FoundModel& model = found->models[0];
  EXPECT_EQ(model.model.tags.at("t"), "1");
  ASSERT_EQ(model.model.aliases.size(), 2u);
  EXPECT_EQ(model.model.aliases[0], (std::pair<std::string, int>("prod", 1)));
  ASSERT_EQ(model.latest.size(), 2u);
  EXPECT_EQ(model.latest[0].version, 3);
  EXPECT_EQ(model.latest[1].version, 1);
  EXPECT_EQ(model.latest[1].stage, Stage::kProduction);
  EXPECT_EQ(model.latest[1].tags.at("k"), "1");
  EXPECT_EQ(model.latest[1].aliases, (std::vector<std::string>{"prod", "z"}));
  const auto versions = searcher_->Versions({.project = "default"});
  ASSERT_TRUE(versions);
  EXPECT_EQ(versions->versions.at(0).aliases.size(), 2u) << "the last that changed";
}

TEST_F(ModelSearchTest, LongTagsAreComparedWhole) {
  const std::string long_value(80, 'x');
  Make("a", {{"t", long_value + "1"}});
  Make("b", {{"t", long_value + "2"}});
  Log("a", "s3://b/m", {{"t", long_value + "1"}});
  Log("b", "s3://b/m", {{"t", long_value + "2"}});
  EXPECT_EQ(Models("tags.t = '" + long_value + "2'"), "b");
  EXPECT_EQ(Models("tags.t = '" + long_value + "'"), "");
  EXPECT_EQ(Versions("tags.t = '" + long_value + "1'"), "a:1");
}

TEST_F(ModelSearchTest, OfSeveralInAStageTheNewestThatIsThere) {
  Make("a");
  std::vector<ModelVersion> made;
  for (int i = 0; i < 5; ++i) made.push_back(Log("a"));
  for (const int i : {0, 1, 3})
    ASSERT_TRUE(catalog_->MoveStage(made[static_cast<std::size_t>(i)].id, Stage::kArchived, false));
  ASSERT_TRUE(catalog_->MoveStage(made[2].id, Stage::kStaging, false));
  ASSERT_TRUE(catalog_->DeleteVersion(made[3].id, "ann", true));
  const auto found = searcher_->Models({.project = "default"});
  ASSERT_TRUE(found) << found.error().ToString();
  std::string latest;
  for (const ModelVersion& version : found->models.at(0).latest)
    latest += fmt::format("{}:{} ", version.version, StageName(version.stage));
  EXPECT_EQ(latest, "5:none 3:staging 2:archived ");
}

TEST_F(ModelSearchTest, PagesAreOfOneSearchAndHoldWhileThingsChange) {
  for (const char* title : {"a", "b", "c", "d"}) Make(title);
  ModelSearch search{.project = "default", .limit = 2};
  const auto first = searcher_->Models(search);
  ASSERT_TRUE(first);
  ASSERT_FALSE(first->next_page_token.empty());
  Make("aa");
  ASSERT_TRUE(catalog_->Delete("default", "b", "ann", true));
  search.page_token = first->next_page_token;
  const auto second = searcher_->Models(search);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->models.at(0).model.title, "c");
  EXPECT_TRUE(second->next_page_token.empty()) << "there is nothing more";
  for (const std::string& token : {std::string("x"), std::string("e30="), first->next_page_token}) {
    ModelSearch bad = Search("name != 'x'", {}, tracking::kModelFields, 2);
    bad.page_token = token;
    EXPECT_EQ(searcher_->Models(bad).error().gy(), "GY3638") << token;
  }
}

// More than are read, and looked at, at once.
TEST_F(ModelSearchTest, ManyModels) {
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) -> Result<> {
    for (int i = 0; i < 2'300; ++i) {
      const std::string name = fmt::format("m{:04}", i);
      GYRE_DO(
          tx.Execute("INSERT INTO registry_model (id, project, name, description, "
                     "last_version, created_by, created_us, deleted_us, title) "
                     "VALUES (?1, 'default', ?1, '', 0, '', 0, 0, ?1)",
                     {name}));
      GYRE_DO(
          tx.Execute("INSERT INTO registry_model_tag (model_id, name, value) "
                     "VALUES (?1, 'n', ?2)",
                     {name, fmt::format("{}", i % 1'000)}));
      GYRE_DO(
          tx.Execute("INSERT INTO registry_model_tag (model_id, name, value) "
                     "VALUES (?1, 'all', 'yes')",
                     {name}));
    }
    return {};
  }));
  std::size_t count = 0;
  ModelSearch search{.project = "default", .limit = 700};
  do {
    const auto page = searcher_->Models(search);
    ASSERT_TRUE(page) << page.error().ToString();
    count += page->models.size();
    for (const FoundModel& one : page->models) ASSERT_EQ(one.model.tags.size(), 2u);
    search.page_token = page->next_page_token;
  } while (!search.page_token.empty());
  EXPECT_EQ(count, 2'300u);
  EXPECT_EQ(Models("tags.n = '7'", {}, 100), "m0007 m1007 m2007");
  EXPECT_EQ(Models("tags.n = '7'", {"name DESC"}, 1), "m2007 m1007 m0007");
  EXPECT_EQ(Models("tags.all = 'yes' AND tags.n = '8'", {}, 1), "m0008 m1008 m2008");
  EXPECT_EQ(Models("tags.all = 'yes' AND name LIKE '%299'", {}, 1), "m0299 m1299 m2299")
      << "too many have that tag to be sorted";
  EXPECT_EQ(Models("name LIKE '%299'", {}, 1), "m0299 m1299 m2299");
}

}  // namespace
}  // namespace gyre::registry
