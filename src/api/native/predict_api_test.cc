#include <gtest/gtest.h>

#include <atomic>

#include "api/native/endpoints_api.h"
#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/runners/jobs.h"
#include "ml/serving/predictions.h"
#include "ml/serving/testing/house.h"
#include "ml/serving/trash_kind.h"
#include "platform/exec/thread_pool.h"
#include "platform/net/client.h"
#include "platform/net/server.h"
#include "platform/net/testing/house.h"

namespace gyre::native {
namespace {

constexpr char kBody[] = R"({"inputs":[{"age":30,"amount":0.5,"country":"NL"}]})";

class Door final : public net::Gatekeeper {
 public:
  Result<> Admit(net::Request& request, const net::Route&) override {
    request.principal.id = "somebody";
    request.principal.all_projects = all_projects;
    return {};
  }
  // Asked only for what is to be answered on the connection's thread.
  bool AdmitsWithoutWaiting(const net::Request&, const net::Route&) const override {
    ++inline_asked;
    return true;
  }
  std::atomic<bool> all_projects{true};
  mutable std::atomic<int> inline_asked{0};
};

class PredictApiTest : public testing::Test {
 protected:
  void SetUp() override {
    const db::ModuleSchema schemas[] = {blob::BlobSchema(),
                                        events::EventsSchema(),
                                        lineage::LineageSchema(),
                                        trash::TrashSchema(),
                                        registry::RegistrySchema(),
                                        serving::ServingSchema(),
                                        automation::AutomationSchema()};
    ASSERT_TRUE(house_.database->Migrate(schemas));
    runners::JobSettings settings;
    settings.log_directory = (house_.directory() / "logs").string();
    jobs_ = *runners::OpenJobs(*house_.database, *house_.blobs, SystemClock(), settings);
    predictions_ = std::make_unique<serving::Predictions>(*house_.registry, *house_.blobs, *jobs_);
    Open();
  }
  void Open() {
    server_.reset();
    predict_ = std::make_unique<PredictApi>(*house_.serving);
    trash_ = std::make_unique<trash::Trash>(*house_.database, SystemClock(), kMicrosPerSecond);
    trash_->Register(serving::EndpointTrash(*house_.events, *house_.serving));
    endpoints_ = std::make_unique<EndpointsApi>(*house_.serving, *predictions_, *house_.blobs,
                                                releases_, *automation_, *trash_,
                                                [](const auto&, const auto&) { return ""; });
    const net::RouteTable tables[] = {predict_->table(), endpoints_->table()};
    auto server = net::StartServer({.listen = "127.0.0.1:0"}, tables, gate_, nullptr);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
  }
  net::ClientResponse Send(const std::string& method, const std::string& path,
                           const std::string& body = "") {
    net::Client client({.url = server_->url()});
    auto response = client.Send({.method = method, .path = path, .body = body});
    EXPECT_TRUE(response) << response.error().ToString();
    return response ? *response : net::ClientResponse{};
  }
  Json Document(const std::string& method, const std::string& path, const std::string& body = "") {
    const auto json = Json::Parse(Send(method, path, body).body);
    EXPECT_TRUE(json);
    return json ? *json : Json();
  }

  serving::TestHouse house_;
  std::unique_ptr<PredictApi> predict_;
  std::unique_ptr<runners::Jobs> jobs_;
  std::unique_ptr<serving::Predictions> predictions_;
  automation::Releases releases_{*house_.database, SystemClock(), {}};
  std::unique_ptr<automation::Automation> automation_ =
      automation::OpenAutomation(*house_.database, *house_.events, SystemClock(), {}, {});
  std::unique_ptr<trash::Trash> trash_;
  std::unique_ptr<EndpointsApi> endpoints_;
  Door gate_;
  std::unique_ptr<net::Server> server_;
};

constexpr char kEndpoints[] = "/api/v1/projects/default/endpoints";

TEST_F(PredictApiTest, DeployPredictRollBackRemove) {
  house_.Register("churn", 30);
  house_.Register("churn", -30);
  const std::string live = std::string(kEndpoints) + "/live";
  EXPECT_EQ(Document("PUT", live, R"({"model":"churn:v1"})")["model"].AsString(), "churn:v1");
  EXPECT_EQ(Document("POST", "/e/live", kBody)["outputs"].items()[0]["prediction"].AsString(),
            "Yes");
  EXPECT_EQ(
      Document("PUT", live, R"({"model":"churn:v2","reason":"newer"})")["deployment"]["reason"]
          .AsString(),
      "newer");
  EXPECT_EQ(Document("POST", "/e/live", kBody)["outputs"].items()[0]["prediction"].AsString(),
            "No");
  EXPECT_EQ(Document("POST", live + "/rollback")["model"].AsString(), "churn:v1");
  EXPECT_EQ(Document("POST", "/e/live", kBody)["model"].AsString(), "churn:v1");
  const Json shown = Document("GET", live);
  EXPECT_EQ(shown["deployments"].size(), 3U);
  EXPECT_EQ(shown["counts"]["requests"].AsInt(), 3);
  EXPECT_EQ(Document("GET", kEndpoints)["items"].size(), 1U);
  EXPECT_EQ(Document("GET", "/e/live")["columns"].size(), 6U);
  EXPECT_EQ(Document("DELETE", live)["name"].AsString(), "live");
  EXPECT_EQ(Send("POST", "/e/live", kBody).status, 404);
}

TEST_F(PredictApiTest, NobodyLearnsOfAnotherProjectsEndpoints) {
  const auto broken = house_.Register("broken", 0);
  ASSERT_TRUE(house_.Deploy("broken:v1"));
  ASSERT_TRUE(house_.blobs->Remove(broken.package.digest));
  server_.reset();
  house_.Restart({});
  Open();
  EXPECT_EQ(Send("POST", "/e/broken", kBody).status, 503);
  gate_.all_projects = false;
  const auto said = [&](const std::string& name) {
    const net::ClientResponse answer = Send("POST", "/e/" + name, kBody);
    EXPECT_EQ(answer.status, 404);
    return Json::Parse(answer.body).value_or(Json())["code"].AsString();
  };
  EXPECT_EQ(said("broken"), said("nobody"));
}

TEST_F(PredictApiTest, WrongRequestsHaveTheirStatus) {
  house_.Register("churn", 0);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  const net::ClientResponse wrong =
      Send("POST", "/e/churn", R"({"inputs":[{"age":1},{"age":"old"}]})");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_NE(wrong.body.find("inputs[1].age"), std::string::npos) << wrong.body;
  EXPECT_NE(wrong.body.find("inputs[1].age"), std::string::npos);
  EXPECT_EQ(Send("POST", "/e/churn", "{").status, 400);
  EXPECT_EQ(Send("POST", "/e/churn", "").status, 400);
  EXPECT_EQ(Send("POST", "/e/nobody", kBody).status, 404);
  EXPECT_EQ(Send("GET", "/e/nobody").status, 404);
  EXPECT_EQ(Send("PUT", std::string(kEndpoints) + "/x", R"({"model":"churn:v9"})").status, 404);
  EXPECT_EQ(Send("PUT", std::string(kEndpoints) + "/x", R"({"modell":"churn:v1"})").status, 422);
  EXPECT_EQ(Send("PUT", std::string(kEndpoints) + "/x", R"({"model":1})").status / 100, 4);
  EXPECT_EQ(Send("POST", std::string(kEndpoints) + "/churn/rollback", R"({"to":-1})").status, 422);
  EXPECT_EQ(Send("POST", std::string(kEndpoints) + "/churn/rollback", R"({"to":7})").status, 404);
  EXPECT_EQ(Send("POST", std::string(kEndpoints) + "/churn/rollback").status, 409);
  EXPECT_EQ(Send("POST", "/api/v1/projects/default/predict", "a\n1\n").status, 400);
  EXPECT_EQ(
      Send("POST", "/api/v1/projects/default/predict?model=churn:v1&output_format=xml", "a\n1\n")
          .status,
      400);
  EXPECT_EQ(Send("POST", "/api/v1/projects/default/predict?model=nobody", "a\n1\n").status, 404);
}

// Many rows, more than one inline body: the same answers as one by one.
TEST_F(PredictApiTest, LargeBatchesGiveTheSameAnswers) {
  house_.Register("churn", 0);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  std::string body = R"({"inputs":[)";
  constexpr int kRows = 3000;
  for (int i = 0; i < kRows; ++i)
    body += fmt::format(R"({}{{"age":{},"amount":{},"country":"DE"}})", i == 0 ? "" : ",", i % 90,
                        0.001 * i - 1.5);
  const Json many = Document("POST", "/e/churn", body + "]}");
  ASSERT_EQ(many["outputs"].size(), static_cast<std::size_t>(kRows));
  for (const int i : {0, 7, 1499, 2999}) {
    const std::string row = fmt::format(R"({{"inputs":[{{"amount":{},"country":"DE","age":{}}}]}})",
                                        0.001 * i - 1.5, i % 90);
    EXPECT_EQ(Document("POST", "/e/churn", row)["outputs"].items()[0],
              many["outputs"].items()[static_cast<std::size_t>(i)]);
  }
}

// Waking on the thread of the connection would hold all its other connections.
TEST_F(PredictApiTest, AParkedEndpointIsWokenElsewhereAndOnlyForThoseWhoMay) {
  house_.Register("churn", 30);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  ASSERT_TRUE(house_.serving->Change({.project = "default",
                                      .endpoint = "churn",
                                      .sticky = {},
                                      .park_after_us = kMicrosPerSecond,
                                      .by = "ann"}));
  for (int i = 0; i < 100 && !house_.serving->Parked("churn"); ++i) usleep(100'000);
  ASSERT_TRUE(house_.serving->Parked("churn"));
  gate_.all_projects = false;
  EXPECT_EQ(Send("POST", "/e/churn", kBody).status, 404);
  EXPECT_EQ(Send("GET", "/e/churn").status, 404);
  EXPECT_TRUE(house_.serving->Parked("churn")) << "who may not ask does not wake it";
  gate_.all_projects = true;
  gate_.inline_asked = 0;
  EXPECT_EQ(Send("POST", "/e/churn", kBody).status, 200);
  EXPECT_EQ(gate_.inline_asked.load(), 0) << "a pool thread wakes it";
  EXPECT_FALSE(house_.serving->Parked("churn"));
  EXPECT_EQ(Send("POST", "/e/churn", kBody).status, 200);
  EXPECT_EQ(gate_.inline_asked.load(), 1);
}

TEST_F(PredictApiTest, TwoHundredSwapsFailNoRequest) {
  house_.Register("churn", 30);
  house_.Register("churn", -30);
  const std::string live = std::string(kEndpoints) + "/live";
  ASSERT_EQ(Send("PUT", live, R"({"model":"churn:v1"})").status, 200);
  std::atomic<bool> stop{false};
  std::atomic<long> failed{0}, mixed{0}, answered{0};
  {
    std::vector<exec::Worker> callers;
    for (int t = 0; t < 3; ++t) {
      callers.emplace_back("caller", [&](const exec::StopFlag&) {
        net::Client client({.url = server_->url()});
        while (!stop.load()) {
          const auto response = client.Send({.method = "POST", .path = "/e/live", .body = kBody});
          answered.fetch_add(1);
          if (!response || response->status != 200) {
            failed.fetch_add(1);
            continue;
          }
          const bool yes = response->body.find(R"("prediction":"Yes")") != std::string::npos;
          const bool first = response->body.find(R"("model":"churn:v1")") != std::string::npos;
          if (yes != first) mixed.fetch_add(1);
        }
      });
    }
    for (int i = 0; i < 200; ++i)
      ASSERT_EQ(
          Send("PUT", live, i % 2 == 0 ? R"({"model":"churn:v2"})" : R"({"model":"churn:v1"})")
              .status,
          200);
    stop.store(true);
  }
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(mixed.load(), 0);
  EXPECT_GT(answered.load(), 200);
}

}  // namespace
}  // namespace gyre::native
