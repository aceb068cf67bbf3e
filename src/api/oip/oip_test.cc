#include <gtest/gtest.h>

#include <cstdlib>

#include "api/oip/oip_api.h"
#include "api/oip/tensors.h"
#include "ml/serving/testing/house.h"
#include "platform/exec/process.h"
#include "platform/net/client.h"
#include "platform/net/server.h"
#include "platform/net/testing/house.h"

namespace gyre::oip {
namespace {

class OipTest : public testing::Test {
 protected:
  void SetUp() override {
    house_.Register("churn", 0);
    ASSERT_TRUE(house_.Deploy("churn:v1"));
    const net::RouteTable tables[] = {api_.table()};
    auto server = net::StartServer({.listen = "127.0.0.1:0"}, tables, gate_, nullptr);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
    client_ = std::make_unique<net::Client>(net::ClientSettings{.url = server_->url()});
  }
  net::ClientResponse Send(const std::string& method, const std::string& path,
                           const std::string& body = "",
                           std::vector<std::pair<std::string, std::string>> headers = {}) {
    auto response = client_->Send(
        {.method = method, .path = path, .headers = std::move(headers), .body = body});
    EXPECT_TRUE(response) << response.error().ToString();
    return response ? *response : net::ClientResponse{};
  }

  serving::TestHouse house_;
  OipApi api_{*house_.serving, "0"};
  net::OpenGate gate_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_;
};

// Without a version the endpoint's traffic is split; with one, who runs it answers.
TEST_F(OipTest, CanariesAnswerTheirShare) {
  house_.Register("churn", 3);
  ASSERT_TRUE(house_.serving->SetVariant({.project = "default",
                                          .endpoint = "churn",
                                          .variant = "canary",
                                          .reference = "churn:v2",
                                          .share = 0.5,
                                          .reason = {},
                                          .by = "ann"}));
  EXPECT_EQ(Send("GET", "/v2/models/churn/versions/2").status, 200);
  const std::string body =
      R"({"inputs":[{"name":"amount","datatype":"FP64","shape":[1],"data":[0.5]}]})";
  std::map<std::string, int> answered;
  for (int i = 0; i < 60; ++i) {
    const auto json = Json::Parse(Send("POST", "/v2/models/churn/infer", body).body);
    ASSERT_TRUE(json);
    ++answered[(*json)["model_version"].AsString()];
  }
  EXPECT_GT(answered["1"], 5);
  EXPECT_GT(answered["2"], 5);
  const auto asked = Json::Parse(Send("POST", "/v2/models/churn/versions/2/infer", body).body);
  ASSERT_TRUE(asked);
  EXPECT_EQ((*asked)["model_version"].AsString(), "2");
}

TEST_F(OipTest, TheUnmodifiedTritonClientWorks) {
  const char* deps = std::getenv("GYRE_DEPS_DIR");
  const char* home = std::getenv("HOME");
  const std::string folder =
      deps != nullptr ? deps : std::string(home != nullptr ? home : "") + "/.cache/gyre-deps";
  const std::string python = folder + "/venv-test/bin/python";
  if (!std::filesystem::exists(python))
    GTEST_SKIP() << "tritonclient is not installed: tools/deps test";
  const char* source = std::getenv("GYRE_SOURCE_DIR");
  ASSERT_NE(source, nullptr) << "GYRE_SOURCE_DIR says where the source is";
  const std::string script = std::string(source) + "/src/api/oip/oip_client.py";
  auto process = exec::Process::Spawn(
      {.argv = {python, script, fmt::format("127.0.0.1:{}", server_->port()), "churn"}});
  ASSERT_TRUE(process) << process.error().ToString();
  const auto ended = process->Wait(-1);
  ASSERT_TRUE(ended);
  ASSERT_TRUE(*ended);
  EXPECT_EQ((*ended)->code, 0);
}

TEST_F(OipTest, HealthAndMetadata) {
  EXPECT_EQ(Send("GET", "/v2/health/live").body, R"({"live":true})");
  EXPECT_EQ(Send("GET", "/v2/health/ready").body, R"({"ready":true})");
  EXPECT_EQ(Send("GET", "/v2/models").body, R"({"models":["churn"]})");
  EXPECT_EQ(Send("GET", "/v2/models/churn/ready").body, R"({"name":"churn","ready":true})");
  EXPECT_EQ(Send("GET", "/v2/models/churn/versions/1").status, 200);
  EXPECT_EQ(Send("GET", "/v2/models/churn/versions/2").status, 404);
  const net::ClientResponse missing = Send("GET", "/v2/models/other");
  EXPECT_EQ(missing.status, 404);
  EXPECT_NE(missing.body.find(R"({"error":"model `other` is not found")"), std::string::npos)
      << missing.body;
}

TEST_F(OipTest, NullsByMaskAndByNull) {
  const std::string masked = Send("POST", "/v2/models/churn/infer", R"({"id":"a","inputs":[
      {"name":"age","shape":[3],"datatype":"INT64","data":[1,2,3],"parameters":{"null_mask":"010"}},
      {"name":"amount","shape":[3,1],"datatype":"FP64","data":[[1],[null],[3]]}]})")
                                 .body;
  const std::string plain = Send("POST", "/v2/models/churn/infer", R"({"id":"a","inputs":[
      {"name":"age","shape":[3],"datatype":"INT64","data":[1,null,3]},
      {"name":"amount","shape":[3],"datatype":"FP64","data":[1,7,3],"parameters":{"null_mask":[false,true,false]}}]})")
                                .body;
  EXPECT_EQ(masked, plain);
  EXPECT_NE(masked.find("\"id\":\"a\""), std::string::npos);
}

TEST_F(OipTest, NotANumberIsNullBareOrAsText) {
  const auto answer = [&](std::string_view amounts) {
    return Send("POST", "/v2/models/churn/infer",
                fmt::format(R"({{"id":"NaN \" NaN","inputs":[)"
                            R"({{"name":"amount","shape":[2],"datatype":"FP64","data":[{}]}}]}})",
                            amounts));
  };
  const auto null = answer("1,null"), bare = answer("1, NaN"), text = answer(R"(1,"NaN")");
  EXPECT_EQ(null.status, 200) << null.body;
  EXPECT_EQ(bare.body, null.body);
  EXPECT_EQ(text.body, null.body);
  EXPECT_EQ(answer("Infinity,-Infinity").status, 200);
  for (const char* broken : {"1,NaNN", "1,nan", "1,-NaN", "1,\"x\"", "1,+Infinity"})
    EXPECT_EQ(answer(broken).status, 400) << broken;
}

TEST_F(OipTest, ZeroRowsGiveZeroAnswers) {
  const net::ClientResponse response =
      Send("POST", "/v2/models/churn/infer",
           R"({"inputs":[{"name":"age","shape":[0],"datatype":"INT64","data":[]}]})");
  EXPECT_EQ(response.status, 200) << response.body;
}

TEST_F(OipTest, WrongRequestsAre400WithAReason) {
  const std::string deep(200, '[');
  const std::vector<std::string> bodies = {
      "",
      "[]",
      "{}",
      R"({"inputs":[]})",
      R"({"inputs":[{}]})",
      R"({"inputs":[{"name":"age"}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64"}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT65","shape":[1],"data":[1]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[-1],"data":[1]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[9223372036854775807],"data":[1]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1,2],"data":[1,2]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[2],"data":[1]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":["x"]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":[1.5]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":[{}]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":[1],"parameters":{"null_mask":"01"}}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":[1],"parameters":{"binary_data_size":8}}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":[1]},{"name":"age","datatype":"INT64","shape":[1],"data":[1]}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":[1]}],"outputs":[{"name":"x"}]})",
      R"({"inputs":[{"name":"age","datatype":"INT64","shape":[1],"data":[1]}],"outputs":[{"name":"prediction"},{"name":"prediction"}]})",
      "{\"inputs\":" + deep};
  for (const std::string& body : bodies) {
    const net::ClientResponse response = Send("POST", "/v2/models/churn/infer", body);
    EXPECT_EQ(response.status, 400) << body << " -> " << response.body;
    EXPECT_TRUE(response.body.starts_with("{\"error\":")) << response.body;
  }
}

TEST_F(OipTest, BrokenBinaryTensors) {
  const auto infer = [&](const std::string& json, const std::string& binary,
                         const std::string& length) {
    return Send("POST", "/v2/models/churn/infer", json + binary,
                {{"Inference-Header-Content-Length", length}})
        .status;
  };
  const std::string text =
      R"({"inputs":[{"name":"country","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":12}}]})";
  const std::string good("\2\0\0\0NL\2\0\0\0DE", 12);
  const std::string size = std::to_string(text.size());
  EXPECT_EQ(infer(text, good, size), 200);
  EXPECT_EQ(infer(text, good + "x", size), 400);
  EXPECT_EQ(infer(text, good.substr(0, 11), size), 400);
  EXPECT_EQ(infer(text, std::string("\2\0\0\0NL\3\0\0\0DE", 12), size), 400);
  EXPECT_EQ(infer(text, std::string("\2\0\0\0NL\377\377\377\377DE", 12), size), 400);
  EXPECT_EQ(infer(text, std::string("\2\0\0\0\377\377\2\0\0\0DE", 12), size), 400);
  for (const char* length : {"0", "-1", "x", "99999999999999999999", "100000"})
    EXPECT_EQ(infer(text, good, length), 400) << length;
}

TEST(Tensors, HalfPrecision) {
  const table::Schema schema = {{"x", table::Type::kDouble}};
  InferBody body;
  body.document = *Json::Parse(
      R"({"inputs":[{"name":"x","datatype":"FP16","shape":[4],"parameters":{"binary_data_size":8}}]})");
  body.binary =
      std::string_view("\x00\x3c\x00\xc0\x00\x7e\x01\x00", 8);  // 1, -2, NaN, the smallest
  const auto frame = FrameOfInputs(body, schema, {}, 10);
  ASSERT_TRUE(frame) << frame.error().ToString();
  EXPECT_EQ(frame->columns[0].doubles[0], 1.0);
  EXPECT_EQ(frame->columns[0].doubles[1], -2.0);
  EXPECT_FALSE(frame->columns[0].IsValid(2));
  EXPECT_EQ(frame->columns[0].doubles[3], 0x1p-24);
}

}  // namespace
}  // namespace gyre::oip
