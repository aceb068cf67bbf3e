#include <gtest/gtest.h>

#include "api/mlflow/eval_sets_api.h"
#include "api/mlflow/scorers_api.h"
#include "api/mlflow/testing/mlflow_house.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/tracking.h"
#include "platform/blob/blob_store.h"

namespace gyre::mlflow {
namespace {

class EvalSetsRoutesTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), usage::UsageSchema(),
                  trash::TrashSchema(), tracking::TrackingSchema(), eval_sets::EvalSetsSchema()});
    experiments_ = *tracking::OpenExperiments(*database_, clock_, stamps_);
    sets_ = *eval_sets::OpenEvalSets(*database_, clock_);
    api_ = std::make_unique<EvalSetsApi>(*projects_, *experiments_, *sets_);
    scorers_ = std::make_unique<eval_sets::Scorers>(*database_, clock_);
    scorers_api_ = std::make_unique<ScorersApi>(*projects_, *experiments_, *scorers_);
    const net::RouteTable tables[] = {api_->table(), scorers_api_->table()};
    StartServer(tables);
  }
  Json Ask(const std::string& method, const std::string& path, const std::string& body = "",
           int status = 200, const std::string& project = "",
           const std::string& noun = "/datasets") {
    const auto answer = Send(method, project + "/api/3.0/mlflow" + noun + path, body);
    EXPECT_EQ(answer.status, status) << path << " " << body << " " << answer.body;
    return Json::Parse(answer.body).value_or(Json());
  }

  tracking::RunStamps stamps_;
  std::unique_ptr<tracking::Experiments> experiments_;
  std::unique_ptr<eval_sets::EvalSets> sets_;
  std::unique_ptr<EvalSetsApi> api_;
  std::unique_ptr<eval_sets::Scorers> scorers_;
  std::unique_ptr<ScorersApi> scorers_api_;
};

TEST_F(EvalSetsRoutesTest, ASetLives) {
  const Json made =
      Ask("POST", "/create",
          R"({"name":"s","experiment_ids":["0"],"tags":"{\"k\": \"v\"}"})")["dataset"];
  EXPECT_EQ(made["tags"].AsString(), R"({"k":"v"})");
  EXPECT_EQ(made["experiment_ids"].Dump(), R"(["0"])");
  EXPECT_EQ(made["created_by"].AsString(), "ann");
  const std::string path = "/" + made["dataset_id"].AsString();
  EXPECT_EQ(Ask("POST", path + "/records",
                R"({"records":"[{\"inputs\":{\"q\":\"x\"},\"expectations\":{\"a\":1}},)"
                R"({\"inputs\":{\"q\":\"y\"},\"source\":{\"source_type\":\"TRACE\",)"
                R"(\"source_data\":{\"trace_id\":\"tr-1\"}}}]"})")
                .Dump(),
            R"({"inserted_count":2,"updated_count":0})");
  const Json page = Ask("GET", path + "/records?max_results=1");
  EXPECT_TRUE(page.Has("next_page_token"));
  const Json all = *Json::Parse(Ask("GET", path + "/records")["records"].AsString());
  ASSERT_EQ(all.size(), 2u);
  const Json& traced = all.items()[all.items()[0].Has("source") ? 0 : 1];
  EXPECT_EQ(traced["source_id"].AsString(), "tr-1");
  EXPECT_EQ(Ask("GET", path)["dataset"]["profile"].AsString(), R"({"num_records": 2})");
  EXPECT_EQ(Ask("DELETE", path + "/records",
                R"({"dataset_record_ids":[")" + traced["dataset_record_id"].AsString() + R"("]})")
                .Dump(),
            R"({"deleted_count":1})");
  Ask("PATCH", path + "/tags", R"({"tags":"{\"l\": \"w\"}"})");
  Ask("DELETE", path + "/tags/k");
  EXPECT_EQ(Ask("GET", path)["dataset"]["tags"].AsString(), R"({"l":"w"})");
  EXPECT_EQ(Ask("POST", "/search",
                R"({"experiment_ids":["0"],"filter_string":"tags.l = 'w'"})")["datasets"]
                .size(),
            1u);
  Ask("POST", path + "/remove-experiments", R"({"experiment_ids":["0"]})");
  EXPECT_EQ(Ask("GET", path + "/experiment-ids").Dump(), R"({"experiment_ids":[]})");
  Ask("POST", path + "/add-experiments", R"({"experiment_ids":["99"]})", 404);
  Ask("GET", path, "", 404, "/p/blue");
  Ask("DELETE", path);
  EXPECT_EQ(Ask("GET", path, "", 404)["message"].AsString(),
            "Evaluation dataset with id '" + path.substr(1) + "' not found");
}

TEST_F(EvalSetsRoutesTest, MistakesAreTheCallers) {
  for (const std::string body :
       {"{}", R"({"name":" "})", R"({"name":"a","tags":"{"})", R"({"name":"a","tags":"[]"})"})
    Ask("POST", "/create", body, 400);
  Ask("POST", "/search", R"({"max_results":0})", 400);
  Ask("POST", "/search", R"({"filter_string":"foo = 'x'"})", 400);
  const std::string path =
      "/" + Ask("POST", "/create", R"({"name":"a"})")["dataset"]["dataset_id"].AsString();
  for (const std::string records : {"{}", "[5]", "[{\\\"inputs\\\":5}]", "x",
                                    "[{\\\"source\\\":{\\\"source_type\\\":\\\"MOON\\\"}}]"})
    Ask("POST", path + "/records", R"({"records":")" + records + R"("})", 400);
  Ask("POST", "/d-nothing/records", R"({"records":"[]"})", 404);
}

TEST_F(EvalSetsRoutesTest, ScorersHaveVersions) {
  const auto ask = [&](const std::string& method, const std::string& path,
                       const std::string& body = "", int status = 200) {
    return Ask(method, path, body, status, "", "/scorers");
  };
  const std::string good =
      R"({"experiment_id":"0","name":"good","serialized_scorer":"{\"a\": 1}"})";
  EXPECT_EQ(ask("POST", "/register", good)["version"].AsInt(), 1);
  EXPECT_EQ(ask("POST", "/register", good)["version"].AsInt(), 2);
  EXPECT_EQ(ask("GET", "/list?experiment_id=0")["scorers"].items()[0]["scorer_version"].AsInt(), 2);
  EXPECT_EQ(ask("GET", "/versions?experiment_id=0&name=good")["scorers"].size(), 2u);
  EXPECT_EQ(ask("GET", "/get?experiment_id=0&name=good&version=1")["scorer"]["serialized_scorer"]
                .AsString(),
            R"({"a": 1})");
  EXPECT_EQ(ask("GET", "/get?experiment_id=0&name=good&version=9", "", 404)["message"].AsString(),
            "Scorer with name 'good' and version 9 not found for experiment 0.");
  ask("DELETE", "/delete", R"({"experiment_id":"0","name":"good"})");
  ask("DELETE", "/delete", R"({"experiment_id":"0","name":"good"})", 404);
  ask("POST", "/register", R"({"experiment_id":"0","name":"x","serialized_scorer":"no"})", 400);
  ask("POST", "/register", R"({"experiment_id":"99","name":"x","serialized_scorer":"{}"})", 404);
}

}  // namespace
}  // namespace gyre::mlflow
