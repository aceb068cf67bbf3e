#include "ml/eval_sets/eval_sets.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/testing/set_clock.h"

namespace gyre::eval_sets {
namespace {

class EvalSetsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-eval-sets-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {EvalSetsSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    sets_ = *OpenEvalSets(*database_, clock_);
  }
  void TearDown() override {
    sets_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  EvalSet Create(const std::string& name, std::vector<std::int64_t> experiments = {},
                 Texts tags = {}) {
    clock_.now_us += 1'000;
    EvalSet from{.id = "", .project = "default", .name = name};
    from.experiments = std::move(experiments);
    from.tags = std::move(tags);
    auto made = sets_->Create(std::move(from));
    EXPECT_TRUE(made) << made.error().ToString();
    return *made;
  }
  static EvalRecord Record(const std::string& inputs, const std::string& expectations = "null") {
    EvalRecord record;
    record.inputs = *Json::Parse(inputs);
    record.expectations = *Json::Parse(expectations);
    return record;
  }
  std::string Names(const std::string& filter, std::vector<std::int64_t> experiments = {},
                    std::vector<std::string> order = {}) {
    EvalSetSearch search{.project = "default", .experiments = std::move(experiments)};
    search.filter = *tracking::ParseFilter(filter, kEvalSetFields);
    search.order = *tracking::ParseOrder(order, kEvalSetFields);
    std::string names;
    for (const EvalSet& set : sets_->Search(search)->sets) names += set.name;
    return names;
  }

  std::string directory_;
  SetClock clock_{1'700'000'000'000'000};
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<EvalSets> sets_;
};

TEST_F(EvalSetsTest, SetsAreFound) {
  const EvalSet a = Create("a", {1}, {{"k", "x"}});
  Create("b", {1, 2});
  Create("c");
  EXPECT_EQ(Names(""), "cba");
  EXPECT_EQ(Names("", {1}), "ba");
  EXPECT_EQ(Names("", {2, 3}), "b");
  EXPECT_EQ(Names("tags.k = 'x'"), "a");
  EXPECT_EQ(Names("name IN ('a', 'c')"), "ca");
  EXPECT_EQ(Names("", {}, {"name ASC"}), "abc");
  EvalSetSearch search{.project = "default"};
  search.limit = 2;
  const auto first = sets_->Search(search);
  ASSERT_EQ(first->sets.size(), 2u);
  search.page_token = first->next_page_token;
  EXPECT_EQ(sets_->Search(search)->sets[0].name, "a");
  search.page_token = "x";
  EXPECT_EQ(sets_->Search(search).error().gy(), "GY3732");
  EXPECT_EQ(sets_->Get("shop", a.id).error().gy(), "GY3731");
  EXPECT_EQ(sets_->Create({.id = "", .project = "default", .name = " "}).error().gy(), "GY3730");
  ASSERT_TRUE(sets_->Remove("shop", a.id));
  ASSERT_TRUE(sets_->Get("default", a.id));
  ASSERT_TRUE(sets_->Remove("default", a.id));
  ASSERT_TRUE(sets_->Remove("default", a.id));
  EXPECT_EQ(Names(""), "cb");
}

TEST_F(EvalSetsTest, TagsAndExperimentsChange) {
  const EvalSet set = Create("a", {1}, {{"k", "x"}});
  ASSERT_TRUE(sets_->SetTags("default", set.id, {{"k", "y"}, {"l", "z"}}));
  ASSERT_TRUE(sets_->DeleteTag("default", set.id, "l"));
  ASSERT_TRUE(sets_->DeleteTag("default", set.id, "l"));
  const std::int64_t more[] = {1, 2};
  EXPECT_EQ(sets_->AddExperiments("default", set.id, more)->experiments.size(), 2u);
  const auto left = sets_->RemoveExperiments("default", set.id, std::span(more, 1));
  EXPECT_EQ(left->experiments, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(left->tags, (Texts{{"k", "y"}}));
}

TEST_F(EvalSetsTest, RecordsOfTheSameInputsAreOne) {
  const EvalSet set = Create("a");
  const auto first = sets_->PutRecords("default", set.id,
                                       {Record(R"({"q":"x","n":1})", R"({"a":"1"})"),
                                        Record(R"({"q":"y"})"), Record(R"({"n":1,"q":"x"})")},
                                       "ann");
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_EQ(first->inserted, 2);
  EXPECT_EQ(first->updated, 1);
  clock_.now_us += 5;
  const auto again =
      sets_->PutRecords("default", set.id, {Record(R"({"q":"x","n":1})", R"({"b":2})")}, "bob");
  EXPECT_EQ(again->updated, 1);
  const auto page = sets_->Records("default", set.id, 10, "");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->records.size(), 2u);
  for (const EvalRecord& record : page->records) {
    if (!record.inputs.Has("n")) continue;
    EXPECT_EQ(record.expectations.Dump(), R"({"a":"1","b":2})");
    EXPECT_EQ(record.created_by, "ann");
    EXPECT_EQ(record.updated_by, "bob");
  }
  const auto now = sets_->Get("default", set.id);
  EXPECT_EQ(now->record_count, 2);
  EXPECT_EQ(now->fields, R"({"inputs":{"q":"string","n":"integer"},"outputs":{},)"
                         R"("expectations":{"a":"string","b":"integer"},"version":"1.0"})");
  const std::string ids[] = {page->records[0].id, "x"};
  EXPECT_EQ(*sets_->RemoveRecords("default", set.id, ids), 1);
  EXPECT_EQ(sets_->Get("default", set.id)->record_count, 1);
}

TEST_F(EvalSetsTest, ManyRecordsComeAndGoInPieces) {
  const EvalSet set = Create("a");
  std::vector<EvalRecord> records;
  for (int i = 0; i < 1'201; ++i) records.push_back(Record(R"({"n":)" + std::to_string(i) + "}"));
  EXPECT_EQ(sets_->PutRecords("default", set.id, records, "")->inserted, 1'201);
  std::size_t seen = 0;
  std::string token;
  do {
    const auto page = sets_->Records("default", set.id, 500, token);
    ASSERT_TRUE(page);
    seen += page->records.size();
    token = page->next_page_token;
  } while (!token.empty());
  EXPECT_EQ(seen, 1'201u);
  EXPECT_EQ(sets_->Records("default", set.id, 5, "x").error().gy(), "GY3732");
  EvalRecord wrong = Record("{}");
  wrong.inputs = Json(5);
  EXPECT_EQ(sets_->PutRecords("default", set.id, {wrong}, "").error().gy(), "GY3733");
  EvalRecord large = Record("{}");
  large.outputs = Json(std::string(2 << 20, 'x'));
  EXPECT_EQ(sets_->PutRecords("default", set.id, {large}, "").error().gy(), "GY3733");
}

}  // namespace
}  // namespace gyre::eval_sets
