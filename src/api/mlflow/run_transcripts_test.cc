#include <gtest/gtest.h>

#include "api/mlflow/experiments_api.h"
#include "api/mlflow/metrics_api.h"
#include "api/mlflow/run_models_api.h"
#include "api/mlflow/runs_api.h"
#include "api/mlflow/testing/mlflow_house.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"

namespace gyre::mlflow {
namespace {

class RunTranscripts : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), usage::UsageSchema(),
                  trash::TrashSchema(), tracking::TrackingSchema()});
    experiments_ = *tracking::OpenExperiments(*database_, clock_, stamps_);
    tracking_ = *tracking::OpenTracking(*database_, clock_, stamps_);
    pages_ = std::make_unique<RunPages>(*tracking_, stamps_);
    experiments_api_ = std::make_unique<ExperimentsApi>(*projects_, *experiments_);
    runs_api_ = std::make_unique<RunsApi>(*projects_, *tracking_, *pages_);
    run_models_api_ = std::make_unique<RunModelsApi>(*projects_, *tracking_);
    metrics_api_ = std::make_unique<MetricsApi>(*projects_, *tracking_);
    const net::RouteTable tables[] = {experiments_api_->table(), runs_api_->table(),
                                      run_models_api_->table(), metrics_api_->table()};
    StartServer(tables);
  }
  void TearDown() override {
    server_.reset();
    tracking_.reset();
  }
  static std::string Refused(int status, const std::string& code, const std::string& message) {
    const bool missing = code == "RESOURCE_DOES_NOT_EXIST", state = code == "INVALID_STATE";
    return std::to_string(status) + " " +
           Json::Obj({{"error_code", code},
                      {"message", message},
                      {"sqlstate", state ? "XXM00" : "KAM00"},
                      {"error_class", missing ? "RESOURCE_NOT_FOUND"
                                      : state ? "CLIENT_INTERNAL_ERROR"
                                              : code}})
               .Dump();
  }
  static std::string Invalid(const std::string& message) {
    return Refused(400, "INVALID_PARAMETER_VALUE", message);
  }
  static std::string Missing(const std::string& message) {
    return Refused(404, "RESOURCE_DOES_NOT_EXIST", message);
  }
  // The id of a new run.
  std::string Begin(const std::string& body = R"({"start_time":1700000000000})") {
    const auto json = Json::Parse(Send("POST", "/api/2.0/mlflow/runs/create", body).body);
    EXPECT_TRUE(json);
    return json ? (*json)["run"]["info"]["run_id"].AsString() : "";
  }
  Json Run(const std::string& id) {
    const auto json = Json::Parse(Send("GET", "/api/2.0/mlflow/runs/get?run_id=" + id).body);
    EXPECT_TRUE(json);
    return json ? (*json)["run"] : Json();
  }
  // "key=value ..." of a list of pairs.
  static std::string Pairs(const Json& list) {
    std::string out;
    for (const Json& pair : list.items())
      out += pair["key"].AsString() + "=" +
             (pair["value"].is_string() ? pair["value"].AsString() : pair["value"].Dump()) + " ";
    return out;
  }
  // A body that names this run.
  static std::string Of(const std::string& run, const std::string& more) {
    return R"({"run_id":")" + run + "\"," + more + "}";
  }

  tracking::RunStamps stamps_;
  std::unique_ptr<tracking::Experiments> experiments_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<RunPages> pages_;
  std::unique_ptr<ExperimentsApi> experiments_api_;
  std::unique_ptr<RunsApi> runs_api_;
  std::unique_ptr<RunModelsApi> run_models_api_;
  std::unique_ptr<MetricsApi> metrics_api_;
};

TEST_F(RunTranscripts, ExperimentsComeAndGo) {
  const std::string made = Call("POST", "/experiments/create",
                                R"({"name":"/team/ana/churn","tags":[{"key":"a","value":"1"}]})");
  ASSERT_EQ(made.substr(0, 4), "200 ");
  const std::string id = (*Json::Parse(made.substr(4)))["experiment_id"].AsString();
  EXPECT_EQ(
      Call("GET", "/experiments/get?experiment_id=" + id),
      R"(200 {"experiment":{"experiment_id":")" + id +
          R"(","name":"/team/ana/churn","artifact_location":"mlflow-artifacts:/)" + id +
          R"(","lifecycle_stage":"active","last_update_time":1700000000000,)"
          R"("creation_time":1700000000000,"workspace":"default","tags":[{"key":"a","value":"1"}]}})");
  EXPECT_EQ(Call("GET", "/experiments/get-by-name?experiment_name=/team/ana/churn").substr(0, 3),
            "200");
  EXPECT_EQ(Call("GET", "/experiments/get-by-name?experiment_name=none"),
            Missing("Could not find experiment with name 'none'"));
  EXPECT_EQ(
      Call("POST", "/experiments/create", R"({"name":"/team/ana/churn"})"),
      Refused(400, "RESOURCE_ALREADY_EXISTS", "Experiment(name=/team/ana/churn) already exists."));
  const std::string named = R"({"experiment_id":")" + id + "\"";
  EXPECT_EQ(Call("POST", "/experiments/set-experiment-tag", named + R"(,"key":"b","value":"2"})"),
            "200 {}");
  EXPECT_EQ(Call("POST", "/experiments/delete-experiment-tag", named + R"(,"key":"a"})"), "200 {}");
  EXPECT_EQ(Call("POST", "/experiments/delete-experiment-tag", named + R"(,"key":"a"})"),
            Missing("No tag with name: a in experiment with id " + id));
  EXPECT_EQ(Call("POST", "/experiments/update", named + R"(,"new_name":"churn 2"})"), "200 {}");
  EXPECT_EQ(Call("POST", "/experiments/delete", named + "}"), "200 {}");
  EXPECT_NE(Call("GET", "/experiments/get-by-name?experiment_name=churn%202")
                .find(R"("lifecycle_stage":"deleted")"),
            std::string::npos);
  EXPECT_EQ(Call("POST", "/experiments/update", named + R"(,"new_name":"x"})"),
            Refused(400, "INVALID_STATE", "Cannot rename a non-active experiment."));
  EXPECT_EQ(Call("POST", "/experiments/set-experiment-tag", named + R"(,"key":"b","value":"2"})"),
            Invalid("The experiment " + id +
                    " must be in the 'active' state. Current state is deleted."));
  EXPECT_EQ(Call("POST", "/runs/create", named + "}"),
            Invalid("The experiment " + id +
                    " must be in the 'active' state. Current state is deleted."));
  EXPECT_EQ(Call("POST", "/experiments/delete", named + "}"),
            Missing("No Experiment with id=" + id + " exists"));
  EXPECT_EQ(Call("POST", "/experiments/restore", named + "}"), "200 {}");
  EXPECT_EQ(Call("GET", "/experiments/get?experiment_id=99"),
            Missing("No Experiment with id=99 exists"));
  EXPECT_EQ(Call("GET", "/experiments/get?experiment_id=x"),
            Invalid("Invalid experiment ID 'x'. Experiment ID must be a valid integer."));
  EXPECT_EQ(Call("GET", "/experiments/get?experiment_id=0").substr(0, 52),
            R"(200 {"experiment":{"experiment_id":"0","name":"Defau)");
}

TEST_F(RunTranscripts, ArtifactLocationsAreNeverOddOnes) {
  for (const char* location :
       {"http:///?/../../../../../../etc/", "http:///#/../../etc/", "http://host#/../../etc/",
        "mlflow-artifacts://h:9/models/../../../", "s3a://b/..", "a/..%2f..%2f", "x;y",
        "file:///a/%2e%2e/b", "c:\\\\x"})
    EXPECT_EQ(Call("POST", "/experiments/create",
                   std::string(R"({"name":"n","artifact_location":")") + location + "\"}")
                  .substr(0, 4),
              "400 ")
        << location;
  for (const char* location : {"s3://bucket/a", "file:///tmp/x", "mlflow-artifacts:/own/root/"})
    EXPECT_EQ(Call("POST", "/experiments/create",
                   std::string(R"({"name":")") + location + R"(","artifact_location":")" +
                       location + "\"}")
                  .substr(0, 4),
              "200 ");
  const auto found = Json::Parse(
      Send("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=s3://bucket/a").body);
  const std::string id = (*found)["experiment"]["experiment_id"].AsString();
  const std::string run = Begin(R"({"experiment_id":)" + id + "}");
  EXPECT_EQ(Run(run)["info"]["artifact_uri"].AsString(), "s3://bucket/a/" + run + "/artifacts");
}

TEST_F(RunTranscripts, ARunIsMadeChangedAndDeleted) {
  const std::string id = Begin(R"({"experiment_id":"0","user_id":"ana","start_time":1700000000123,
      "tags":[{"key":"mlflow.runName","value":"first"},{"key":"team","value":"blue"}]})");
  EXPECT_EQ(Call("GET", "/runs/get?run_uuid=" + id),
            R"(200 {"run":{"info":{"run_uuid":")" + id +
                R"(","experiment_id":"0","run_name":"first","user_id":"ana","status":"RUNNING",)"
                R"("start_time":1700000000123,"artifact_uri":"mlflow-artifacts:/0/)" +
                id + R"(/artifacts","lifecycle_stage":"active","run_id":")" + id +
                R"("},"data":{"tags":[{"key":"mlflow.runName","value":"first"},)"
                R"({"key":"team","value":"blue"}]},"inputs":{},"outputs":{}}})");
  const std::string changed =
      Call("POST", "/runs/update",
           Of(id, R"("status":"FINISHED","end_time":1700000001000,"run_name":"second")"));
  EXPECT_NE(
      changed.find(R"("status":"FINISHED","start_time":1700000000123,"end_time":1700000001000)"),
      std::string::npos)
      << changed;
  EXPECT_EQ(Run(id)["info"]["run_name"].AsString(), "second");
  EXPECT_EQ(Pairs(Run(id)["data"]["tags"]), "mlflow.runName=second team=blue ");
  EXPECT_EQ(Call("POST", "/runs/set-tag", Of(id, R"("key":"mlflow.runName","value":"third")")),
            "200 {}");
  EXPECT_EQ(Run(id)["info"]["run_name"].AsString(), "third");
  EXPECT_EQ(Call("POST", "/runs/update", Of(id, R"("status":"NOPE")")).substr(0, 4), "400 ");
  EXPECT_EQ(Call("POST", "/runs/delete", Of(id, "\"a\":1")), "200 {}");
  EXPECT_EQ(Call("POST", "/runs/delete", Of(id, "\"a\":1")), "200 {}") << "again";
  EXPECT_EQ(Run(id)["info"]["lifecycle_stage"].AsString(), "deleted");
  const std::string gone =
      Invalid("The run " + id + " must be in the 'active' state. Current state is deleted.");
  EXPECT_EQ(Call("POST", "/runs/update", Of(id, R"("status":"FAILED")")), gone);
  EXPECT_EQ(Call("POST", "/runs/set-tag", Of(id, R"("key":"a","value":"b")")), gone);
  EXPECT_EQ(Call("POST", "/runs/restore", Of(id, "\"a\":1")), "200 {}");
  EXPECT_EQ(Run(id)["info"]["lifecycle_stage"].AsString(), "active");
  EXPECT_EQ(Call("POST", "/runs/create", R"({"run_name":"a","tags":[{"key":"mlflow.runName",
      "value":"b"}]})"),
            Invalid("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
                    "different values (run_name='a', mlflow.runName='b')."));
  EXPECT_EQ(Call("GET", "/runs/get?run_id=nothing"), Missing("Run with id=nothing not found"));
  EXPECT_NE(Run(Begin())["info"]["run_name"].AsString(), "");
}

TEST_F(RunTranscripts, ProjectsDoNotSeeEachOthersRuns) {
  const std::string id = Begin();
  for (const char* path : {"/runs/get?run_id=", "/metrics/get-history?metric_key=a&run_id="}) {
    const net::ClientResponse answer =
        Send("GET", "/p/blue/api/2.0/mlflow" + std::string(path) + id);
    EXPECT_TRUE(answer.status == 404 || answer.body == "{}") << path << answer.body;
  }
  for (const char* path : {"update", "delete", "restore", "log-metric", "log-parameter", "set-tag",
                           "delete-tag", "log-batch", "log-inputs", "outputs", "log-model"}) {
    const net::ClientResponse answer = Send(
        "POST", "/p/blue/api/2.0/mlflow/runs/" + std::string(path),
        Of(id,
           R"("key":"a","value":"1","timestamp":1,"models":[],"model_json":"{\"artifact_path\":1,\"flavors\":{},)"
           R"(\"run_id\":1,\"utc_time_created\":1}")"));
    EXPECT_EQ(answer.status, 404) << path << answer.body;
  }
}

TEST_F(RunTranscripts, WhatIsLoggedIsRead) {
  const std::string id = Begin();
  EXPECT_EQ(Call("POST", "/runs/log-metric",
                 Of(id, R"("key":"loss","value":0.5,"timestamp":1700000000000,"step":3)")),
            "200 {}");
  EXPECT_EQ(
      Call("POST", "/runs/log-metric", Of(id, R"("key":"inf","value":"-Infinity","timestamp":0)")),
      "200 {}");
  EXPECT_EQ(Call("POST", "/runs/log-parameter", Of(id, R"("key":"depth","value":"7")")), "200 {}");
  EXPECT_EQ(Call("POST", "/runs/log-parameter", Of(id, R"("key":"depth","value":"7")")), "200 {}");
  EXPECT_EQ(Call("POST", "/runs/log-parameter", Of(id, R"("key":"depth","value":"8")")),
            Invalid("Changing param values is not allowed. Param with key='depth' was already "
                    "logged with value='7' for run ID='" +
                    id + "'. Attempted logging new value '8'."));
  EXPECT_EQ(Call("POST", "/runs/log-batch", Of(id, R"("metrics":[
      {"key":"loss","value":0.25,"timestamp":1700000000001,"step":4},
      {"key":"nan","value":"NaN","timestamp":"5","step":-2}],
      "params":[{"key":"lr","value":"0.1"}],"tags":[{"key":"t","value":"ü"}])")),
            "200 {}");
  EXPECT_EQ(Call("POST", "/runs/log-batch", Of(id, R"("params":[{"key":"lr","value":"it's"},
      {"key":"new","value":"1"}],"tags":[{"key":"none","value":"1"}])")),
            Invalid("Changing param values is not allowed. Params were already logged='[{'key': "
                    "'lr', 'old_value': '0.1', 'new_value': \"it's\"}]' for run ID='" +
                    id + "'."));
  const Json data = Run(id)["data"];
  EXPECT_EQ(Pairs(data["metrics"]), "inf=-1.7976931348623157e+308 loss=0.25 nan=NaN ");
  EXPECT_EQ(Pairs(data["params"]), "depth=7 lr=0.1 ") << "a batch is taken whole or not at all";
  EXPECT_EQ(data["metrics"].items()[1]["step"].AsInt(), 4);
  EXPECT_EQ(data["metrics"].items()[0]["timestamp"].AsInt(-1), 0) << "not now";
  EXPECT_EQ(Call("POST", "/runs/delete-tag", Of(id, R"("key":"t")")), "200 {}");
  EXPECT_EQ(Call("POST", "/runs/delete-tag", Of(id, R"("key":"t")")),
            Missing("No tag with name: t in run with id " + id));
}

TEST_F(RunTranscripts, LimitsAndTypesAreMlflows) {
  const std::string id = Begin();
  std::string metrics, params;
  for (int i = 0; i < 1001; ++i)
    metrics += std::string(i == 0 ? "" : ",") + R"({"key":"a","value":1,"timestamp":1,"step":)" +
               std::to_string(i) + "}";
  for (int i = 0; i < 101; ++i)
    params += std::string(i == 0 ? "" : ",") + R"({"key":"p)" + std::to_string(i) + R"("})";
  EXPECT_EQ(Call("POST", "/runs/log-batch", Of(id, "\"metrics\":[" + metrics + "]")),
            Invalid("A batch logging request can contain at most 1000 metrics. Got 1001 metrics. "
                    "Please split up metrics across multiple requests and try again."));
  EXPECT_EQ(Call("POST", "/runs/log-batch", Of(id, "\"params\":[" + params + "]")),
            Invalid("A batch logging request can contain at most 100 params. Got 101 params. "
                    "Please split up params across multiple requests and try again."));
  EXPECT_EQ(Call("POST", "/runs/log-batch",
                 Of(id, R"("params":[{"key":"a","value":"1"},{"key":"a","value":"1"}])")),
            Invalid("Duplicate parameter keys have been submitted: ['a']. Please ensure the "
                    "request contains only one param value per param key."));
  const std::string see = " See the API docs for more information about request parameters.";
  EXPECT_EQ(Call("POST", "/runs/log-batch", Of(id, R"("metrics":[{"key":"a","value":1}])")),
            Invalid("Missing value for required parameter 'metrics[0].timestamp'." + see));
  EXPECT_EQ(Call("POST", "/runs/log-batch", Of(id, R"("metrics":5)")),
            Invalid("Invalid value 5 for parameter 'metrics' supplied:  Hint: Value was of type "
                    "'int'." +
                    see));
  EXPECT_EQ(Call("POST", "/runs/log-metric", Of(id, R"("key":"a#","value":1,"timestamp":1)")),
            Invalid("Invalid value \"a#\" for parameter 'name' supplied: Names may only contain "
                    "alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
                    "and slashes (/)."));
  EXPECT_EQ(
      Call("POST", "/runs/log-batch", Of(id, R"("metrics":[{"key":"b","value":1,"timestamp":1},
                                      {"key":"/b","value":1,"timestamp":1}])"))
          .find(
              R"(400 {"error_code":"INVALID_PARAMETER_VALUE","message":"Invalid value \"/b\" for )"
              R"(parameter 'metrics[1].name' supplied: )"),
      0U);
  const std::string longest(6'500, 'x');
  EXPECT_EQ(Call("POST", "/runs/log-parameter", Of(id, R"("key":"p","value":")" + longest + "\"")),
            "200 {}");
  EXPECT_EQ(Run(id)["data"]["params"].items()[0]["value"].AsString().size(), 6'000U);
  std::string key;
  for (int i = 0; i < 250; ++i) key += "ä";
  EXPECT_EQ(Call("POST", "/runs/set-tag", Of(id, R"("key":")" + key + R"(","value":"1")")),
            "200 {}");
  EXPECT_EQ(Call("POST", "/runs/set-tag", Of(id, R"("key":")" + key + R"(a","value":"1")")),
            Invalid("'key' exceeds the maximum length of 250 characters"));
}

TEST_F(RunTranscripts, HistoriesAreReadPageByPageAndSampled) {
  const std::string a = Begin(), b = Begin();
  std::string points;
  for (int i = 0; i < 10; ++i)
    points += std::string(i == 0 ? "" : ",") + R"({"key":"m","value":)" + std::to_string(i) +
              R"(,"timestamp":)" + std::to_string(100 + i) + R"(,"step":)" + std::to_string(i) +
              "}";
  for (int twice = 0; twice < 2; ++twice)
    Call("POST", "/runs/log-batch", Of(a, "\"metrics\":[" + points + "]"));
  Call("POST", "/runs/log-metric", Of(b, R"("key":"m","value":5,"timestamp":1,"step":7)"));
  const std::string history = "/metrics/get-history?metric_key=m&run_id=" + a;
  const auto all = Json::Parse(Call("GET", history).substr(4));
  EXPECT_EQ((*all)["metrics"].size(), 10U) << "the same point twice is one";
  EXPECT_FALSE(all->Has("next_page_token"));
  const auto first = Json::Parse(Call("GET", history + "&max_results=6").substr(4));
  EXPECT_EQ((*first)["metrics"].size(), 6U);
  const auto second = Json::Parse(
      Call("GET", history + "&max_results=6&page_token=" + (*first)["next_page_token"].AsString())
          .substr(4));
  EXPECT_EQ((*second)["metrics"].items()[0]["step"].AsInt(), 6);
  EXPECT_FALSE(second->Has("next_page_token"));
  EXPECT_EQ(Call("GET", "/metrics/get-history?metric_key=m&run_id=nothing"), "200 {}");
  EXPECT_EQ(Call("GET", history + "&max_results=0"),
            Invalid("Invalid value 0 for parameter 'max_results' supplied. It must be a positive "
                    "integer."));
  EXPECT_EQ(Call("GET", history + "&page_token=x").substr(0, 4), "400 ");
  const std::string bulk = "/metrics/get-history-bulk-interval?metric_key=m&run_ids=" + a +
                           "&run_ids=" + b + "&max_results=3";
  std::string steps;
  const auto sampled = Json::Parse(Call("GET", bulk).substr(4));
  ASSERT_TRUE(sampled);
  for (const Json& point : (*sampled)["metrics"].items())
    steps += (point["run_id"].AsString() == a ? "a" : "b") + point["step"].Dump() + " ";
  EXPECT_EQ(steps, "a0 a4 a9 b7 ");
  EXPECT_EQ(Call("GET", bulk + "&start_step=1").substr(0, 4), "400 ");
  EXPECT_EQ(
      Call("GET", bulk + "&start_step=5&end_step=1"),
      Invalid("end_step must be greater than start_step. Found start_step=5 and end_step=1."));
  const net::ClientResponse old =
      Send("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk?metric_key=m&run_id=" + b);
  EXPECT_EQ(old.body, R"({"metrics":[{"key":"m","value":5.0,"timestamp":1,"step":7,"run_id":")" +
                          b + "\"}]}");
}

TEST_F(RunTranscripts, InputsOutputsAndModelsOfOldClients) {
  const std::string id = Begin();
  const std::string dataset = R"({"dataset":{"name":"sales","digest":"d1","source_type":"local",
      "source":"{}","schema":"s"},"tags":[{"key":"mlflow.data.context","value":"training"}]})";
  for (int twice = 0; twice < 2; ++twice)
    EXPECT_EQ(Call("POST", "/runs/log-inputs",
                   Of(id, "\"datasets\":[" + dataset + R"(],"models":[{"model_id":"m-1"}])")),
              "200 {}");
  EXPECT_EQ(Call("POST", "/runs/outputs", Of(id, R"("models":[{"model_id":"m-2","step":4}])")),
            "200 {}");
  const Json run = Run(id);
  EXPECT_EQ(run["inputs"].Dump(),
            R"({"dataset_inputs":[{"tags":[{"key":"mlflow.data.context","value":"training"}],)"
            R"("dataset":{"name":"sales","digest":"d1","source_type":"local","source":"{}",)"
            R"("schema":"s"}}],"model_inputs":[{"model_id":"m-1"}]})");
  EXPECT_EQ(run["outputs"].Dump(), R"({"model_outputs":[{"model_id":"m-2","step":4}]})");
  const std::string model = R"("model_json":"{\"artifact_path\":\"model\",\"run_id\":\"r\",
      \"utc_time_created\":\"now\",\"flavors\":{\"sklearn\":{\"code\":1,\"config\":2}},\"x\":1}")";
  EXPECT_EQ(Call("POST", "/runs/log-model", Of(id, R"("model_json":"{}")")),
            Invalid("Model json is missing mandatory fields: {'artifact_path', 'flavors', "
                    "'run_id', 'utc_time_created'}"));
  std::string one_line = model;
  std::erase(one_line, '\n');
  for (int twice = 0; twice < 2; ++twice)
    EXPECT_EQ(Call("POST", "/runs/log-model", Of(id, one_line)), "200 {}");
  const std::string entry = R"({"run_id":"r","artifact_path":"model","utc_time_created":"now",)"
                            R"("model_uuid":null,"flavors":{"sklearn":{"code":1}}})";
  EXPECT_NE(
      Pairs(Run(id)["data"]["tags"]).find("mlflow.log-model.history=[" + entry + "," + entry + "]"),
      std::string::npos);
}

}  // namespace
}  // namespace gyre::mlflow
