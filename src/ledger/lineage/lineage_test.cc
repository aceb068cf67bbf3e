#include "ledger/lineage/lineage.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"

namespace gyre::lineage {
namespace {

class LineageTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_lineage_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schema = LineageSchema();
    ASSERT_TRUE(database_->Migrate(std::span(&schema, 1)));
    lineage_ = std::make_unique<Lineage>(*database_);
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Add(const std::vector<Node>& nodes, const std::vector<Edge>& edges) {
    const auto written = database_->Write([&](db::Transaction& tx) -> Result<> {
      for (const Node& node : nodes) GYRE_DO(AddNode(tx, node));
      for (const Edge& edge : edges) GYRE_DO(AddEdge(tx, edge.from, edge.to, edge.role));
      return {};
    });
    ASSERT_TRUE(written) << written.error().ToString();
  }
  // data -> run -> model -> endpoint; data -> batch; recipe -> run
  void AddRoad() {
    Add({{"data00001", "dataset_version", "churn:v1", "p", 1},
         {"recipe001", "recipe", "churn-recipe", "p", 2},
         {"run000001", "run", "run 1", "p", 3},
         {"model0001", "model_version", "churn:v1", "p", 4},
         {"endpoint1", "endpoint", "churn", "p", 5},
         {"batch0001", "batch", "scores", "p", 6}},
        {{"data00001", "run000001", "trained_on"},
         {"recipe001", "run000001", "prepared_by"},
         {"run000001", "model0001", "produced"},
         {"model0001", "endpoint1", "serves"},
         {"data00001", "batch0001", "scored"},
         {"model0001", "batch0001", "scored"}});
  }
  static std::string Summary(const Graph& graph) {
    std::string text;
    for (const Node& node : graph.nodes) text += fmt::format("{}@{} ", node.id, node.depth);
    return text + fmt::format("{} edges", graph.edges.size());
  }

  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Lineage> lineage_;
};

TEST_F(LineageTest, WalksBothWaysFromAnywhere) {
  AddRoad();
  EXPECT_EQ(Summary(*lineage_->Walk("endpoint1", Direction::kUp)),
            "endpoint1@0 model0001@1 run000001@2 data00001@3 recipe001@3 4 edges");
  EXPECT_EQ(Summary(*lineage_->Walk("data00001", Direction::kDown)),
            "data00001@0 batch0001@1 run000001@1 model0001@2 endpoint1@3 5 edges");
  EXPECT_EQ(Summary(*lineage_->Walk("run000001", Direction::kBoth, 1)),
            "run000001@0 data00001@1 recipe001@1 model0001@1 3 edges");
  EXPECT_EQ(Summary(*lineage_->Walk("batch0001", Direction::kDown)), "batch0001@0 0 edges");
  const Graph graph = *lineage_->Walk("endpoint1", Direction::kUp);
  EXPECT_EQ(graph.nodes.back().label, "churn-recipe");
  EXPECT_EQ(graph.nodes.back().kind, "recipe");
  EXPECT_FALSE(graph.truncated);
}

TEST_F(LineageTest, SaysWhenThereIsMore) {
  AddRoad();
  EXPECT_TRUE(lineage_->Walk("endpoint1", Direction::kUp, 2)->truncated);
  EXPECT_EQ(lineage_->Walk("endpoint1", Direction::kUp, 2)->nodes.size(), 3u);
  EXPECT_TRUE(lineage_->Walk("endpoint1", Direction::kUp, 100, 2)->truncated);
  EXPECT_FALSE(lineage_->Walk("endpoint1", Direction::kUp, 3)->truncated);
}

TEST_F(LineageTest, StaysInItsProject) {
  Add({{"commit001", "push", "push to main", "alpha", 1},
       {"run-alpha", "pipeline_run", "nightly", "alpha", 2},
       {"run-beta1", "pipeline_run", "nightly", "beta", 3}},
      {{"commit001", "run-alpha", "triggered"}, {"commit001", "run-beta1", "triggered"}});
  EXPECT_EQ(Summary(*lineage_->Walk("commit001", Direction::kDown)),
            "commit001@0 run-alpha@1 1 edges");
  EXPECT_EQ(Summary(*lineage_->Walk("run-beta1", Direction::kBoth)), "run-beta1@0 0 edges");
}

TEST_F(LineageTest, ACycleEnds) {
  Add({{"a", "x", "a", "p", 1}, {"b", "x", "b", "p", 1}}, {{"a", "b", "r"}, {"b", "a", "r"}});
  EXPECT_EQ(Summary(*lineage_->Walk("a", Direction::kDown)), "a@0 b@1 2 edges");
}

TEST_F(LineageTest, FindsByIdBeginningAndLabel) {
  AddRoad();
  EXPECT_EQ(lineage_->Find("p", "run000001")->node.id, "run000001");
  EXPECT_EQ(lineage_->Find("p", "endpoi")->node.id, "endpoint1");
  EXPECT_EQ(lineage_->Find("", "scores")->node.id, "batch0001");
  EXPECT_EQ(lineage_->Find("p", "endpo").error().gy(), "GY4111");
  EXPECT_EQ(lineage_->Find("other", "run000001").error().gy(), "GY4111");
  EXPECT_TRUE(lineage_->Find("p", "scores")->others.empty());
  EXPECT_EQ(lineage_->Walk("nothing", Direction::kUp).error().code(), Code::kNotFound);
}

TEST_F(LineageTest, SaysWhatElseHasTheLabel) {
  AddRoad();
  // A dataset and a model of one name: the model, which leads to both.
  const Found found = *lineage_->Find("p", "churn:v1");
  EXPECT_EQ(found.node.id, "model0001");
  ASSERT_EQ(found.others.size(), 1u);
  EXPECT_EQ(NameWithKind(found.node), "model:churn:v1");
  EXPECT_EQ(NameWithKind(found.others[0]), "dataset:churn:v1");
  for (const auto& [name, id] :
       {std::pair("dataset:churn:v1", "data00001"), std::pair("model:churn:v1", "model0001"),
        std::pair("run:run 1", "run000001"), std::pair("endpoint:endpoint1", "endpoint1")}) {
    const auto named = lineage_->Find("p", name);
    ASSERT_TRUE(named) << named.error().ToString();
    EXPECT_EQ(named->node.id, id);
    EXPECT_TRUE(named->others.empty());
  }
  EXPECT_EQ(lineage_->Find("p", "run:churn:v1").error().gy(), "GY4111");
  Add({{"run000002", "run", "run 1", "p", 7}}, {});
  EXPECT_EQ(lineage_->Find("p", "run 1").error().gy(), "GY4112");
}

TEST_F(LineageTest, EnsuringANodeLeavesTheLabelThatItHas) {
  Add({{"data00001", "dataset_version", "sales:v1", "p", 1}}, {});
  ASSERT_TRUE(database_->Write([](db::Transaction& tx) -> Result<> {
    GYRE_DO(EnsureNode(tx, {"data00001", "dataset_version", "data0000", "p", 2}));
    return EnsureNode(tx, {"data00002", "dataset_version", "data0000", "p", 2});
  }));
  EXPECT_EQ(lineage_->Find("p", "sales:v1")->node.id, "data00001");
  EXPECT_EQ(lineage_->Find("p", "data0000")->node.id, "data00002");
}

TEST_F(LineageTest, AnEdgeNeedsItsNodesAndCountsOnce) {
  AddRoad();
  const auto orphan =
      database_->Write([](db::Transaction& tx) { return AddEdge(tx, "data00001", "nobody", "r"); });
  EXPECT_EQ(orphan.error().gy(), "GY1403");
  Add({{"data00001", "dataset_version", "churn:v1 renamed", "p", 9}},
      {{"data00001", "run000001", "trained_on"}});
  EXPECT_EQ(lineage_->Walk("run000001", Direction::kUp)->edges.size(), 2u);
  EXPECT_EQ(lineage_->Find("p", "data00001")->node.label, "churn:v1 renamed");
  EXPECT_EQ(lineage_->Find("p", "data00001")->node.created_us, 1);
}

}  // namespace
}  // namespace gyre::lineage
