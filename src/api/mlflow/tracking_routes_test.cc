#include <gtest/gtest.h>

#include "api/mlflow/experiments_api.h"
#include "api/mlflow/metrics_api.h"
#include "api/mlflow/run_words.h"
#include "api/mlflow/runs_api.h"
#include "api/mlflow/sampled_rows.h"
#include "api/mlflow/testing/mlflow_house.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/trash_kind.h"
#include "platform/blob/blob_store.h"

namespace gyre::mlflow {
namespace {

class TrackingRoutesTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), usage::UsageSchema(),
                  trash::TrashSchema(), tracking::TrackingSchema()});
    clock_.now_us = 1'700'000'000'000'000;
    experiments_ = *tracking::OpenExperiments(*database_, clock_, stamps_);
    tracking_ = *tracking::OpenTracking(*database_, clock_, stamps_);
    pages_ = std::make_unique<RunPages>(*tracking_, stamps_);
    experiments_api_ = std::make_unique<ExperimentsApi>(*projects_, *experiments_);
    runs_api_ = std::make_unique<RunsApi>(*projects_, *tracking_, *pages_);
    metrics_api_ = std::make_unique<MetricsApi>(*projects_, *tracking_);
    const net::RouteTable tables[] = {experiments_api_->table(), runs_api_->table(),
                                      metrics_api_->table()};
    StartServer(tables);
  }
  Json Post(const std::string& path, const std::string& body, int status = 200,
            const std::string& project = "") {
    const auto answer = Send("POST", project + "/api/2.0/mlflow" + path, body);
    EXPECT_EQ(answer.status, status) << path << " " << body << " " << answer.body;
    return Json::Parse(answer.body).value_or(Json());
  }
  Json Get(const std::string& path, int status = 200, const std::string& project = "") {
    const auto answer = Send("GET", project + "/api/2.0/mlflow" + path);
    EXPECT_EQ(answer.status, status) << path << " " << answer.body;
    return Json::Parse(answer.body).value_or(Json());
  }
  std::string NewRun(const std::string& more = "") {
    return Post("/runs/create",
                R"({"experiment_id":"0","start_time":5)" + more + "}")["run"]["info"]["run_id"]
        .AsString();
  }

  tracking::RunStamps stamps_;
  std::unique_ptr<tracking::Experiments> experiments_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<RunPages> pages_;
  std::unique_ptr<ExperimentsApi> experiments_api_;
  std::unique_ptr<RunsApi> runs_api_;
  std::unique_ptr<MetricsApi> metrics_api_;
};

TEST_F(TrackingRoutesTest, AnExperimentLives) {
  EXPECT_EQ(Get("/experiments/get-by-name?experiment_name=churn", 404)["message"].AsString(),
            "Could not find experiment with name 'churn'");
  const Json made =
      Post("/experiments/create", R"({"name":"churn","tags":[{"key":"team","value":"blue"}]})");
  EXPECT_EQ(made.Dump(), R"({"experiment_id":"1"})");
  EXPECT_EQ(
      Get("/experiments/get?experiment_id=1")["experiment"].Dump(),
      R"({"experiment_id":"1","name":"churn","artifact_location":"mlflow-artifacts:/1",)"
      R"("lifecycle_stage":"active","last_update_time":1700000000000,)"
      R"("creation_time":1700000000000,"workspace":"default","tags":[{"key":"team","value":"blue"}]})");
  EXPECT_EQ(Post("/experiments/create", R"({"name":"churn"})", 400)["error_code"].AsString(),
            "RESOURCE_ALREADY_EXISTS");
  EXPECT_EQ(Get("/experiments/get?experiment_id=0")["experiment"]["name"].AsString(), "Default");
  EXPECT_EQ(Get("/experiments/get?experiment_id=99", 404)["message"].AsString(),
            "No Experiment with id=99 exists");
  EXPECT_EQ(Get("/experiments/get?experiment_id=1", 404, "/p/blue")["error_code"].AsString(),
            "RESOURCE_DOES_NOT_EXIST");
  Post("/experiments/delete", R"({"experiment_id":"1"})");
  EXPECT_EQ(Post("/runs/create", R"({"experiment_id":1})", 400)["message"].AsString(),
            "The experiment 1 must be in the 'active' state. Current state is deleted.");
  Post("/experiments/restore", R"({"experiment_id":"1"})");
  Post("/experiments/update", R"({"experiment_id":"1","new_name":"/team/churn"})");
  EXPECT_EQ(
      Get("/experiments/get-by-name?experiment_name=%2Fteam%2Fchurn")["experiment"]["experiment_id"]
          .AsString(),
      "1");
  const Json found =
      Post("/experiments/search", R"({"max_results":5,"filter":"tags.team = 'blue'"})");
  EXPECT_EQ(found["experiments"].items().size(), 1u);
  EXPECT_EQ(Post("/experiments/search", "{}", 400)["message"].AsString(),
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer");
  Post("/experiments/create", R"({"name":"x","artifact_location":"http:///?/../etc"})", 400);
}

TEST_F(TrackingRoutesTest, ARunLives) {
  const Json made =
      Post("/runs/create", R"({"start_time":5,"user_id":"ana","tags":[{"key":"a","value":"b"}]})");
  const Json& info = made["run"]["info"];
  const std::string id = info["run_id"].AsString();
  EXPECT_EQ(info["run_uuid"].AsString(), id);
  EXPECT_EQ(info["experiment_id"].AsString(), "0");
  EXPECT_EQ(info["status"].AsString(), "RUNNING");
  EXPECT_EQ(info["start_time"].AsInt(), 5);
  EXPECT_EQ(info["artifact_uri"].AsString(), "mlflow-artifacts:/0/" + id + "/artifacts");
  EXPECT_FALSE(info["run_name"].AsString().empty());
  Post("/runs/log-batch",
       R"({"run_id":")" + id +
           R"(","metrics":[{"key":"auc","value":0.5,"timestamp":0,"step":-1},)"
           R"({"key":"auc","value":"NaN","timestamp":7},{"key":"inf","value":"Infinity",)"
           R"("timestamp":"7"}],"params":[{"key":"lr","value":"0.1"}],)"
           R"("tags":[{"key":"a","value":"c"}]})");
  const Json run = Get("/runs/get?run_id=" + id)["run"];
  EXPECT_EQ(run["data"]["metrics"].Dump(),
            R"([{"key":"auc","value":"NaN","timestamp":7,"step":0},)"
            R"({"key":"inf","value":1.7976931348623157e+308,"timestamp":7,"step":0}])");
  EXPECT_EQ(run["data"]["params"].Dump(), R"([{"key":"lr","value":"0.1"}])");
  EXPECT_EQ(Post("/runs/log-parameter", R"({"run_id":")" + id + R"(","key":"lr","value":"0.2"})",
                 400)["message"]
                .AsString(),
            "Changing param values is not allowed. Param with key='lr' was already logged with "
            "value='0.1' for run ID='" +
                id + "'. Attempted logging new value '0.2'.");
  const Json updated = Post("/runs/update", R"({"run_uuid":")" + id + R"(","run_id":")" + id +
                                                R"(","status":"FINISHED","end_time":9,)"
                                                R"("run_name":"best"})");
  EXPECT_EQ(updated["run_info"]["end_time"].AsInt(), 9);
  EXPECT_EQ(updated["run_info"]["run_name"].AsString(), "best");
  Post("/runs/delete", R"({"run_id":")" + id + R"("})");
  EXPECT_EQ(Get("/runs/get?run_id=" + id)["run"]["info"]["lifecycle_stage"].AsString(), "deleted");
  EXPECT_EQ(
      Post("/runs/set-tag", R"({"run_id":")" + id + R"(","key":"x","value":"y"})", 400)["message"]
          .AsString(),
      "The run " + id + " must be in the 'active' state. Current state is deleted.");
  Post("/runs/restore", R"({"run_id":")" + id + R"("})");
  EXPECT_EQ(Get("/runs/get?run_id=" + id, 404, "/p/blue")["message"].AsString(),
            "Run with id=" + id + " not found");
  Post("/runs/set-tag", R"({"run_id":")" + id + R"(","key":"x","value":"y"})", 404, "/p/blue");
}

TEST_F(TrackingRoutesTest, BatchesAreCheckedWholeAndTakenWhole) {
  const std::string id = NewRun();
  const auto refused = [&](const std::string& members) {
    return Post("/runs/log-batch", R"({"run_id":")" + id + "\"," + members + "}", 400)["message"]
        .AsString();
  };
  EXPECT_EQ(refused(R"("params":[{"key":"a","value":"1"},{"key":"a","value":"1"}])"),
            "Duplicate parameter keys have been submitted: ['a']. Please ensure the request "
            "contains only one param value per param key.");
  EXPECT_EQ(refused(R"("metrics":[{"key":"a","timestamp":1}])"),
            "Missing value for required parameter 'metrics[0].value'. See the API docs for more "
            "information about request parameters.");
  EXPECT_EQ(refused(R"("tags":[{"key":"../a","value":"1"}])"),
            "Invalid value \"../a\" for parameter 'tags[0].key' supplied: Names may be treated as "
            "files in certain cases, and must not resolve to other names when treated as such. "
            "This name would resolve to '../a'");
  std::string tags;
  for (int i = 0; i < 101; ++i)
    tags += fmt::format("{}{{\"key\":\"k{}\",\"value\":\"v\"}}", i == 0 ? "" : ",", i);
  EXPECT_EQ(refused("\"tags\":[" + tags + "]"),
            "A batch logging request can contain at most 100 tags. Got 101 tags. Please split up "
            "tags across multiple requests and try again.");
  Post("/runs/log-parameter", R"({"run_id":")" + id + R"(","key":"p","value":"1"})");
  EXPECT_EQ(refused(R"("tags":[{"key":"t","value":"1"}],"params":[{"key":"p","value":"2"}])"),
            "Changing param values is not allowed. Params were already logged='[{'key': 'p', "
            "'old_value': '1', 'new_value': '2'}]' for run ID='" +
                id + "'.");
  const Json data = Get("/runs/get?run_id=" + id)["run"]["data"];
  EXPECT_EQ(data["tags"].items().size(), 1u) << "its name and nothing of what was refused";
  EXPECT_TRUE(CheckKeyName("key", "größe/µ-1 : a.b"));
  EXPECT_FALSE(CheckKeyName("key", "a\u2028b"));
  EXPECT_FALSE(CheckKeyName("key", "a;b"));
}

TEST_F(TrackingRoutesTest, ARefusedBatchNeitherRenamesNorMeasures) {
  const std::string id = NewRun(R"(,"run_name":"first")");
  Post("/runs/log-parameter", R"({"run_id":")" + id + R"(","key":"p","value":"1"})");
  Post("/runs/log-batch",
       R"({"run_id":")" + id +
           R"(","tags":[{"key":"mlflow.runName","value":"second"}],)"
           R"("metrics":[{"key":"auc","value":0.5,"timestamp":1}],)"
           R"("params":[{"key":"p","value":"2"}]})",
       400);
  const Json run = Get("/runs/get?run_id=" + id)["run"];
  EXPECT_EQ(run["info"]["run_name"].AsString(), "first");
  EXPECT_TRUE(run["data"]["metrics"].items().empty());
}

TEST_F(TrackingRoutesTest, WhatIsInTheTrashIsNotShownFromMemory) {
  const std::string id = NewRun();
  Get("/runs/get?run_id=" + id);
  ASSERT_TRUE(tracking::RunTrash(*tracking_)
                  .remove({.project = projects::kDefaultProject, .name = id, .by = "ana"}));
  Get("/runs/get?run_id=" + id, 404);
}

TEST_F(TrackingRoutesTest, HistoriesComeByTimePagedAndSampled) {
  const std::string id = NewRun(), other = NewRun();
  std::string points;
  for (int i = 0; i < 10; ++i)
    points += fmt::format("{}{{\"key\":\"loss\",\"value\":{},\"timestamp\":{},\"step\":{}}}",
                          i == 0 ? "" : ",", i, 100 - i, i);
  for (int i = 0; i < 2; ++i)  // a client that tries again
    Post("/runs/log-batch", R"({"run_id":")" + id + R"(","metrics":[)" + points + "]}");
  const std::string history = "/metrics/get-history?metric_key=loss&run_id=" + id;
  EXPECT_EQ(Get(history)["metrics"].items().size(), 10u);
  EXPECT_EQ(Get(history)["metrics"].items()[0]["step"].AsInt(), 9);
  const Json page = Get(history + "&max_results=4");
  EXPECT_EQ(page["metrics"].items().size(), 4u);
  const std::string token = page["next_page_token"].AsString();
  const Json last = Get(history + "&max_results=8&page_token=" + token);
  EXPECT_EQ(last["metrics"].items().size(), 6u);
  EXPECT_TRUE(last["next_page_token"].is_null());
  EXPECT_EQ(Get("/metrics/get-history?metric_key=loss&run_id=none").Dump(), "{}");
  const Json sampled = Get("/metrics/get-history-bulk-interval?metric_key=loss&run_ids=" + id +
                           "&run_ids=" + other + "&max_results=3&start_step=1&end_step=9");
  std::string steps;
  for (const Json& point : sampled["metrics"].items()) steps += point["step"].Dump() + " ";
  EXPECT_EQ(steps, "1 4 9 ");
  EXPECT_EQ(
      Get("/metrics/get-history-bulk-interval?metric_key=loss&run_ids=" + id + "&start_step=1",
          400)["message"]
          .AsString(),
      "If either start step or end step are specified, both must be specified.");
  EXPECT_EQ(SampledRows(4, 10), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(SampledRows(10, 4), (std::vector<std::size_t>{0, 3, 6, 9}));
  EXPECT_EQ(SampledRows(7, 1), (std::vector<std::size_t>{6}));
}

}  // namespace
}  // namespace gyre::mlflow
