#include <gtest/gtest.h>

#include "api/mlflow/model_versions_api.h"
#include "api/mlflow/registered_models_api.h"
#include "api/mlflow/testing/mlflow_house.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "platform/blob/blob_store.h"

namespace gyre::mlflow {
namespace {

constexpr std::string_view kRunId = "0123456789abcdef0123456789abcdef";

class RegistryRoutesTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), trash::TrashSchema(),
                  events::EventsSchema(), registry::RegistrySchema()});
    registry_.emplace(*database_, clock_);
    catalog_.emplace(*database_, clock_);
    searcher_.emplace(*database_);
    const IsFree is_free = [this](const registry::ModelVersion& version) -> Result<> {
      if (version.name() != served_) return {};
      return FailedPrecondition("GY3621", "{} is served", version.name());
    };
    // One run and one logged model, of project default.
    const VersionFiles files{
        .run_root = [](const std::string& project, const std::string& id) -> Result<std::string> {
          return project == "default" && id == kRunId
                     ? fmt::format("mlflow-artifacts:/5/{}/artifacts", id)
                     : std::string();
        },
        .model_root = [](const std::string& project, const std::string& id) -> Result<std::string> {
          return project == "default" && id == "m-1f"
                     ? std::string("mlflow-artifacts:/5/models/m-1f/artifacts")
                     : std::string();
        },
        .model_run = [](const std::string&, const std::string&) -> Result<std::string> {
          return std::string();
        },
        .mlmodel = [](const std::string&, const std::string& source) -> Result<std::string> {
          if (!source.ends_with("/artifacts/model")) return std::string();
          return std::string(
              "artifact_path: model\nflavors:\n  python_function:\n    env: x\n"
              "  sklearn:\n    code: null\nmodel_size_bytes: 5\n");
        }};
    gate_.emplace(*registry_, [this](const registry::ModelVersion& version) {
      return Result<registry::LoggedNumbers>({.values = logged_[version.version], .from = "run r"});
    });
    const MayMoveAliases may_move = [](net::Request&, const std::string&) { return Result<>(); };
    models_.emplace(*projects_, *registry_, *catalog_, *searcher_, *gate_, is_free, may_move);
    versions_.emplace(*projects_, *catalog_, *searcher_, *gate_, files, is_free, may_move);
    const net::RouteTable tables[] = {models_->table(), versions_->table()};
    StartServer(tables);
  }
  Json Ask(const std::string& method, const std::string& path, const std::string& body,
           int status = 200) {
    const auto answer = Send(method, "/api/2.0/mlflow" + path, body);
    EXPECT_EQ(answer.status, status) << method << path << " " << body << " " << answer.body;
    return Json::Parse(answer.body).value_or(Json());
  }
  Json Get(const std::string& path, int status = 200) { return Ask("GET", path, "", status); }
  Json Post(const std::string& path, const std::string& body, int status = 200) {
    return Ask("POST", path, body, status);
  }
  void Make(const std::string& name) {
    Post("/registered-models/create", R"({"name":")" + name + R"("})");
  }
  Json Log(const std::string& name, const std::string& source = "s3://b/m") {
    return Post("/model-versions/create",
                R"({"name":")" + name + R"(","source":")" + source + R"("})")["model_version"];
  }
  static std::string Code(const Json& answer) {
    return answer["error_code"].AsString() + " " + answer["message"].AsString();
  }

  std::string served_;
  std::optional<registry::Registry> registry_;
  std::optional<registry::Catalog> catalog_;
  std::optional<registry::ModelSearcher> searcher_;
  std::map<int, std::map<std::string, double, std::less<>>> logged_;  // by number of the version
  std::optional<registry::LoggedGate> gate_;
  std::optional<RegisteredModelsApi> models_;
  std::optional<ModelVersionsApi> versions_;
};

TEST_F(RegistryRoutesTest, ARegisteredModelLives) {
  const Json made = Post("/registered-models/create",
                         R"({"name":"My model","description":"d","tags":[{"key":"k","value":"1"},)"
                         R"({"key":"k","value":"2"}]})");
  EXPECT_EQ(made["registered_model"].Dump(),
            R"({"name":"My model","creation_timestamp":1700000000000,)"
            R"("last_updated_timestamp":1700000000000,"user_id":"ann","description":"d",)"
            R"("tags":[{"key":"k","value":"2"}]})");
  EXPECT_EQ(Code(Post("/registered-models/create", R"({"name":"My model"})", 400)),
            "RESOURCE_ALREADY_EXISTS Registered Model (name=My model) already exists.");
  EXPECT_EQ(Code(Post("/registered-models/create", R"({"name":"a/b"})", 400)),
            "INVALID_PARAMETER_VALUE Invalid model name 'a/b'. Names cannot contain '/' or ':'.");
  EXPECT_EQ(Post("/registered-models/create", R"({"name":"a%2eb"})", 400)["error_code"].AsString(),
            "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(Post("/registered-models/create", R"({"name":""})", 400)["error_code"].AsString(),
            "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(Get("/registered-models/get?name=My%20model")["registered_model"]["name"].AsString(),
            "My model");
  EXPECT_EQ(Code(Get("/registered-models/get?name=x", 404)),
            "RESOURCE_DOES_NOT_EXIST Registered Model with name=x not found");
  const Json renamed =
      Post("/registered-models/rename", R"({"name":"My model","new_name":"Ours"})");
  EXPECT_EQ(renamed["registered_model"]["name"].AsString(), "Ours");
  Get("/registered-models/get?name=My%20model", 404);
  Ask("PATCH", "/registered-models/update", R"({"name":"Ours","description":"e"})");
  EXPECT_EQ(Get("/registered-models/get?name=Ours")["registered_model"]["description"].AsString(),
            "e");
  EXPECT_EQ(Post("/registered-models/set-tag", R"({"name":"Ours","key":"a","value":"b"})").Dump(),
            "{}");
  Ask("DELETE", "/registered-models/delete-tag", R"({"name":"Ours","key":"k"})");
  EXPECT_EQ(Get("/registered-models/get?name=Ours")["registered_model"]["tags"].Dump(),
            R"([{"key":"a","value":"b"}])");
  Log("Ours");
  served_ = "Ours:v1";
  Ask("DELETE", "/registered-models/delete", R"({"name":"Ours"})", 400);
  served_.clear();
  EXPECT_EQ(Ask("DELETE", "/registered-models/delete", R"({"name":"Ours"})").Dump(), "{}");
  Get("/registered-models/get?name=Ours", 404);
  Ask("DELETE", "/registered-models/delete", R"({"name":"Ours"})", 404);
}

TEST_F(RegistryRoutesTest, AVersionLives) {
  Make("m");
  const std::string run(kRunId);
  const Json made = Post("/model-versions/create",
                         R"({"name":"m","source":"mlflow-artifacts:/5/)" + run +
                             R"(/artifacts/model","run_id":")" + run +
                             R"(","description":"d","tags":[{"key":"k","value":"v"}]})");
  EXPECT_EQ(made["model_version"].Dump(),
            R"({"name":"m","version":"1","creation_timestamp":1700000000000,)"
            R"("last_updated_timestamp":1700000000000,"user_id":"ann","current_stage":"None",)"
            R"("description":"d","source":"mlflow-artifacts:/5/)" +
                run + R"(/artifacts/model","run_id":")" + run +
                R"(","status":"READY","tags":[{"key":"k","value":"v"}],"run_link":""})");
  EXPECT_EQ(registry_->Resolve("default", "m:v1")->flavors,
            (std::vector<std::string>{"python_function", "sklearn"}));
  EXPECT_EQ(Log("m")["version"].AsString(), "2");
  EXPECT_EQ(
      Post("/model-versions/create",
           R"({"name":"m","source":"models:/m-1f","model_id":"m-1f"})")["model_version"]["source"]
          .AsString(),
      "models:/m-1f");
  EXPECT_EQ(Get("/model-versions/get-download-uri?name=m&version=3")["artifact_uri"].AsString(),
            "mlflow-artifacts:/5/models/m-1f/artifacts");
  EXPECT_EQ(Get("/model-versions/get-download-uri?name=m&version=2")["artifact_uri"].AsString(),
            "s3://b/m");
  EXPECT_EQ(Code(Get("/model-versions/get?name=m&version=9", 404)),
            "RESOURCE_DOES_NOT_EXIST Model Version (name=m, version=9) not found");
  EXPECT_EQ(Code(Get("/model-versions/get?name=m&version=x", 400)),
            "INVALID_PARAMETER_VALUE Parameter 'version' must be an integer, got 'x'.");
  EXPECT_EQ(Code(Post("/model-versions/create", R"({"name":"n","source":"s3://b/m"})", 404)),
            "RESOURCE_DOES_NOT_EXIST Registered Model with name=n not found");
  Ask("PATCH", "/model-versions/update", R"({"name":"m","version":"1","description":"e"})");
  Post("/model-versions/set-tag", R"({"name":"m","version":"1","key":"a","value":"b"})");
  Ask("DELETE", "/model-versions/delete-tag", R"({"name":"m","version":"1","key":"k"})");
  const Json now = Get("/model-versions/get?name=m&version=1")["model_version"];
  EXPECT_EQ(now["description"].AsString(), "e");
  EXPECT_EQ(now["tags"].Dump(), R"([{"key":"a","value":"b"}])");
  served_ = "m:v2";
  Ask("DELETE", "/model-versions/delete", R"({"name":"m","version":"2"})", 400);
  served_.clear();
  EXPECT_EQ(Ask("DELETE", "/model-versions/delete", R"({"name":"m","version":"2"})").Dump(), "{}");
  Get("/model-versions/get?name=m&version=2", 404);
  EXPECT_EQ(Log("m")["version"].AsString(), "4");
}

TEST_F(RegistryRoutesTest, SourcesOfOthersAreRefused) {
  Make("m");
  const auto refused = [&](const std::string& members) {
    const Json answer = Post("/model-versions/create", R"({"name":"m",)" + members + "}", 400);
    EXPECT_TRUE(answer["message"].AsString().starts_with("Invalid model version source: '"))
        << answer.Dump();
    EXPECT_EQ(answer["error_code"].AsString(), "INVALID_PARAMETER_VALUE");
  };
  const std::string run = R"("run_id":")" + std::string(kRunId) + "\"";
  refused(R"("source":"file:///etc/")");
  refused(R"("source":"file:///etc/",)" + run);
  refused(R"("source":"file:///etc/","tags":[{"key":"mlflow.prompt.is_prompt","value":"true"}])");
  refused(R"("source":"//proc/self/root")");
  refused(R"("source":"file://host/etc")");
  refused(R"("source":"mlflow-artifacts:/6/other/artifacts",)" + run);
  refused(R"("source":"mlflow-artifacts:/5/x/..%252f..%252f",)" + run);
  for (const char* elsewhere :
       {"http://evil/api/2.0/mlflow-artifacts/artifacts/", "FTP://evil/a"}) {
    const Json answer = Post("/model-versions/create",
                             R"({"name":"m","source":")" + std::string(elsewhere) + "\"}", 400);
    EXPECT_TRUE(answer["message"].AsString().starts_with("'source' cannot use the '"));
  }
  refused(R"("source":"runs:/ffffffffffffffffffffffffffffffff/model",)" + run);
  refused(R"("source":"models:/m-2e","model_id":"m-1f")");
  Post("/model-versions/create",
       R"({"name":"m","source":"dummy-source","tags":[{"key":"mlflow.prompt.is_prompt",)"
       R"("value":"true"}]})");
  EXPECT_EQ(Get("/model-versions/get?name=m&version=2", 404)["error_code"].AsString(),
            "RESOURCE_DOES_NOT_EXIST");
}

TEST_F(RegistryRoutesTest, StagesAreThoseOfOldClients) {
  Make("m");
  Log("m");
  Log("m");
  const std::string to = R"("stage":"production","archive_existing_versions":true})";
  EXPECT_EQ(Post("/model-versions/transition-stage",
                 R"({"name":"m","version":"1",)" + to)["model_version"]["current_stage"]
                .AsString(),
            "Production");
  Post("/model-versions/transition-stage", R"({"name":"m","version":"2",)" + to);
  EXPECT_EQ(
      Get("/model-versions/get?name=m&version=1")["model_version"]["current_stage"].AsString(),
      "Archived");
  EXPECT_EQ(Code(Post("/model-versions/transition-stage",
                      R"({"name":"m","version":"1","stage":"prod"})", 400)),
            "INVALID_PARAMETER_VALUE Invalid Model Version stage: prod. Value must be one of None, "
            "Staging, Production, Archived.");
  Post("/model-versions/transition-stage",
       R"({"name":"m","version":"1","stage":"None","archive_existing_versions":true})", 400);
  const Json latest = Post("/registered-models/get-latest-versions",
                           R"({"name":"m","stages":["Production"]})")["model_versions"];
  ASSERT_EQ(latest.size(), 1u);
  EXPECT_EQ(latest.items()[0]["version"].AsString(), "2");
  EXPECT_EQ(Get("/registered-models/get-latest-versions?name=m&stages=Archived&stages=None")
                ["model_versions"]
                    .size(),
            1u);
}

TEST_F(RegistryRoutesTest, AliasesAreTheRegistrysOwn) {
  Make("My model");
  Log("My model");
  Log("My model");
  const std::string name = R"({"name":"My model","alias":)";
  EXPECT_EQ(Post("/registered-models/alias", name + R"("champion","version":"1"})").Dump(), "{}");
  EXPECT_EQ(registry_->Resolve("default", "My-model@champion")->version, 1);
  EXPECT_EQ(registry_->History("default", "My-model", "champion", 1)->at(0).basis, "client");
  const Json of_alias = Get("/registered-models/alias?name=My%20model&alias=champion");
  EXPECT_EQ(of_alias["model_version"]["version"].AsString(), "1");
  EXPECT_EQ(of_alias["model_version"]["aliases"].Dump(), R"(["champion"])");
  EXPECT_EQ(Get("/registered-models/get?name=My%20model")["registered_model"]["aliases"].Dump(),
            R"([{"alias":"champion","version":"1"}])");
  EXPECT_EQ(Get("/registered-models/alias?name=My%20model&alias=latest")["model_version"]["version"]
                .AsString(),
            "2");
  EXPECT_EQ(Code(Get("/registered-models/alias?name=My%20model&alias=nobody", 400)),
            "INVALID_PARAMETER_VALUE Registered model alias nobody not found.");
  EXPECT_EQ(Code(Post("/registered-models/alias", name + R"("latest","version":"1"})", 400)),
            "INVALID_PARAMETER_VALUE 'latest' alias name (case insensitive) is reserved.");
  EXPECT_EQ(Code(Post("/registered-models/alias", name + R"("v1","version":"1"})", 400)),
            "INVALID_PARAMETER_VALUE Version alias name 'v1' is reserved.");
  EXPECT_EQ(Code(Post("/registered-models/alias", name + R"("a.b","version":"1"})", 400)),
            "INVALID_PARAMETER_VALUE Invalid alias name: 'a.b'. Names may only contain "
            "alphanumerics, underscores (_), and dashes (-).");
  EXPECT_EQ(Code(Post("/registered-models/alias", name + R"("a","version":"7"})", 404)),
            "RESOURCE_DOES_NOT_EXIST Model Version (name=My model, version=7) not found");
  registry::AliasPolicy policy;
  policy.rules = *Json::Parse(R"([{"metric":"auc","op":">=","value":0.9}])");
  ASSERT_TRUE(registry_->SetPolicy("default", "My-model", "champion", policy, "root"));
  const Json gated = Post("/registered-models/alias", name + R"("champion","version":"2"})", 400);
  EXPECT_NE(gated["message"].AsString().find("gate"), std::string::npos) << gated.Dump();
  EXPECT_EQ(Ask("DELETE", "/registered-models/alias", name + R"("champion"})").Dump(), "{}");
  EXPECT_EQ(Ask("DELETE", "/registered-models/alias", name + R"("champion"})").Dump(), "{}");
  EXPECT_TRUE(
      Get("/registered-models/get?name=My%20model")["registered_model"]["aliases"].is_null());
}

TEST_F(RegistryRoutesTest, SearchesFilterOrderAndPage) {
  for (const char* name : {"b", "a", "c"}) Make(name);
  Log("a");
  Log("b");
  const Json first = Get("/registered-models/search?max_results=2&order_by=name%20DESC");
  ASSERT_EQ(first["registered_models"].size(), 2u);
  EXPECT_EQ(first["registered_models"].items()[0]["name"].AsString(), "c");
  EXPECT_EQ(first["registered_models"].items()[1]["latest_versions"].size(), 1u);
  const Json second =
      Get("/registered-models/search?max_results=2&order_by=name%20DESC&page_token=" +
          first["next_page_token"].AsString());
  EXPECT_EQ(second["registered_models"].items()[0]["name"].AsString(), "a");
  EXPECT_FALSE(second.Has("next_page_token"));
  EXPECT_EQ(Get("/registered-models/search?filter=name%20LIKE%20%27z%25%27").Dump(), "{}");
  EXPECT_EQ(Get("/registered-models/search?max_results=1001", 400)["error_code"].AsString(),
            "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(Get("/registered-models/search?page_token=x", 400)["error_code"].AsString(),
            "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(Get("/registered-models/search?filter=size%3D1", 400)["error_code"].AsString(),
            "INVALID_PARAMETER_VALUE");
  EXPECT_EQ(Get("/model-versions/search?filter=name%3D%27a%27")["model_versions"].size(), 1u);
  EXPECT_EQ(Get("/model-versions/search?order_by=name%20ASC")["model_versions"]
                .items()[0]["name"]
                .AsString(),
            "a");
  Get("/model-versions/search?max_results=200001", 400);
}

TEST_F(RegistryRoutesTest, AProjectSeesItsOwnModels) {
  Make("m");
  const auto blue = Send("GET", "/p/blue/ajax-api/2.0/mlflow/registered-models/get?name=m");
  EXPECT_EQ(blue.status, 404);
  EXPECT_EQ(
      Send("POST", "/p/blue/api/2.0/mlflow/registered-models/create", R"({"name":"m"})").status,
      200);
  EXPECT_EQ(Send("GET", "/p/blue/api/2.0/mlflow/registered-models/search").body.find("\"m\"") !=
                std::string::npos,
            true);
}

TEST(FlavorsOf, AreTheNamesBelowFlavors) {
  EXPECT_EQ(FlavorsOf("flavors:\n    keras:\n        x: 1\n    python_function: {}\nrun_id: a\n"),
            (std::vector<std::string>{"keras", "python_function"}));
  EXPECT_TRUE(FlavorsOf("run_id: a\n  x: 1\n").empty());
  EXPECT_TRUE(FlavorsOf("\x80\x02pickle").empty());
}

TEST_F(RegistryRoutesTest, ThresholdsOfAClientAreAGate) {
  Make("m");
  Log("m");
  Log("m");
  logged_ = {{1, {{"acc", 0.8}}}, {2, {{"acc", 0.82}}}};
  const auto tag = [&](int version, const std::string& thresholds, int status = 200) {
    Json body = Json::Obj({{"name", "m"}, {"key", "gyre.gate"}, {"value", thresholds}});
    return Post("/model-versions/set-tag", body.Set("version", std::to_string(version)).Dump(),
                status);
  };
  const auto move = [&](int version, int status) {
    return Post("/registered-models/alias",
                R"({"name":"m","alias":"champion","version":")" + std::to_string(version) + "\"}",
                status);
  };
  EXPECT_NE(tag(1, "0.8", 400)["message"].AsString().find("holds no thresholds"),
            std::string::npos);
  tag(1, R"({"acc":{"_threshold":0.9,"_greater_is_better":true}})");
  const auto refused =
      registry_->LatestVerdict(catalog_->GetVersion("default", "m", 1)->id, "champion");
  ASSERT_TRUE(refused && *refused);
  EXPECT_FALSE((*refused)->verdict.pass);
  EXPECT_EQ((*refused)->created_by, "ann");
  EXPECT_EQ(Code(move(1, 400)),
            "INVALID_PARAMETER_VALUE the gate said no to m:v1 as @champion: acc >= 0.9: acc is "
            "0.8");
  tag(1, R"({"acc":{"threshold":0.8,"greater_is_better":true}})");
  move(1, 200);
  EXPECT_EQ(registry_->History("default", "m", "champion", 1)->at(0).basis, "gate");
  tag(2, R"({"acc":{"min_absolute_change":0.05,"greater_is_better":true}})");
  EXPECT_NE(Code(move(2, 400)).find("acc is 0.82, that of m:v1 0.8"), std::string::npos);
  logged_[2]["acc"] = 0.86;
  move(2, 200);
}

// Whoever set the rules of an alias need not know who logs to it, nor the client of them.
TEST_F(RegistryRoutesTest, RulesOfAnAliasJudgeWhatClientsLogged) {
  Make("m");
  Log("m");
  registry::AliasPolicy policy;
  policy.rules = *Json::Parse(R"([{"metric":"acc","op":">=","value":0.9}])");
  ASSERT_TRUE(registry_->SetPolicy("default", "m", "staging", policy, "bob"));
  const std::string body = R"({"name":"m","alias":"staging","version":"1"})";
  EXPECT_NE(Code(Post("/registered-models/alias", body, 400)).find("acc was not measured"),
            std::string::npos);
  logged_ = {{1, {{"acc", 0.95}}}};
  Post("/registered-models/alias", body);
  EXPECT_EQ(registry_->FindAlias("default", "m", "staging")->value().version, 1);
}

}  // namespace
}  // namespace gyre::mlflow
