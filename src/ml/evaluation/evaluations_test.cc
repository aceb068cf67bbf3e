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
    const auto find = [](std::string_view reference) -> Result<DatasetRows> {
      if (reference == "later" || reference == "dataset-later")
        return DatasetRows{"dataset-later", "later:v1", {"/later.parquet"}};
      if (reference == "customers" || reference == "dataset-train")
        return DatasetRows{"dataset-train", "customers:v1", {"/customers.parquet"}};
      return NotFound("GY2101", "there is no dataset `{}`", reference);
    };
    evaluations_ = *OpenEvaluations(
        *database_, *blobs_, *registry_, jobs_,
        {.by_reference = [find](std::string_view, std::string_view name) { return find(name); },
         .by_id = find},
        SystemClock());
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
    options.primary_metric = input["primary"].AsString();
    GYRE_TRY(const auto scorer, Scorer(input["package"].AsString()));
    GYRE_TRY(const Evaluation evaluation, Evaluate(*scorer, frame, options));
    Json answer = Json::Obj({{"evaluation", evaluation.ToJson()},
                             {"numbers", MakeGateNumbers(evaluation, nullptr, {}).ToJson()},
                             {"learned", Json::Obj({{"churn:v1", learned_}})},
                             {"rows_read", 400}});
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
  void SetPolicy(const registry::AliasPolicy& policy) {
    ASSERT_TRUE(registry_->SetPolicy("default", "churn", "champion", policy, "root"));
  }
  Result<registry::AliasMove> Promote(int version) {
    return registry_->MoveAlias({.project = "default",
                                 .model = "churn",
                                 .version = version,
                                 .reason = {},
                                 .moved_by = "bob"});
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
  int learned_ = 0;  // rows of the 400 that the worker finds to have taught churn:v1
};

TEST_F(EvaluationsTest, AnEvaluationIsKeptWithItsLineageAndVerdict) {
  const auto version = Register(3);
  SetPolicy({.rules = {}, .metric = {}, .dataset = "later"});
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
  EXPECT_TRUE(Promote(1));
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
  ASSERT_TRUE(Submit("churn:v1", ""));
  ASSERT_TRUE(Promote(1));
  const auto bad = Register(-3);
  const auto job = Submit("churn:v2", "");
  ASSERT_TRUE(job) << job.error().ToString();
  EXPECT_EQ(job->result["against"].AsString(), "churn:v1");
  EXPECT_FALSE(job->result["verdict"]["pass"].AsBool());
  EXPECT_EQ((*registry_->LatestVerdict(bad.id, "champion"))->champion_id, good.id);
  EXPECT_EQ(Promote(2).error().gy(), "GY3605");
}

TEST_F(EvaluationsTest, OnlyTheTermsOfThePolicyMoveAnAlias) {
  const auto version = Register(3);
  EvaluateRequest own;
  own.project = "default";
  own.model = "churn:v1";
  const auto trial = [&](const EvaluateRequest& request, std::string_view term) {
    const auto job = evaluations_->Submit(request);
    ASSERT_TRUE(job) << job.error().ToString();
    EXPECT_TRUE(job->result["verdict"]["pass"].AsBool());
    EXPECT_FALSE(job->result["verdict_recorded"].AsBool());
    ASSERT_EQ(job->result["trial"].size(), 1U);
    EXPECT_EQ(job->result["trial"].items()[0].AsString(), term);
    EXPECT_FALSE(*registry_->LatestVerdict(version.id, "champion"));
  };
  EvaluateRequest request = own;
  request.primary = "accuracy";
  trial(request, "accuracy, not auc");
  request = own;
  request.options = Json::Obj({{"confidence", 0.5}});
  trial(request, "a bootstrap of its own");
  request = own;
  request.dataset = "later";
  trial(request, "other rows than those that training held out");
  EXPECT_EQ(Promote(1).error().gy(), "GY3605");
  request = own;
  request.primary = "roc_auc";
  request.options = Json::Obj({{"slices", false}});
  EXPECT_TRUE(evaluations_->Submit(request)->result["verdict_recorded"].AsBool())
      << "the policy's metric by its other name, and less to show";
  EXPECT_TRUE(Promote(1));
}

// What a version was let in by is what its card shows, whatever people ask afterwards.
TEST_F(EvaluationsTest, AQuestionAndAHolderKeepTheGateOfRecord) {
  const auto good = Register(3), bad = Register(-3);
  EvaluateRequest question;
  question.project = "default";
  question.model = "churn:v1";
  question.against = "churn:v2";
  question.counts = false;
  const auto asked = evaluations_->Submit(question);
  ASSERT_TRUE(asked) << asked.error().ToString();
  EXPECT_EQ(asked->result["trial"].items()[0].AsString(), "a comparison, not the gate");
  EXPECT_FALSE(*registry_->LatestVerdict(good.id, "champion"));
  ASSERT_TRUE(Submit("churn:v1", ""));
  ASSERT_TRUE(Promote(1));
  const std::string gate = (*registry_->LatestVerdict(good.id, "champion"))->evaluation_id;
  const auto again = Submit("churn:v1", "");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->result["trial"].items()[0].AsString(), "it is @champion already");
  EXPECT_EQ((*registry_->LatestVerdict(good.id, "champion"))->evaluation_id, gate);
}

TEST_F(EvaluationsTest, APolicyNamesItsMetricAndItsRows) {
  Register(3);
  SetPolicy({.rules = {}, .metric = "f1", .dataset = "later"});
  const auto job = Submit("churn:v1", "");
  ASSERT_TRUE(job) << job.error().ToString();
  EXPECT_EQ(job->result["dataset"].AsString(), "later:v1");
  EXPECT_EQ(job->result["primary"].AsString(), "f1");
  EXPECT_TRUE(job->result["verdict_recorded"].AsBool());
  EXPECT_EQ(jobs_.last_input["lessons"].items()[0]["parts"].items()[0].AsString(),
            "/customers.parquet");
  EXPECT_TRUE(Promote(1));
  EXPECT_FALSE(Submit("churn:v1", "customers")->result["verdict_recorded"].AsBool())
      << "its held-out rows are not those of the policy";
}

TEST_F(EvaluationsTest, RowsThatTaughtItPassNoGate) {
  Register(3);
  SetPolicy({.rules = {}, .metric = {}, .dataset = "later"});
  learned_ = 40;
  EXPECT_TRUE(Submit("churn:v1", "")->result["verdict"]["pass"].AsBool()) << "a tenth";
  learned_ = 41;
  EXPECT_FALSE(Submit("churn:v1", "")->result["verdict"]["pass"].AsBool());
  EXPECT_EQ(Promote(1).error().gy(), "GY3605");
}

TEST_F(EvaluationsTest, RulesComeFromTheRequestThePolicyOrTheDefault) {
  Register(3);
  const Json strict = *Json::Parse(R"([{"metric":"auc","op":">=","value":0.9999}])");
  SetPolicy({.rules = strict, .metric = {}, .dataset = {}});
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
  EXPECT_EQ(Promote(1).error().gy(), "GY3605");

  const Json by_fact = *Json::Parse(R"([{"kpi":"cost per saved customer <= 12"}])");
  SetPolicy({.rules = by_fact, .metric = {}, .dataset = {}});
  request.rules = Json();
  request.facts = Json::Obj({{"cost per saved customer", 11}});
  const auto claimed = evaluations_->Submit(request);
  ASSERT_TRUE(claimed);
  EXPECT_TRUE(claimed->result["verdict"]["pass"].AsBool());
  EXPECT_EQ(Promote(1).error().gy(), "GY3605");
}

TEST_F(EvaluationsTest, ANewPolicyAsksForANewVerdict) {
  Register(3);
  ASSERT_TRUE(Submit("churn:v1", ""));
  const Json rules = *Json::Parse(R"([{"metric":"auc","op":">=","value":0.5}])");
  SetPolicy({.rules = rules, .metric = {}, .dataset = {}});
  EXPECT_EQ(Promote(1).error().gy(), "GY3605");
  ASSERT_TRUE(Submit("churn:v1", ""));
  EXPECT_TRUE(Promote(1));
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
