#include "ml/registry/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/id.h"
#include "base/testing/set_clock.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ml/registry/trash_kind.h"

namespace gyre::registry {
namespace {

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("registry-" + NewId());
    std::filesystem::create_directories(directory_);
    auto database = db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    ASSERT_TRUE(database) << database.error().ToString();
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), events::EventsSchema(),
                                        lineage::LineageSchema(), trash::TrashSchema(),
                                        RegistrySchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    registry_.emplace(*database_, clock_);
  }
  void TearDown() override {
    registry_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  static NewVersion Sample(char digit = 'a') {
    NewVersion version;
    version.project = "default";
    version.model = "churn";
    version.package = {std::string(64, digit), 1234};
    version.run_id = NewId();
    version.datasets = {{"d1", "train"}, {"d2", "holdout"}};
    version.recipe_hash = "r1";
    version.task = "binary";
    version.target = "Churn";
    version.learner = "lightgbm";
    version.metrics = Json::Obj({{"auc", 0.86}});
    version.signature =
        Json::Obj({{"inputs", Json::Arr({Json::Obj({{"name", "age"}, {"type", "int"}})})}});
    version.attachments = {{"profile", {std::string(64, 'f'), 10}}};
    version.created_by = "ann";
    return version;
  }
  ModelVersion Register(char digit = 'a') {
    auto version = registry_->Register(Sample(digit));
    EXPECT_TRUE(version) << version.error().ToString();
    return version ? *version : ModelVersion();
  }
  void Judged(const ModelVersion& version, bool pass, const std::string& champion_id = {},
              const AliasPolicy& policy = {}) {
    Registry::NewVerdict verdict;
    verdict.version_id = version.id;
    verdict.champion_id = champion_id;
    verdict.policy = policy;
    verdict.verdict.pass = pass;
    verdict.verdict.reasons = {{pass, "better than baseline", "auc better by 0.3"}};
    ASSERT_TRUE(registry_->RecordVerdict(verdict));
  }
  Result<AliasMove> Move(int version, std::string reason = {}, bool override_gate = false) {
    return registry_->MoveAlias({.project = "default",
                                 .model = "churn",
                                 .version = version,
                                 .reason = std::move(reason),
                                 .moved_by = "bob",
                                 .override_gate = override_gate});
  }
  std::int64_t Refs() {
    std::int64_t count = 0;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_DO(reader.QueryOne("SELECT COUNT(*) FROM blob_ref WHERE owner_kind <> 'trash'", {},
                              [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }

  std::filesystem::path directory_;
  SetClock clock_{kMicrosPerSecond};
  std::unique_ptr<db::Database> database_;
  std::optional<Registry> registry_;
};

TEST_F(RegistryTest, KnowsWhatWasMadeFromADataset) {
  const ModelVersion version = Register();
  EXPECT_EQ(*registry_->MadeFrom("d2"), std::vector<std::string>{"churn:v1"});
  EXPECT_TRUE(registry_->MadeFrom("d3")->empty());
  ASSERT_TRUE(registry_->DeleteVersion(version.id));
  EXPECT_TRUE(registry_->MadeFrom("d2")->empty());
}

TEST_F(RegistryTest, VersionsAreNumberedAndKeepWhatTheyWereMadeFrom) {
  const ModelVersion one = Register('a'), two = Register('b');
  EXPECT_EQ(one.name(), "churn:v1");
  EXPECT_EQ(two.name(), "churn:v2");
  const auto read = registry_->Resolve("default", "churn:v1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->datasets.size(), 2u);
  EXPECT_EQ(read->datasets[1].role, "holdout");
  EXPECT_EQ(read->metrics, Json::Obj({{"auc", 0.86}}));
  EXPECT_EQ(read->attachments.at(0).name, "profile");
  EXPECT_EQ(Refs(), 4) << "package and profile of each version";
  EXPECT_EQ(registry_->Resolve("default", "churn")->version, 2) << "without a champion: the newest";
}

TEST_F(RegistryTest, LineageLeadsToTheExactDataRecipeAndRun) {
  const ModelVersion one = Register('a');
  const auto graph = lineage::Lineage(*database_).Walk(one.id, lineage::Direction::kUp);
  ASSERT_TRUE(graph) << graph.error().ToString();
  std::vector<std::string> roles;
  for (const lineage::Edge& edge : graph->edges) {
    const bool of_recipe = edge.from.starts_with("r1-");
    roles.push_back((of_recipe ? "r1" : edge.from) + " " + edge.role);
  }
  std::ranges::sort(roles);
  // The recipe was fitted on the data, and prepared what both the run and the version learned from.
  std::vector<std::string> expected = {"d1 fitted_on",    "d1 trained_on",
                                       "d2 evaluated_on", "r1 prepared_by",
                                       "r1 prepared_by",  one.run_id + " produced"};
  std::ranges::sort(expected);
  EXPECT_EQ(roles, expected);
  EXPECT_EQ(lineage::Lineage(*database_).Find("default", "churn:v1")->node.id, one.id);
}

TEST_F(RegistryTest, ARecipeFittedOnOtherDataIsAnotherNode) {
  NewVersion later = Sample('b');
  later.datasets = {{"d3", "train"}};
  const ModelVersion one = Register('a');
  const auto two = registry_->Register(later);
  ASSERT_TRUE(two) << two.error().ToString();
  const lineage::Lineage lineage(*database_);
  const auto graph = lineage.Walk(two->id, lineage::Direction::kUp);
  ASSERT_TRUE(graph);
  for (const lineage::Node& node : graph->nodes) EXPECT_NE(node.id, "d1") << "it never saw it";
  const auto down = lineage.Walk("d1", lineage::Direction::kDown);
  ASSERT_TRUE(down);
  EXPECT_EQ(down->nodes.size(), 4u) << "recipe, run and version of the first";
}

TEST_F(RegistryTest, TheSamePackageOfTheSameRunIsTheSameVersion) {
  const NewVersion sample = Sample();
  const auto once = registry_->Register(sample), again = registry_->Register(sample);
  ASSERT_TRUE(once && again);
  EXPECT_EQ(once->id, again->id);
  EXPECT_EQ(registry_->ListVersions("default", "churn")->size(), 1u);
}

TEST_F(RegistryTest, AFailedRegistrationLeavesNothing) {
  NewVersion bad = Sample();
  bad.attachments = {{"profile", {std::string(64, 'f'), 1}},
                     {"profile", {std::string(64, 'e'), 1}}};
  EXPECT_FALSE(registry_->Register(bad));
  EXPECT_EQ(Refs(), 0);
  EXPECT_EQ(registry_->GetModel("default", "churn").error().gy(), "GY3602");
  bad = Sample();
  bad.model = "../etc";
  EXPECT_EQ(registry_->Register(bad).error().gy(), "GY1200");
  bad = Sample();
  bad.package.digest.clear();
  EXPECT_EQ(registry_->Register(bad).error().gy(), "GY3611");
}

TEST_F(RegistryTest, ResolvingSaysWhatIsMissing) {
  Register();
  const auto mistyped = registry_->Resolve("default", "chrun");
  EXPECT_EQ(mistyped.error().gy(), "GY3602");
  EXPECT_EQ(mistyped.error().fixes().at(0), "did you mean `churn`?");
  EXPECT_EQ(registry_->Resolve("default", "churn:v9").error().gy(), "GY3603");
  EXPECT_EQ(registry_->Resolve("default", "churn@champion").error().gy(), "GY3604");
  EXPECT_EQ(registry_->Resolve("other", "churn").error().gy(), "GY3602");
  EXPECT_TRUE(registry_->Resolve("default", "default/churn"));
  EXPECT_EQ(registry_->Resolve("other", "default/churn").error().code(), Code::kPermissionDenied)
      << "who was admitted to one project reads no other";
  EXPECT_EQ(registry_->Resolve("default", "churn:x").error().gy(), "GY3601");
}

TEST_F(RegistryTest, ChampionMovesOnlyByAVerdict) {
  const ModelVersion one = Register('a');
  const auto not_judged = Move(1);
  EXPECT_EQ(not_judged.error().gy(), "GY3605");
  EXPECT_TRUE(not_judged.error().fixes()[0].starts_with("gyre evaluate churn:v1"))
      << "there is no champion to compare with: " << not_judged.error().ToString();
  Judged(one, false);
  const auto refused = Move(1);
  EXPECT_EQ(refused.error().gy(), "GY3605");
  EXPECT_NE(refused.error().why().find("better than baseline"), std::string::npos);
  Judged(one, true);
  const auto moved = Move(1);
  ASSERT_TRUE(moved) << moved.error().ToString();
  EXPECT_EQ(moved->basis, "gate");
  EXPECT_EQ(registry_->Resolve("default", "churn@champion")->id, one.id);
  EXPECT_EQ(registry_->GetVersion(one.id)->aliases, std::vector<std::string>{"champion"});
  EXPECT_TRUE(moved->moved);
  EXPECT_EQ(Move(1)->sequence, moved->sequence) << "moving to where it stands changes nothing";
  EXPECT_FALSE(Move(1)->moved);
}

TEST_F(RegistryTest, AVerdictAgainstAnotherChampionIsStale) {
  const ModelVersion one = Register('a'), two = Register('b'), three = Register('c');
  Judged(one, true);
  ASSERT_TRUE(Move(1));
  Judged(two, true, one.id);
  Judged(three, true, one.id);
  ASSERT_TRUE(Move(2));
  const auto stale = Move(3);
  EXPECT_TRUE(stale.error().fixes()[0].starts_with("gyre evaluate churn:v3"));
  EXPECT_EQ(stale.error().gy(), "GY3605");
  EXPECT_NE(stale.error().message().find("another version"), std::string::npos);
  Judged(three, true, two.id);
  EXPECT_TRUE(Move(3));
}

TEST_F(RegistryTest, AVerdictUnderAnOlderPolicyIsStale) {
  const ModelVersion one = Register();
  Judged(one, true);
  const Json rules = *Json::Parse(R"([{"metric":"auc","op":">=","value":0.99}])");
  AliasPolicy strict{.rules = rules, .metric = {}, .dataset = {}};
  ASSERT_TRUE(registry_->SetPolicy("default", "churn", "champion", strict, "root"));
  const auto stale = Move(1);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().gy(), "GY3605");
  EXPECT_NE(stale.error().message().find("other terms"), std::string::npos);
  Judged(one, true, {}, strict);
  strict.metric = "f1";
  ASSERT_TRUE(registry_->SetPolicy("default", "churn", "champion", strict, "root"));
  EXPECT_EQ(Move(1).error().gy(), "GY3605") << "another metric";
  Judged(one, true, {}, strict);
  strict.dataset = "later";
  ASSERT_TRUE(registry_->SetPolicy("default", "churn", "champion", strict, "root"));
  EXPECT_EQ(Move(1).error().gy(), "GY3605") << "other rows";
  Judged(one, true, {}, strict);
  EXPECT_EQ(registry_->PolicyOf("default", "churn", "champion")->dataset, "later");
  EXPECT_TRUE(Move(1));
}

TEST_F(RegistryTest, AVerdictThatNamesNoRulesIsStale) {
  Judged(Register(), true);
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
    return tx.Execute("UPDATE registry_verdict SET rules_hash = ''", {});
  }));
  EXPECT_EQ(Move(1).error().gy(), "GY3605");
}

TEST_F(RegistryTest, AnOverrideNeedsAReason) {
  Register();
  EXPECT_EQ(Move(1, "", true).error().gy(), "GY3610");
  const auto moved = Move(1, "hotfix", true);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->basis, "override");
  EXPECT_EQ(moved->reason, "hotfix");
}

TEST_F(RegistryTest, ApprovalsByOthersThanTheAuthor) {
  const ModelVersion one = Register();
  Judged(one, true);
  ASSERT_TRUE(registry_->SetPolicy(
      "default", "churn", "champion",
      {.approvals_min = 2, .author_may_approve = false, .rules = {}, .metric = {}, .dataset = {}},
      "root"));
  EXPECT_EQ(Move(1).error().gy(), "GY3606");
  const auto by_author = registry_->Approve(one.id, "ann", true, "mine");
  EXPECT_EQ(by_author.error().code(), Code::kPermissionDenied);
  ASSERT_TRUE(registry_->Approve(one.id, "bob", true, ""));
  ASSERT_TRUE(registry_->Approve(one.id, "bob", true, "twice is once"));
  EXPECT_EQ(Move(1).error().gy(), "GY3606");
  ASSERT_TRUE(registry_->Approve(one.id, "cat", false, "too early"));
  EXPECT_EQ(Move(1).error().gy(), "GY3606");
  ASSERT_TRUE(registry_->Approve(one.id, "cat", true, "now"));
  const auto moved = Move(1);
  ASSERT_TRUE(moved) << moved.error().ToString();
  EXPECT_EQ(moved->basis, "gate and approvals");
  EXPECT_EQ(registry_->Approvals(one.id)->size(), 4u);
}

TEST_F(RegistryTest, HistoryAnswersWhoWasChampionAtATime) {
  Register('a');
  Register('b');
  EXPECT_FALSE(*registry_->HolderAt("default", "churn", "champion", clock_.now_us));
  const std::int64_t first = clock_.now_us += kMicrosPerDay;
  ASSERT_TRUE(Move(1, "first", true));
  const std::int64_t second = clock_.now_us += kMicrosPerDay;
  ASSERT_TRUE(Move(2, "second", true));
  clock_.now_us -= kMicrosPerDay / 2;  // the wall clock jumps back
  ASSERT_TRUE(Move(1, "back", true));
  const std::int64_t last = clock_.now_us += 2 * kMicrosPerDay;
  ASSERT_TRUE(registry_->RemoveAlias("default", "churn", "champion", "retired", "bob"));
  EXPECT_FALSE(*registry_->HolderAt("default", "churn", "champion", first - 1));
  EXPECT_EQ((*registry_->HolderAt("default", "churn", "champion", first))->version, 1);
  EXPECT_EQ((*registry_->HolderAt("default", "churn", "champion", second - 1))->version, 1);
  EXPECT_EQ((*registry_->HolderAt("default", "churn", "champion", last - 1))->version, 1);
  EXPECT_FALSE(*registry_->HolderAt("default", "churn", "champion", last));
  const auto history = registry_->History("default", "churn", "champion", 100);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 4u);
  for (std::size_t i = 1; i < history->size(); ++i) {
    EXPECT_GE((*history)[i - 1].moved_us, (*history)[i].moved_us)
        << "time never goes back in the history";
    EXPECT_EQ((*history)[i - 1].previous_version, (*history)[i].version);
  }
}

TEST_F(RegistryTest, TellsWhatHappened) {
  const auto events = events::OpenEvents(*database_, clock_);
  registry_.emplace(*database_, clock_, events.get());
  const ModelVersion one = Register('a');
  ASSERT_TRUE(Move(1, "x", true));
  const auto told =
      events->List({.projects = std::vector<std::string>{"default"}, .kind = "model."});
  ASSERT_TRUE(told);
  ASSERT_EQ(told->size(), 2u);
  EXPECT_EQ(told->back().kind, "model.version.created");
  EXPECT_EQ(told->back().subject, one.id);
  EXPECT_EQ(told->front().kind, "model.alias.moved");
  const auto payload = Json::Parse(told->front().payload);
  ASSERT_TRUE(payload);
  EXPECT_EQ((*payload)["alias"].AsString(), "champion");
  EXPECT_EQ((*payload)["version"].AsInt(), 1);
  registry_.reset();
}

TEST_F(RegistryTest, WhatIsInUseIsNotDeleted) {
  const ModelVersion one = Register('a');
  Register('b');
  ASSERT_TRUE(Move(1, "x", true));
  EXPECT_EQ(registry_->DeleteVersion(one.id).error().gy(), "GY3609");
  EXPECT_EQ(registry_->DeleteModel("default", "churn").error().gy(), "GY3609");
  ASSERT_TRUE(Move(2, "x", true));
  ASSERT_TRUE(registry_->DeleteVersion(one.id));
  EXPECT_EQ(registry_->Resolve("default", "churn:v1").error().gy(), "GY3603");
  EXPECT_EQ(Refs(), 2);
  EXPECT_EQ(Register('c').version, 3) << "numbers are never given again";
  EXPECT_EQ(registry_->History("default", "churn", "", 10)->size(), 2u) << "the history stays";
  ASSERT_TRUE(registry_->RemoveAlias("default", "churn", "champion", "", "bob"));
  ASSERT_TRUE(registry_->DeleteModel("default", "churn"));
  EXPECT_EQ(Refs(), 0);
  EXPECT_TRUE(registry_->ListModels("default", {})->empty());
  EXPECT_EQ(Register('d').version, 4);
}

TEST_F(RegistryTest, WhatWasRemovedComesBack) {
  const ModelVersion one = Register('a');
  Register('b');
  ASSERT_TRUE(Move(1, "x", true));
  Judged(one, true);
  const auto events = events::OpenEvents(*database_, clock_);
  trash::Trash trash(*database_, clock_, kMicrosPerSecond);
  trash.Register(ModelTrash({*database_, *registry_, *events, clock_}));
  const auto remove = [&](std::string_view name) {
    return trash.Remove("model", {.project = "default", .name = name, .by = "ann", .force = true});
  };
  const std::int64_t refs = Refs();
  const auto put_back = [&](std::string_view name, std::string_view as = "") -> Result<> {
    GYRE_TRY(const trash::Item item, trash.Newest("default", "model", name));
    return trash.Restore(item, as);
  };
  ASSERT_TRUE(remove("churn:v1"));
  ASSERT_TRUE(put_back("churn:v1"));
  const ModelVersion back = *registry_->Resolve("default", "churn@champion");
  EXPECT_EQ(back.id, one.id);
  EXPECT_EQ(back.attachments.size(), 1u);
  EXPECT_EQ(back.datasets.size(), 2u);
  EXPECT_TRUE((*registry_->LatestVerdict(one.id, "champion")).has_value());
  EXPECT_EQ(Refs(), refs);

  ASSERT_TRUE(remove("churn:v1"));
  ASSERT_TRUE(Move(2, "x", true));
  ASSERT_TRUE(put_back("churn:v1"));
  EXPECT_EQ(registry_->Resolve("default", "churn@champion")->version, 2) << "moved meanwhile";

  ASSERT_TRUE(remove("churn"));
  EXPECT_EQ(Register('c').version, 3) << "another model of that name: its numbers go on";
  EXPECT_EQ(put_back("churn").error().gy(), "GY5003");
  ASSERT_TRUE(put_back("churn", "churn-old"));
  EXPECT_EQ(registry_->Resolve("default", "churn-old@champion")->version, 2);
  EXPECT_EQ(registry_->History("default", "churn-old", "", 10)->size(), 2u);
  EXPECT_EQ(registry_->Resolve("default", "churn")->version, 3);
  registry_.reset();
}

TEST_F(RegistryTest, ListsPageByName) {
  for (const char* name : {"b", "a", "c"}) {
    NewVersion version = Sample();
    version.model = name;
    ASSERT_TRUE(registry_->Register(version));
  }
  const auto first = registry_->ListModels("default", {.limit = 2, .after = {}});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[1].name, "b");
  EXPECT_EQ(registry_->ListModels("default", {.limit = 2, .after = "b"})->at(0).name, "c");
}

TEST_F(RegistryTest, CardIsMadeOfStoredFacts) {
  const ModelVersion version = Register();
  CardFacts facts;
  facts.version = version;
  facts.evaluation = *Json::Parse(
      R"({"primary":"auc","rows":1000,"intervals":{"method":"bootstrap.percentile","resamples":1000,"confidence":0.95},
    "metrics":{"auc":{"estimate":0.861,"lower":0.85,"upper":0.872}},"over_baseline":{"metrics":{"auc":{"gain":0.361,"lower":0.35,"upper":0.372}}},
    "slices":[{"column":"pl|an","value":"a*b","rows":60,"metric":"auc","estimate":0.7,"surely_worse":true}],"slices_examined":5,
    "importance":[{"column":"age","mean":0.1}],"warnings":["only few rows"],"curves":{"roc":{}}})");
  facts.problem = Json::Obj({{"statement", "keep customers"}});
  facts.goals = Json::Arr({Json::Obj({{"kpi", "auc >= 0.84"}, {"met", true}}),
                           Json::Obj({{"kpi", "cost <= 12"}, {"met", nullptr}})});
  facts.approvals = {{"i", version.id, "bob", "fine", true, 5'000'000}};
  const Json card = MakeCard(facts);
  EXPECT_TRUE(card["evaluation"]["curves"].is_null());
  const std::string text = CardMarkdown(card);
  for (const char* part :
       {"# churn:v1", "keep customers", "| auc | 0.861 (0.85 to 0.872) | 0.361 (0.35 to 0.372) |",
        "pl\\|an = a\\*b", "| age | 0.1 |", "only few rows", "approved by bob", "0.84: met",
        "12: not measured", version.package.digest.c_str()}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

// After a rollback the alias names what answers nobody: a run compares with what answers, and what
// it tried beside that may take the alias over.
TEST_F(RegistryTest, AVerdictMayCompareWithWhatAnswersInstead) {
  const ModelVersion first = Register('a'), second = Register('b'), third = Register('c');
  ASSERT_TRUE(Move(2, "they asked for it", true));
  Judged(third, true, first.id);
  const auto move = [&](std::string beside) {
    return registry_->MoveAlias({.project = "default",
                                 .model = "churn",
                                 .version = 3,
                                 .moved_by = "bob",
                                 .beside = std::move(beside)});
  };
  for (const char* const beside : {"", "churn:v2", "other:v1", "churn"}) {
    const auto refused = move(beside);
    ASSERT_FALSE(refused) << beside;
    EXPECT_EQ(refused.error().gy(), "GY3605");
  }
  EXPECT_TRUE(move("churn:v1"));
}

}  // namespace
}  // namespace gyre::registry
