#include <gtest/gtest.h>

#include <limits>

#include "api/mlflow/answer.h"
#include "api/mlflow/arguments.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/request_document.h"

namespace gyre::mlflow {
namespace {

std::string Printed(std::string_view json) {
  const auto document = RequestDocument::ParseAny(json);
  if (!document) return document.error().ToString();
  std::string out;
  document->root().PrintTo(&out);
  return out;
}

TEST(RequestDocument, PrintsAsPythonDoes) {
  EXPECT_EQ(Printed(R"({"b": [1, 2.0, 1e-5], "a": null, "c": {"x": true}})"),
            R"({"a":null,"b":[1,2.0,1e-05],"c":{"x":true}})");
  EXPECT_EQ(Printed(R"("größe 🙂")"), R"("gr\u00f6\u00dfe \ud83d\ude42")");
  EXPECT_EQ(Printed("9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(Printed("[]"), "[]");
}

TEST(RequestDocument, ReadsWhatOldClientsSend) {
  for (const char* body : {R"({"a":1})", R"("{\"a\":1}")"}) {
    const auto document = RequestDocument::Parse(body);
    ASSERT_TRUE(document) << document.error().ToString();
    EXPECT_EQ(document->root()["a"].whole(), 1) << body;
  }
  for (const char* body : {"", "null", "{}", "\"null\""}) {
    const auto document = RequestDocument::Parse(body);
    ASSERT_TRUE(document) << body;
    EXPECT_TRUE(document->root().is_object());
    EXPECT_EQ(document->root().size(), 0U);
  }
  for (const char* body : {"[]", "5", "{", "\"a\"", "\xff", "{\"a\":123456789012345678901234}"})
    EXPECT_FALSE(RequestDocument::Parse(body)) << body;
  EXPECT_FALSE(RequestDocument::Parse(std::string(100, '[') + std::string(100, ']')));
}

TEST(RequestDocument, TheLastOfTwoMembersCountsAsInPython) {
  const auto document = RequestDocument::Parse(R"({"a":1,"b":{"a":5},"a":2})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root()["a"].whole(), 2);
  EXPECT_EQ(document->root()["b"]["a"].whole(), 5);
  EXPECT_FALSE(document->root()["c"].there());
}

// A request of one route with these fields.
class FakeRequest final : public net::Request {
 public:
  FakeRequest(net::Method method, net::Fields fields, std::string body)
      : method_(method), body_(std::move(body)) {
    row_ = {.method = method,
            .path = "/",
            .handler = nullptr,
            .permission = net::kPublic,
            .summary = "",
            .any_query = true};
    (method == net::Method::kGet ? row_.query : row_.members) = fields;
    route = &row_;
  }
  net::Method method() const override { return method_; }
  std::string_view path() const override { return "/"; }
  std::optional<std::string_view> Header(std::string_view name) const override {
    if (name == "content-type" && type) return *type;
    return std::nullopt;
  }
  std::string_view body() const override { return body_; }
  net::BodyReader& body_reader() override { CheckFailed("no body", __FILE__, __LINE__); }
  const net::Peer& peer() const override { return peer_; }
  const std::string& id() const override { return id_; }
  bool client_gone() const override { return false; }

  std::optional<std::string> type = "application/json; charset=utf-8";

 private:
  net::Method method_;
  std::string body_, id_;
  net::Peer peer_;
  net::Route row_{.method = net::Method::kGet,
                  .path = "/",
                  .handler = nullptr,
                  .permission = net::kPublic,
                  .summary = ""};
};

constexpr net::Field kFields[] = {
    {"run_id", net::Type::kText, "", "", net::kRequired},
    {"value", net::Type::kNumber, ""},
    {"step", net::Type::kWhole, ""},
    {"experiment_ids", net::Type::kTexts, ""},
    {"tags", net::Type::kObjects, ""},
    {"allow", net::Type::kBool, ""},
};
net::Fields AllFields() {
  static const net::Fields fields = {kFields[0], kFields[1], kFields[2],
                                     kFields[3], kFields[4], kFields[5]};
  return fields;
}

std::string Refusal(std::string body) {
  const auto arguments = Arguments::Read(FakeRequest(net::Method::kPost, AllFields(), body));
  return arguments ? "taken" : arguments.error().message();
}

TEST(Arguments, SayWhatIsMissingInMlflowsWords) {
  const std::string see = " See the API docs for more information about request parameters.";
  const std::string missing = "Missing value for required parameter 'run_id'." + see;
  EXPECT_EQ(Refusal("{}"), missing);
  EXPECT_EQ(Refusal(R"({"run_id":""})"), missing);
  EXPECT_EQ(Refusal(R"({"run_id":null})"), missing);
  EXPECT_EQ(
      Refusal(R"({"run_id":5})"),
      "Invalid value 5 for parameter 'run_id' supplied:  Hint: Value was of type 'int'." + see);
  EXPECT_EQ(Refusal(R"({"run_id":"r","step":{"b":1,"a":[2]}})"),
            "Invalid value {\"a\":[2],\"b\":1} for parameter 'step' supplied:  Hint: Value was of "
            "type 'dict'." +
                see);
  EXPECT_EQ(Refusal(R"({"run_id":"r","value":true})"), "taken") << "protobuf takes it for 1";
  EXPECT_EQ(
      Refusal(R"({"run_id":"r","value":[]})"),
      "Invalid value [] for parameter 'value' supplied:  Hint: Value was of type 'list'." + see);
  EXPECT_EQ(
      Refusal(R"({"run_id":"r","tags":{}})"),
      "Invalid value {} for parameter 'tags' supplied:  Hint: Value was of type 'dict'." + see);
  EXPECT_EQ(
      Refusal(R"({"run_id":"r","step":"1.5"})"),
      "Invalid value \"1.5\" for parameter 'step' supplied:  Hint: Value was of type 'str'." + see);
}

TEST(Arguments, AreAsLenientAsProtobuf) {
  const FakeRequest request(net::Method::kPost, AllFields(),
                            R"({"run_uuid":"abc","value":"-Infinity","step":"7","unknown":[1],
                               "experiment_ids":[0,"12"],"tags":null,"allow":true})");
  const auto arguments = Arguments::Read(request);
  ASSERT_TRUE(arguments) << arguments.error().ToString();
  EXPECT_EQ(arguments->Text("run_id"), "abc");
  EXPECT_EQ(arguments->Number("value"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(arguments->Whole("step"), 7);
  EXPECT_EQ(arguments->Texts("experiment_ids"), (std::vector<std::string>{"0", "12"}));
  EXPECT_FALSE(arguments->Has("tags"));
  EXPECT_TRUE(arguments->Bool("allow"));
  EXPECT_EQ(Refusal(R"({"run_id":"r","step":3.0,"value":"NaN"})"), "taken");
}

TEST(Arguments, OfAQueryAreTexts) {
  FakeRequest request(net::Method::kGet, AllFields(), "");
  request.query = {{"run_id", "r"},         {"step", "320"},   {"experiment_ids", "1"},
                   {"experiment_ids", "2"}, {"allow", "TRUE"}, {"other", "x"}};
  const auto arguments = Arguments::Read(request);
  ASSERT_TRUE(arguments) << arguments.error().ToString();
  EXPECT_EQ(arguments->Text("run_id"), "r");
  EXPECT_EQ(arguments->Whole("step"), 320);
  EXPECT_EQ(arguments->Texts("experiment_ids"), (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(arguments->Bool("allow"));
  request.query = {{"run_id", "r"}, {"allow", "yes"}};
  const auto refused = Arguments::Read(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "Invalid boolean value: yes, must be 'true' or 'false'.");
}

TEST(Arguments, APostSaysThatItIsJson) {
  FakeRequest request(net::Method::kPost, AllFields(), R"({"run_id":"r"})");
  request.type = "text/plain";
  EXPECT_EQ(Arguments::Read(request).error().message(),
            "Bad Request. Content-Type must be one of ['application/json'].");
  request.type.reset();
  EXPECT_EQ(Arguments::Read(request).error().message(),
            "Bad Request. Content-Type header is missing.");
  FakeRequest patch(net::Method::kPatch, AllFields(), R"({"run_id":"r"})");
  patch.type.reset();
  EXPECT_TRUE(Arguments::Read(patch));
}

TEST(AnswerWriter, WritesCompactJson) {
  std::string body;
  AnswerWriter out(&body);
  out.Object().Text("name", "a\"b").Whole("step", -5).TextUnlessEmpty("none", "");
  out.List("values").Number("", 0.5).Number("", std::nan("")).Number("", -INFINITY).End();
  out.List("runs").Object().Bool("x", true).End().Object().End().End().End();
  EXPECT_EQ(body, R"({"name":"a\"b","step":-5,"values":[0.5,"NaN","-Infinity"],)"
                  R"("runs":[{"x":true},{}]})");
  EXPECT_EQ(EmptyAnswer().body, "{}");
}

TEST(ErrorDocument, NamesWhatClientsKnow) {
  const net::Response missing = ErrorDocument(NotFound("GY3401", "Run with id=x not found"), "id");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body,
            R"({"error_code":"RESOURCE_DOES_NOT_EXIST","message":"Run with id=x not found",)"
            R"("sqlstate":"KAM00","error_class":"RESOURCE_NOT_FOUND"})");
  // The rule follows MLflow's text, whose end is the client's to compare.
  const auto message = [](const Error& error) {
    return Json::Parse(ErrorDocument(error, "").body).value_or(Json())["message"].AsString();
  };
  EXPECT_EQ(message(InvalidArgument("GY3431", "Invalid clause 'x'").Why("a field stands here")),
            "Invalid clause 'x': a field stands here");
  EXPECT_EQ(message(InvalidArgument("GY3431", "Could not be parsed.").Why("an order is a field")),
            "Could not be parsed. An order is a field");
  EXPECT_EQ(ErrorDocument(MakeError(Code::kAlreadyExists, "GY3420", "taken"), "").status, 400);
  const net::Response unknown =
      ErrorDocument(MakeError(Code::kUnauthenticated, "GY1701", "nobody is logged in"), "");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_NE(unknown.body[0], '{');
  EXPECT_EQ(unknown.headers[0].second, "Basic realm=\"mlflow\"");
}

}  // namespace
}  // namespace gyre::mlflow
