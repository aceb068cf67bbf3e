#include "ml/evaluation/evaluations.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/id.h"
#include "ledger/lineage/lineage.h"
#include "ml/evaluation/evaluate.h"
#include "ml/evaluation/models_for_tests.h"
#include "ml/registry/registry.h"
#include "ml/runners/testing/jobs_here.h"

namespace gyre::evaluation {
namespace {

class EvaluationsTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("evaluations-" + NewId());
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        registry::RegistrySchema(), EvaluationSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    blobs_ = *blob::OpenLocalStore((directory_ / "blobs").string());
    registry_.emplace(*database_, SystemClock());
    const auto find = [](std::string_view, std::string_view reference) -> Result<DatasetRows> {
      if (reference == "later") return DatasetRows{"dataset-later", "later:v1", {"/later.parquet"}};
      if (reference == "customers")
        return DatasetRows{"dataset-train", "customers:v1", {"/customers.parquet"}};
      return NotFound("GY2101", "there is no dataset `{}`", reference);
    };
    evaluations_ = *OpenEvaluations(*database_, *blobs_, *registry_, jobs_, find, SystemClock());
    jobs_.answer = [this](std::string_view, const Json& input, const std::string&) {
      return Answer(input);
    };
  }
  void TearDown() override {
    evaluations_.reset();
    registry_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  // What the task answers, computed on generated rows.
  Result<Json> Answer(const Json& input) {
    const table::Frame frame = ChurnFrame(400, 3);
    EvaluateOptions options;
    options.bootstrap.resamples = 100;
    options.slices = options.importance = false;
    GYRE_TRY(const auto scorer, Scorer(input["package"].AsString()));
    GYRE_TRY(const Evaluation evaluation, Evaluate(*scorer, frame, options));
    Json answer = Json::Obj({{"evaluation", evaluation.ToJson()},
                             {"numbers", MakeGateNumbers(evaluation, nullptr, {}).ToJson()}});
    if (!input.Has("champion")) return answer;
    GYRE_TRY(const auto champion, Scorer(input["champion"].AsString()));
    GYRE_TRY(const Comparison comparison, Compare(*scorer, *champion, frame, options));
    answer.Set("comparison", comparison.ToJson());
    answer.Set(
        "numbers",
        MakeGateNumbers(evaluation, &comparison, input["champion_name"].AsString()).ToJson());
    return answer;
  }
  Result<std::shared_ptr<const predictors::Scorer>> Scorer(const std::string& path) {
    for (const auto& [digest, weight] : weights_) {
      if (path.find(digest.substr(2)) != std::string::npos)
        return ChurnScorer(ChurnFrame(100, 1), weight);
    }
    return NotFound("GY1501", "no package at {}", path);
  }
  registry::ModelVersion Register(double weight) {
    registry::NewVersion version;
    version.project = "default";
    version.model = "churn";
    version.package = *blobs_->Put(ChurnPackage(ChurnFrame(100, 1), weight).Save());
    version.datasets = {{"dataset-train", "train"}};
    version.task = "binary";
    version.target = "Churn";
    version.attachments = {{"holdout", *blobs_->Put("held out rows")}};
    version.created_by = "ann";
    weights_[version.package.digest] = weight;
    return *registry_->Register(std::move(version));
  }
  Result<runners::Job> Submit(std::string model, std::string dataset, std::string against = {}) {
    EvaluateRequest request;
    request.project = "default";
    request.model = std::move(model);
    request.dataset = std::move(dataset);
    request.against = std::move(against);
    request.created_by = "bob";
    return evaluations_->Submit(std::move(request));
  }

  std::filesystem::path directory_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  std::optional<registry::Registry> registry_;
  runners::JobsHere jobs_;
  std::unique_ptr<Evaluations> evaluations_;
  std::map<std::string, double> weights_;
};

TEST_F(EvaluationsTest, AnEvaluationIsKeptWithItsLineageAndVerdict) {
  const auto version = Register(3);
  const auto job = Submit("churn:v1", "later");
  ASSERT_TRUE(job) << job.error().ToString();
  EXPECT_TRUE(job->result["verdict"]["pass"].AsBool());
  EXPECT_EQ(job->result["rows_used"].AsString(), "all");
  const auto stored = evaluations_->Get(job->result["evaluation"].AsString());
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->dataset_version_id, "dataset-later");
  EXPECT_EQ(stored->created_by, "bob");
  EXPECT_EQ((*evaluations_->Document(*stored))["evaluation"]["metrics"], stored->metrics);
  EXPECT_EQ(evaluations_->List("default", version.id, 10)->size(), 1u);
  EXPECT_TRUE(evaluations_->List("other", "", 10)->empty());
  const auto graph = lineage::Lineage(*database_).Walk(stored->id, lineage::Direction::kUp);
  ASSERT_TRUE(graph);
  EXPECT_EQ(graph->nodes.size(), 4u)
      << "the evaluation, its model and data, and what the model was trained on";
  // The verdict lets the alias move.
  EXPECT_TRUE(registry_->MoveAlias(
      {.project = "default", .model = "churn", .version = 1, .reason = {}, .moved_by = "bob"}));
}

TEST_F(EvaluationsTest, RowsThatTrainedItAreReplacedByHeldOutOnes) {
  Register(3);
  ASSERT_TRUE(Submit("churn:v1", "customers"));
  EXPECT_NE(jobs_.last_input["parts"].items()[0].AsString(), "/customers.parquet");
  const auto without_data = Submit("churn:v1", "");
  ASSERT_TRUE(without_data);
  EXPECT_EQ(without_data->result["rows_used"].AsString(), "held out");
}

TEST_F(EvaluationsTest, TheVerdictIsAgainstWhoHoldsTheAlias) {
  const auto good = Register(3);
  ASSERT_TRUE(Submit("churn:v1", "later"));
  ASSERT_TRUE(registry_->MoveAlias(
      {.project = "default", .model = "churn", .version = 1, .reason = {}, .moved_by = "bob"}));
  const auto bad = Register(-3);
  const auto job = Submit("churn:v2", "later");
  ASSERT_TRUE(job) << job.error().ToString();
  EXPECT_EQ(job->result["against"].AsString(), "churn:v1");
  EXPECT_FALSE(job->result["verdict"]["pass"].AsBool());
  EXPECT_EQ((*registry_->LatestVerdict(bad.id, "champion"))->champion_id, good.id);
  EXPECT_EQ(registry_
                ->MoveAlias({.project = "default",
                             .model = "churn",
                             .version = 2,
                             .reason = {},
                             .moved_by = "bob"})
                .error()
                .gy(),
            "GY3605");
}

TEST_F(EvaluationsTest, RulesComeFromTheRequestThePolicyOrTheDefault) {
  Register(3);
  const Json strict = *Json::Parse(R"([{"metric":"auc","op":">=","value":0.9999}])");
  ASSERT_TRUE(registry_->SetPolicy(
      "default", "churn", "champion",
      {.approvals_min = 0, .author_may_approve = true, .rules = strict}, "root"));
  EXPECT_FALSE(Submit("churn:v1", "later")->result["verdict"]["pass"].AsBool());
  EvaluateRequest request;
  request.project = "default";
  request.model = "churn:v1";
  request.dataset = "later";
  request.rules = *Json::Parse(R"([{"kpi":"cost per saved customer <= 12"}])");
  request.facts = Json::Obj({{"cost per saved customer", 11}});
  EXPECT_TRUE(evaluations_->Submit(request)->result["verdict"]["pass"].AsBool());
}

TEST_F(EvaluationsTest, RulesAndFactsOfARequestMoveNoAlias) {
  const auto version = Register(3);
  const registry::Registry::MoveRequest move{
      .project = "default", .model = "churn", .version = 1, .reason = {}, .moved_by = "bob"};
  EvaluateRequest request;
  request.project = "default";
  request.model = "churn:v1";
  request.dataset = "later";
  request.rules = Json::Arr();
  const auto lenient = evaluations_->Submit(request);
  ASSERT_TRUE(lenient) << lenient.error().ToString();
  EXPECT_TRUE(lenient->result["verdict"]["pass"].AsBool());
  EXPECT_FALSE(lenient->result["verdict_recorded"].AsBool());
  EXPECT_FALSE(*registry_->LatestVerdict(version.id, "champion"));
  EXPECT_EQ(registry_->MoveAlias(move).error().gy(), "GY3605");

  const Json by_fact = *Json::Parse(R"([{"kpi":"cost per saved customer <= 12"}])");
  ASSERT_TRUE(registry_->SetPolicy(
      "default", "churn", "champion",
      {.approvals_min = 0, .author_may_approve = true, .rules = by_fact}, "root"));
  request.rules = Json();
  request.facts = Json::Obj({{"cost per saved customer", 11}});
  const auto claimed = evaluations_->Submit(request);
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->result["verdict"]["pass"].AsBool());
  EXPECT_EQ(registry_->MoveAlias(move).error().gy(), "GY3605");
}

TEST_F(EvaluationsTest, ANewPolicyAsksForANewVerdict) {
  Register(3);
  const registry::Registry::MoveRequest move{
      .project = "default", .model = "churn", .version = 1, .reason = {}, .moved_by = "bob"};
  ASSERT_TRUE(Submit("churn:v1", "later"));
  const Json rules = *Json::Parse(R"([{"metric":"auc","op":">=","value":0.5}])");
  ASSERT_TRUE(registry_->SetPolicy("default", "churn", "champion",
                                   {.approvals_min = 0, .author_may_approve = true, .rules = rules},
                                   "root"));
  EXPECT_EQ(registry_->MoveAlias(move).error().gy(), "GY3605");
  ASSERT_TRUE(Submit("churn:v1", "later"));
  EXPECT_TRUE(registry_->MoveAlias(move));
}

TEST_F(EvaluationsTest, WhatIsWrongIsSaidBeforeAnythingRuns) {
  Register(3);
  jobs_.answer = [](std::string_view, const Json&, const std::string&) -> Result<Json> {
    return Internal("GY1000", "nothing may run");
  };
  EXPECT_EQ(Submit("nobody", "later").error().gy(), "GY3602");
  EXPECT_EQ(Submit("churn:v1", "nowhere").error().gy(), "GY2101");
  EXPECT_EQ(Submit("churn:v1", "later", "churn:v9").error().gy(), "GY3603");
  EvaluateRequest request;
  request.project = "default";
  request.model = "churn:v1";
  request.dataset = "later";
  request.options = Json::Obj({{"resamples", 1}});
  EXPECT_EQ(evaluations_->Submit(request).error().gy(), "GY3705");
  request.options = Json::Obj({{"speed", 1}});
  EXPECT_EQ(evaluations_->Submit(request).error().gy(), "GY3705");
  EXPECT_EQ(evaluations_->Get("none").error().gy(), "GY3706");
  EXPECT_TRUE(evaluations_->List("default", "", 10)->empty());
}

}  // namespace
}  // namespace gyre::evaluation
