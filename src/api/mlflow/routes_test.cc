#include <gtest/gtest.h>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/server_api.h"
#include "api/mlflow/testing/mlflow_house.h"

namespace gyre::mlflow {
namespace {

// Says in which project it was reached, and with what.
class EchoApi final : public Noun {
 public:
  using Noun::Noun;
  net::RouteTable table();
  Result<net::Response> Echo(Call& call) {
    return net::Response::Text(call.project + " " + call.arguments.Text("name"));
  }
};
constexpr Endpoint kEchoes[] = {
    {.method = net::Method::kPost,
     .path = "/mlflow/echo",
     .handler = Serve<&EchoApi::Echo>,
     .permission = net::Permission("run.write"),
     .summary = "Echoes",
     .fields = {{"name", net::Type::kText, "what", "", net::kRequired}}},
    {.method = net::Method::kGet,
     .path = "/mlflow/echo",
     .handler = Serve<&EchoApi::Echo>,
     .permission = net::Permission("run.read"),
     .summary = "Echoes",
     .fields = {{"name", net::Type::kText, "what"}},
     .doors = Doors::kAjax2},
};
net::RouteTable EchoApi::table() { return {"mlflow", RoutesOf<kEchoes>::routes(), this}; }

class RoutesTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase();
    echo_ = std::make_unique<EchoApi>(*projects_);
    const net::RouteTable tables[] = {echo_->table(), server_api_.table()};
    StartServer(tables);
  }

  std::unique_ptr<EchoApi> echo_;
  ServerApi server_api_;
};

TEST_F(RoutesTest, AnEndpointIsServedBelowAllItsPrefixes) {
  const std::string body = R"({"name":"x"})";
  for (const char* prefix : {"/api/2.0", "/ajax-api/2.0"}) {
    EXPECT_EQ(Send("POST", std::string(prefix) + "/mlflow/echo", body).body, "default x");
    EXPECT_EQ(Send("POST", std::string("/p/blue") + prefix + "/mlflow/echo", body).body, "blue x");
  }
  EXPECT_EQ(Send("GET", "/p/blue/ajax-api/2.0/mlflow/echo?name=a%20b&more=1").body, "blue a b");
  EXPECT_EQ(Send("GET", "/api/2.0/mlflow/echo?name=a").status, 404);
  const net::ClientResponse missing = Send("POST", "/p/green/api/2.0/mlflow/echo", body);
  EXPECT_EQ(missing.status, 404);
  EXPECT_NE(missing.body.find("RESOURCE_DOES_NOT_EXIST"), std::string::npos) << missing.body;
}

TEST_F(RoutesTest, WithoutAProjectItIsTheCallersOwn) {
  const std::string body = R"({"name":"x"})";
  gate_.principal.all_projects = false;
  gate_.principal.projects = {"blue"};
  EXPECT_EQ(Send("POST", "/api/2.0/mlflow/echo", body).body, "blue x");
  gate_.principal.projects = {"blue", "default"};
  EXPECT_EQ(Send("POST", "/api/2.0/mlflow/echo", body).body, "default x");
  gate_.principal.projects = {"blue", "green"};
  const net::ClientResponse several = Send("POST", "/api/2.0/mlflow/echo", body);
  EXPECT_EQ(several.status, 400);
  EXPECT_NE(several.body.find("blue, green"), std::string::npos) << several.body;
}

TEST_F(RoutesTest, WhatIsUnknownIsNotJson) {
  for (const char* path :
       {"/api/2.0/mlflow/nothing", "/api/3.0/mlflow/nothing/at/all", "/ajax-api/2.0/mlflow/nothing",
        "/ajax-api/3.0/jobs/search", "/api/4.0/mlflow/traces", "/api/2.0/preview/mlflow/runs/get",
        "/p/blue/api/2.0/mlflow/nothing"}) {
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      const net::ClientResponse answer = Send(method, path, method[0] == 'G' ? "" : "{}");
      EXPECT_EQ(answer.status, 404) << method << path;
      EXPECT_EQ(answer.body, "Not Found\n") << method << path;
    }
  }
}

TEST_F(RoutesTest, AnAddressThatCannotBeIsUnknownToo) {
  for (const char* path :
       {"/api/2.0/mlflow/nothing/", "/api/2.0/mlflow/echo/", "/api/2.0/mlflow//echo",
        "/api/2.0/mlflow/../echo", "/api/2.0/mlflow/%2e%2e/echo", "/api/2.0/mlflow/a%2fb",
        "/api/2.0/mlflow/a%zz", "/ajax-api/2.0/%00", "/p/blue/api/2.0/mlflow/x/",
        "/p/%2e%2e/api/2.0/mlflow/echo"}) {
    const net::ClientResponse answer = Send("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.body, "Not Found\n") << path;
  }
  const net::ClientResponse query = Send("GET", "/api/2.0/mlflow/server-info?a=%zz");
  EXPECT_EQ(query.status, 404) << "there is none below that prefix";
  EXPECT_NE(Send("GET", "/api/3.0/mlflow/server-info?a=%zz").body.find("INVALID_PARAMETER_VALUE"),
            std::string::npos);
}

TEST_F(RoutesTest, TheServerSaysWhatItIsLike) {
  EXPECT_EQ(Send("GET", "/health").body, "OK");
  EXPECT_EQ(Send("GET", "/version").body, "3.6.0");
  EXPECT_EQ(Send("GET", "/p/blue/version").body, "3.6.0");
  for (const char* prefix : {"/api", "/ajax-api", "/p/blue/api"}) {
    const auto info =
        Json::Parse(Send("GET", std::string(prefix) + "/3.0/mlflow/server-info").body);
    ASSERT_TRUE(info) << prefix;
    EXPECT_EQ((*info)["store_type"].AsString(), "SqlStore");
    EXPECT_TRUE((*info)["artifact_serving_enabled"].AsBool());
  }
}

}  // namespace
}  // namespace gyre::mlflow
