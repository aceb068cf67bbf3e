#include <gtest/gtest.h>

#include "api/mlflow/testing/mlflow_house.h"
#include "api/mlflow/webhook_events.h"
#include "api/mlflow/webhooks_api.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/mutex.h"
#include "ledger/lineage/lineage.h"
#include "ledger/secrets/secrets.h"
#include "ledger/trash/trash.h"
#include "ml/registry/catalog.h"
#include "platform/blob/blob_store.h"
#include "platform/net/egress.h"
#include "platform/telemetry/metrics.h"

namespace gyre::mlflow {
namespace {

// What a receiver got.
class Receiver {
 public:
  static Result<net::Response> Take(void* self, net::Request& request) {
    auto* const receiver = static_cast<Receiver*>(self);
    for (const char* name : {"X-MLflow-Signature", "X-MLflow-Timestamp", "X-MLflow-Delivery-Id"})
      receiver->headers[name] = std::string(request.Header(name).value_or(""));
    receiver->body = request.body();
    return net::Response::Text("thanks");
  }
  std::map<std::string, std::string> headers;
  std::string body;
};
constexpr net::Route kHooks[] = {{.method = net::Method::kPost,
                                  .path = "/hook",
                                  .handler = &Receiver::Take,
                                  .permission = net::kPublic,
                                  .summary = "Takes",
                                  .body = net::Body::kBuffer}};

class WebhooksTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), trash::TrashSchema(),
                  events::EventsSchema(), secrets::SecretsSchema(), notices::NoticesSchema(),
                  registry::RegistrySchema()});
    events_ = events::OpenEvents(*database_, clock_);
    secrets_ = *secrets::OpenSecrets(*database_, folder_ + "/master.key", clock_);
    registry_.emplace(*database_, clock_, events_.get());
    catalog_.emplace(*database_, clock_, events_.get());
    Open("");
  }
  ~WebhooksTest() override {
    server_.reset();
    api_.reset();
    notices_.reset();
    catalog_.reset();
    registry_.reset();
    secrets_.reset();
    events_.reset();
  }
  // With these addresses beside public ones.
  void Open(const std::string& allow) {
    server_.reset();
    api_.reset();
    notices_.reset();
    guard_ = *net::EgressGuard::Parse(allow);
    notices_ = notices::OpenNotices({*database_, *events_, *secrets_, metrics_, guard_, clock_},
                                    {.threads = 0});
    api_.emplace(*projects_, *notices_, *secrets_, clock_);
    const net::RouteTable tables[] = {api_->table(), {"hooks", kHooks, &receiver_}};
    StartServer(tables);
  }
  Json Ask(const std::string& method, const std::string& path, const std::string& body = "",
           int status = 200) {
    const auto answer = Send(method, "/api/2.0/mlflow/webhooks" + path, body);
    EXPECT_EQ(answer.status, status) << method << path << " " << body << " " << answer.body;
    return Json::Parse(answer.body).value_or(Json());
  }
  static std::string Hook(const std::string& url, const std::string& events,
                          const std::string& more = "") {
    return R"({"name":"hook","url":")" + url + R"(","events":[)" + events + "]" + more + "}";
  }
  // Tells all that has happened to the webhooks, twice: a process may die in between.
  void Tell() {
    const auto all = events_->List({.kind = "model.", .after = 0});
    ASSERT_TRUE(all);
    for (int i = 0; i < 2; ++i) {
      for (const events::Event& event : *all)
        ASSERT_TRUE(TellWebhooks(*registry_, *notices_, event)) << event.kind;
    }
  }

  Receiver receiver_;
  telemetry::Metrics metrics_;
  net::EgressGuard guard_;
  std::unique_ptr<events::Events> events_;
  std::unique_ptr<secrets::Secrets> secrets_;
  std::optional<registry::Registry> registry_;
  std::optional<registry::Catalog> catalog_;
  std::unique_ptr<notices::Notices> notices_;
  std::optional<WebhooksApi> api_;
};

constexpr const char* kCreated = R"({"entity":"MODEL_VERSION","action":"CREATED"})";

TEST_F(WebhooksTest, AWebhookLives) {
  const Json made = Ask("POST", "",
                        Hook("https://example.org/h", kCreated,
                             R"(,"description":"d","secret":"s3cret")"))["webhook"];
  const std::string id = made["webhook_id"].AsString();
  ASSERT_FALSE(id.empty());
  EXPECT_EQ(made.Dump(),
            R"({"webhook_id":")" + id +
                R"(","name":"hook","url":"https://example.org/h","events":[{"entity":)"
                R"("MODEL_VERSION","action":"CREATED"}],"description":"d","status":"ACTIVE",)"
                R"("creation_timestamp":1700000000000,"last_updated_timestamp":1700000000000})");
  EXPECT_EQ(made.Dump().find("s3cret"), std::string::npos);
  EXPECT_EQ(Ask("GET", "/" + id)["webhook"].Dump(), made.Dump());
  EXPECT_EQ(Ask("GET", "")["webhooks"].size(), 1u);
  const Json changed =
      Ask("PATCH", "/" + id, R"({"name":"other","status":"DISABLED","description":""})");
  EXPECT_EQ(changed["webhook"]["name"].AsString(), "other");
  EXPECT_EQ(changed["webhook"]["status"].AsString(), "DISABLED");
  EXPECT_EQ(changed["webhook"]["url"].AsString(), "https://example.org/h");
  EXPECT_EQ(Ask("DELETE", "/" + id, "{}").Dump(), "{}");
  EXPECT_TRUE(secrets_->List("default")->empty());
  EXPECT_EQ(Ask("GET", "/" + id, "", 404)["message"].AsString(),
            "Webhook with ID " + id + " not found.");
  EXPECT_EQ(Ask("GET", "").Dump(), "{}");
}

TEST_F(WebhooksTest, ListsGoOnBehindAPage) {
  for (int i = 0; i < 3; ++i) Ask("POST", "", Hook("https://example.org/h", kCreated));
  const Json first = Ask("GET", "?max_results=2");
  EXPECT_EQ(first["webhooks"].size(), 2u);
  const Json second =
      Ask("GET", "?max_results=2&page_token=" + first["next_page_token"].AsString());
  EXPECT_EQ(second["webhooks"].size(), 1u);
  EXPECT_FALSE(second.Has("next_page_token"));
  Ask("GET", "?page_token=x", "", 400);
}

TEST_F(WebhooksTest, LeadsNowhereInside) {
  for (const char* url :
       {"http://169.254.169.254/latest", "http://127.0.0.1:80/", "http://[::1]/",
        "http://10.0.0.1/", "file:///etc/passwd", "ftp://example.org/", "http://", "nothing"}) {
    const Json refused = Ask("POST", "", Hook(url, kCreated), 400);
    EXPECT_EQ(refused["error_code"].AsString(), "INVALID_PARAMETER_VALUE") << url;
  }
  // What is no plain address is looked at when it is called.
  for (const char* url : {"http://localhost:1/h", "http://0177.0.0.1:1/h"}) {
    const Json made = Ask("POST", "", Hook(url, kCreated))["webhook"];
    const Json tried = Ask("POST", "/" + made["webhook_id"].AsString() + "/test", "{}")["result"];
    EXPECT_FALSE(tried["success"].AsBool()) << url;
    EXPECT_NE(tried["error_message"].AsString().find("GY1626"), std::string::npos) << tried.Dump();
  }
}

TEST_F(WebhooksTest, SecretsAreOfWebhooksThatWereTaken) {
  const char* const secret = R"(,"secret":"s3cret")";
  Ask("POST", "", Hook("http://127.0.0.1:80/", kCreated, secret), 400);
  EXPECT_TRUE(secrets_->List("default")->empty());
  ASSERT_TRUE(secrets_->Put("default", "slack", "https://example.org/known", "ann").has_value());
  Ask("POST", "", Hook("secret:slack", kCreated), 400);
  const Json made = Ask("POST", "", Hook("https://example.org/h", kCreated))["webhook"];
  const std::string id = made["webhook_id"].AsString();
  // Its own is the only one beside slack's.
  const auto kept = [&]() -> Result<std::string> {
    GYRE_TRY(const auto all, secrets_->List("default"));
    EXPECT_EQ(all.size(), 2u);
    for (const secrets::SecretInfo& one : all)
      if (one.name.starts_with("mlflow-webhook-" + id))
        return secrets_->Resolve("default", "secret:" + one.name);
    return NotFound("GY4142", "none");
  };
  Ask("PATCH", "/" + id, R"({"secret":"one"})");
  EXPECT_EQ(kept().value(), "one");
  Ask("PATCH", "/" + id, R"({"url":"http://127.0.0.1:80/","secret":"two"})", 400);
  EXPECT_EQ(kept().value(), "one");
  Ask("PATCH", "/" + id, R"({"secret":"three"})");
  EXPECT_EQ(kept().value(), "three");
  Ask("PATCH", "/" + id, R"({"secret":""})");
  EXPECT_EQ(secrets_->List("default")->size(), 1u) << "only slack's";
  Ask("POST", "",
      Hook("https://example.org/h", kCreated, R"(,"secret":")" + std::string(200'000, 's') + "\""),
      400);
  EXPECT_EQ(Ask("GET", "")["webhooks"].size(), 1u) << "one that is refused is not there";
}

TEST_F(WebhooksTest, SaysWhatIsWrong) {
  Ask("POST", "", Hook("https://example.org/", ""), 400);
  Ask("POST", "", Hook("https://example.org/", R"({"entity":"MODEL","action":"CREATED"})"), 400);
  Ask("POST", "",
      R"({"name":"-a","url":"https://example.org/","events":[)" + std::string(kCreated) + "]}",
      400);
  Ask("POST", "", Hook("https://example.org/", kCreated, R"(,"status":"x")"), 400);
}

TEST_F(WebhooksTest, ATrialIsSignedAsMlflowSigns) {
  Open("loopback");
  const Json made = Ask(
      "POST", "", Hook(server_->url() + "/hook", kCreated, R"(,"secret":"whsec_x")"))["webhook"];
  const std::string path = "/" + made["webhook_id"].AsString() + "/test";
  EXPECT_EQ(Ask("POST", path, "{}")["result"].Dump(),
            R"({"success":true,"response_status":200,"response_body":"thanks"})");
  const auto body = Json::Parse(receiver_.body);
  ASSERT_TRUE(body) << receiver_.body;
  EXPECT_EQ((*body)["entity"].AsString(), "model_version");
  EXPECT_EQ((*body)["data"]["name"].AsString(), "example_model");
  std::string digest;
  ASSERT_TRUE(HexDecode(
      HmacSha256Hex("whsec_x", receiver_.headers["X-MLflow-Delivery-Id"] + "." +
                                   receiver_.headers["X-MLflow-Timestamp"] + "." + receiver_.body),
      &digest));
  EXPECT_EQ(receiver_.headers["X-MLflow-Signature"], "v1," + Base64Encode(digest));
  Ask("POST", path, R"({"event":{"entity":"PROMPT","action":"CREATED"}})");
  EXPECT_EQ((*Json::Parse(receiver_.body))["entity"].AsString(), "prompt");
  const Json away = Ask("POST", "", Hook(server_->url() + "/nothing", kCreated))["webhook"];
  const Json failed = Ask("POST", "/" + away["webhook_id"].AsString() + "/test", "{}")["result"];
  EXPECT_FALSE(failed["success"].AsBool());
  EXPECT_EQ(failed["response_status"].AsInt(), 404);
}

TEST_F(WebhooksTest, EventsOfTheRegistryWaitForWhoListensOnce) {
  Ask("POST", "",
      Hook("https://example.org/a",
           std::string(kCreated) + R"(,{"entity":"MODEL_VERSION_ALIAS","action":"DELETED"})"));
  Ask("POST", "", Hook("https://example.org/b", kCreated, R"(,"status":"DISABLED")"));
  Ask("POST", "",
      Hook("https://example.org/p", R"({"entity":"PROMPT_VERSION","action":"CREATED"})"));
  ASSERT_TRUE(catalog_->Create({.project = "default", .title = "My model"}));
  const auto version =
      catalog_->Log({.project = "default", .title = "My model", .source = "s3://b/m"});
  ASSERT_TRUE(version);
  ASSERT_TRUE(catalog_->SetVersionTags(version->id, {{"k", "v"}}));
  ASSERT_TRUE(registry_->MoveAlias({.project = "default",
                                    .model = "My-model",
                                    .alias = "prod",
                                    .version = 1,
                                    .reason = {},
                                    .moved_by = "ann"}));
  ASSERT_TRUE(registry_->RemoveAlias("default", "My-model", "prod", "", "ann"));
  const registry::Tags prompt = {{std::string(registry::kPromptTag), "true"},
                                 {"mlflow.prompt.text", "Hi {{x}}"},
                                 {"own", "1"}};
  ASSERT_TRUE(catalog_->Create(
      {.project = "default", .title = "p", .tags = {{std::string(registry::kPromptTag), "true"}}}));
  ASSERT_TRUE(catalog_->Log(
      {.project = "default", .title = "p", .source = "dummy-source", .tags = prompt}));
  Tell();
  const auto told = notices_->List({.project = "default"});
  ASSERT_TRUE(told);
  std::vector<std::string> said;
  for (const notices::Notice& notice : *told) {
    EXPECT_EQ(notice.deliveries.size(), 1u) << notice.kind;
    said.push_back(notice.kind + " " + (*Json::Parse(notice.payload))["data"].Dump());
  }
  EXPECT_EQ(
      said,
      (std::vector<std::string>{
          R"(mlflow.prompt_version.created {"name":"p","version":"1","template":"Hi {{x}}","tags":{"own":"1"},"description":null})",
          R"(mlflow.model_version_alias.deleted {"name":"My model","alias":"prod"})",
          R"(mlflow.model_version.created {"name":"My model","version":"1","source":"s3://b/m","run_id":null,"tags":{"k":"v"},"description":null})"}));
}

TEST_F(WebhooksTest, LongValuesAreShortenedAndTheDocumentStaysWhole) {
  Ask("POST", "", Hook("https://example.org/a", kCreated));
  std::string umlauts;
  for (int i = 0; i < 45'000; ++i) umlauts += "\xc3\xbc";
  ASSERT_TRUE(catalog_->Create({.project = "default", .title = "m"}));
  ASSERT_TRUE(catalog_->Log({.project = "default",
                             .title = "m",
                             .source = "s3://b/m",
                             .tags = {{"a", umlauts}, {"b", umlauts}, {"c", "short"}}}));
  registry::Tags many;
  for (int i = 0; i < 2'000; ++i) many[fmt::format("a tag of many {:05}", i)] = "its own value";
  ASSERT_TRUE(catalog_->Log(
      {.project = "default", .title = "m", .source = "s3://b/m", .tags = std::move(many)}));
  Tell();
  const auto told = notices_->List({.project = "default"});
  ASSERT_TRUE(told);
  ASSERT_EQ(told->size(), 2u);
  const auto shortened = Json::Parse((*told)[1].payload), bare = Json::Parse((*told)[0].payload);
  ASSERT_TRUE(shortened && bare);
  const Json& tags = (*shortened)["data"]["tags"];
  EXPECT_EQ(tags["c"].AsString(), "short");
  EXPECT_EQ(tags["a"].AsString(), umlauts.substr(0, 10'000) + "\xe2\x80\xa6");
  EXPECT_EQ((*bare)["data"]["version"].AsString(), "2");
  EXPECT_EQ((*bare)["data"]["tags"].size(), 0u);
}

}  // namespace
}  // namespace gyre::mlflow
