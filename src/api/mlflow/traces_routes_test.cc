#include <gtest/gtest.h>
#include <zlib.h>

#include "api/mlflow/assessments_api.h"
#include "api/mlflow/otlp_api.h"
#include "api/mlflow/testing/mlflow_house.h"
#include "api/mlflow/traces_api.h"
#include "base/base64.h"
#include "base/hash.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"

namespace gyre::mlflow {
namespace {

constexpr std::string_view kTraceHex = "00112233445566778899aabbccddeeff";
const std::string kTraceId = "tr-" + std::string(kTraceHex);

// Fields of protobuf.
std::string Bytes(int number, std::string_view bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  for (std::size_t size = bytes.size(); true; size >>= 7) {
    const bool more = size >= 128;
    out += static_cast<char>((size & 127) | (more ? 128 : 0));
    if (!more) return out.append(bytes);
  }
}
std::string Varint(int number, int value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}
std::string Fixed(int number, std::uint64_t value) {
  std::string out(1, static_cast<char>(number << 3 | 1));
  for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i) & 255);
  return out;
}
std::string Attribute(std::string_view key, const std::string& value) {
  return Bytes(9, Bytes(1, key) + Bytes(2, value));
}
std::string FromHex(std::string_view hex) {
  std::string bytes;
  EXPECT_TRUE(HexDecode(hex, &bytes));
  return bytes;
}
std::string SpanBytes(const std::string& more, std::string_view id = "1111111111111111") {
  return Bytes(1, FromHex(kTraceHex)) + Bytes(2, FromHex(id)) + Bytes(5, "by otlp") +
         Fixed(7, 1'700'000'000'000'000'000) + Fixed(8, 1'700'000'000'005'000'000) + more;
}
std::string RequestBytes(const std::string& span) {
  return Bytes(1, Bytes(1, Bytes(1, Bytes(1, "service.name") + Bytes(2, Bytes(1, "shop")))) +
                      Bytes(2, Bytes(2, span)));
}
std::string Gzip(std::string text) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class TracesRoutesTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), usage::UsageSchema(),
                  trash::TrashSchema(), tracking::TrackingSchema(), traces::TracesSchema()});
    blobs_ = *blob::OpenLocalStore(folder_ + "/blobs");
    experiments_ = *tracking::OpenExperiments(*database_, clock_, stamps_);
    tracking_ = *tracking::OpenTracking(*database_, clock_, stamps_);
    traces_ = *traces::OpenTraces(*database_, clock_);
    files_ = std::make_unique<tracking::Files>(*database_);
    traces_api_ = std::make_unique<TracesApi>(*projects_, *experiments_, *tracking_, *traces_,
                                              *files_, *blobs_);
    assessments_api_ = std::make_unique<AssessmentsApi>(*projects_, *traces_);
    otlp_api_ = std::make_unique<OtlpApi>(*projects_, *experiments_, *tracking_, *traces_);
    const net::RouteTable tables[] = {traces_api_->table(), assessments_api_->table(),
                                      otlp_api_->table()};
    StartServer(tables);
  }
  Json Ask(const std::string& method, const std::string& path, const std::string& body = "",
           int status = 200, const std::string& prefix = "/api/3.0/mlflow/traces") {
    const auto answer = Send(method, prefix + path, body);
    EXPECT_EQ(answer.status, status) << path << " " << body << " " << answer.body;
    return Json::Parse(answer.body).value_or(Json());
  }
  Json AskV2(const std::string& method, const std::string& path, const std::string& body = "",
             int status = 200) {
    return Ask(method, path, body, status, "/api/2.0/mlflow/traces");
  }
  std::string Start(const std::string& id, const std::string& more = "") {
    return Ask("POST", "", InfoBody(id, more))["trace"]["trace_info"].Dump();
  }
  static std::string InfoBody(const std::string& id, const std::string& more) {
    return R"({"trace":{"trace_info":{"trace_id":")" + id +
           R"(","trace_location":{"mlflow_experiment":{"experiment_id":"0"}},)"
           R"("request_time":"2026-01-02T03:04:05Z","execution_duration":"1.500s","state":"OK")" +
           more + "}}}";
  }
  net::ClientResponse Export(const std::string& body,
                             std::vector<std::pair<std::string, std::string>> headers,
                             const std::string& prefix = "") {
    return Send("POST", prefix + "/v1/traces", body, std::move(headers));
  }

  tracking::RunStamps stamps_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<tracking::Experiments> experiments_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<traces::Traces> traces_;
  std::unique_ptr<tracking::Files> files_;
  std::unique_ptr<TracesApi> traces_api_;
  std::unique_ptr<AssessmentsApi> assessments_api_;
  std::unique_ptr<OtlpApi> otlp_api_;
};

TEST_F(TracesRoutesTest, ATraceIsTold) {
  EXPECT_EQ(
      Start("tr-1", R"(,"request_preview":"q","client_request_id":"c1","trace_metadata":{"m":"n"},)"
                    R"("tags":{"k":"v","mlflow.artifactLocation":"file:///etc"})"),
      R"({"trace_id":"tr-1","trace_location":{"type":"MLFLOW_EXPERIMENT","mlflow_experiment":)"
      R"({"experiment_id":"0"}},"request_time":"2026-01-02T03:04:05Z","state":"OK",)"
      R"("client_request_id":"c1","request_preview":"q","execution_duration":"1.500s",)"
      R"("trace_metadata":{"m":"n"},"tags":{"k":"v","mlflow.artifactLocation":)"
      R"("mlflow-artifacts:/0/traces/tr-1/artifacts"}})");
  EXPECT_EQ(Ask("GET", "/nothing", "", 404)["message"].AsString(),
            "Trace with ID 'nothing' not found.");
  Ask("GET", "/tr-1", "", 404, "/p/blue/api/3.0/mlflow/traces");
  Ask("PATCH", "/tr-1/tags", R"({"key":"a","value":"1"})");
  AskV2("PATCH", "/tr-1/tags", R"({"key":"b","value":"2"})");
  AskV2("DELETE", "/tr-1/tags", R"({"key":"k"})");
  const Json tags = Ask("GET", "/tr-1")["trace"]["trace_info"]["tags"];
  EXPECT_EQ(tags["a"].AsString() + tags["b"].AsString() + tags["k"].AsString(), "12");
  EXPECT_EQ(Ask("DELETE", "/tr-1/tags", R"({"key":"k"})", 404)["message"].AsString(),
            "No trace tag with key 'k' for trace with ID 'tr-1'");
  EXPECT_EQ(
      Ask("PATCH", "/tr-1/tags", R"({"key":"mlflow.artifactLocation","value":"x"})", 400)["message"]
          .AsString(),
      "Tag 'mlflow.artifactLocation' is immutable and cannot be set on a trace.");
}

TEST_F(TracesRoutesTest, MistakesAreTheCallers) {
  for (const std::string body :
       {R"({})", R"({"trace":5})", R"({"trace":{}})", R"({"trace":{"trace_info":[]}})",
        R"({"trace":{"trace_info":{"trace_id":"x"}}})"})
    EXPECT_EQ(Ask("POST", "", body, 400)["error_code"].AsString(), "INVALID_PARAMETER_VALUE");
  for (const std::string more :
       {R"(,"state":"GREAT")", R"(,"request_time":"x")", R"(,"execution_duration":"1h")",
        R"(,"tags":{"k":5})", R"(,"tags":[])", R"(,"assessments":[{}])"})
    Ask("POST", "", InfoBody("x", more), 400);
  Ask("POST", "", InfoBody("../x", ""), 400);
  Ask("POST", "/search", R"({"locations":[{}],"max_results":501})", 400);
  Ask("POST", "/search", R"({"locations":[{}],"max_results":0})", 400);
  Ask("POST", "/search", R"({"locations":[]})", 200);
  Ask("POST", "/search", R"({"locations":[{}],"filter":"tags.k RLIKE '('"})", 400);
  for (const std::string more : {"", R"(,"max_traces":5)", R"(,"request_ids":["a"],"max_traces":1)",
                                 R"(,"max_timestamp_millis":5,"max_traces":0)",
                                 R"(,"max_timestamp_millis":5,"request_ids":["a"])"})
    Ask("POST", "/delete-traces", R"({"experiment_id":"0")" + more + "}", 400);
  AskV2("POST", "/link-to-run", R"({"trace_ids":["a"],"run_id":"x"})", 404);
}

TEST_F(TracesRoutesTest, TracesAreFoundPageByPage) {
  for (const std::string id : {"a", "b", "c"}) Start(id, R"(,"tags":{"k":")" + id + R"("})");
  const std::string where =
      R"({"locations":[{"mlflow_experiment":{"experiment_id":"0"}}],"max_results":2)";
  const Json first = Ask("POST", "/search", where + "}");
  ASSERT_EQ(first["traces"].size(), 2u);
  const Json second =
      Ask("POST", "/search",
          where + R"(,"page_token":")" + first["next_page_token"].AsString() + R"("})");
  ASSERT_EQ(second["traces"].size(), 1u);
  EXPECT_FALSE(second.Has("next_page_token"));
  EXPECT_EQ(Ask("POST", "/search", where + R"(,"filter":"tags.k = 'b'"})")["traces"].size(), 1u);
  EXPECT_EQ(AskV2("GET", "?experiment_ids=0&max_results=9")["traces"].size(), 3u);
  EXPECT_EQ(
      Ask("POST", "/delete-traces", R"({"experiment_id":"0","request_ids":["a","b","x"]})").Dump(),
      R"({"traces_deleted":2})");
  const Json counts = Ask("POST", "/calculate-filter-correlation",
                          R"({"experiment_ids":["0"],"filter_string1":"status = 'OK'",)"
                          R"("filter_string2":"tags.k = 'c'"})");
  EXPECT_EQ(counts["npmi"].AsDouble(), 1);
  EXPECT_EQ(counts["joint_count"].AsInt(), 1);
}

TEST_F(TracesRoutesTest, PeopleSayWhatTheyThink) {
  Start("t");
  const std::string said =
      R"({"assessment":{"assessment_name":"good","source":{"source_type":"HUMAN",)"
      R"("source_id":"ann"},"feedback":{"value":0.5},"rationale":"r"}})";
  const Json made = Ask("POST", "/t/assessments", said)["assessment"];
  const std::string path = "/t/assessments/" + made["assessment_id"].AsString();
  EXPECT_EQ(made["feedback"].Dump(), R"({"value":0.5})");
  EXPECT_EQ(Ask("GET", path)["assessment"].Dump(), made.Dump());
  const Json changed =
      Ask("PATCH", path, R"({"assessment":{"rationale":"other"},"update_mask":"rationale"})");
  EXPECT_EQ(changed["assessment"]["rationale"].AsString(), "other");
  EXPECT_EQ(changed["assessment"]["feedback"]["value"].AsDouble(), 0.5);
  Ask("PATCH", path, R"({"assessment":{"expectation":{"value":1}},"update_mask":"expectation"})",
      400);
  const Json expected = Ask("POST", "/t/assessments",
                            R"({"assessment":{"assessment_name":"a","expectation":)"
                            R"({"serialized_value":{"value":"{\"n\": 42}"}}}})");
  EXPECT_EQ(expected["assessment"]["expectation"].Dump(),
            R"({"serialized_value":{"value":"{\"n\":42}","serialization_format":"JSON_FORMAT"}})");
  Ask("DELETE", path);
  EXPECT_EQ(Ask("GET", path, "", 404)["error_code"].AsString(), "RESOURCE_DOES_NOT_EXIST");
  Ask("POST", "/x/assessments", said, 404);
  Ask("POST", "/t/assessments", R"({"assessment":{"feedback":{},"expectation":{}}})", 400);
}

TEST_F(TracesRoutesTest, OlderClientsBeginAndEnd) {
  const Json made = AskV2("POST", "",
                          R"({"experiment_id":"0","timestamp_ms":1000,)"
                          R"("request_metadata":[{"key":"m","value":"n"}]})")["trace_info"];
  const std::string id = made["request_id"].AsString();
  EXPECT_EQ(made["status"].AsString(), "IN_PROGRESS");
  AskV2("PATCH", "/" + id, R"({"timestamp_ms":1500,"status":"OK","tags":[]})");
  const Json info = AskV2("GET", "/" + id + "/info")["trace_info"];
  EXPECT_EQ(info["execution_time_ms"].AsInt(), 500);
  EXPECT_EQ(info["request_metadata"].Dump(), R"([{"key":"m","value":"n"}])");
  EXPECT_EQ(Send("GET", "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=" + id).status, 404);
  const auto object = blobs_->Put(R"({"spans":[]})");
  ASSERT_TRUE(object);
  ASSERT_TRUE(files_->Put(
      {.project = "default"},
      {.path = "0/traces/" + id + "/artifacts/traces.json", .object = *object, .media_type = ""}));
  EXPECT_EQ(Send("GET", "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=" + id).body,
            R"({"spans":[]})");
}

TEST_F(TracesRoutesTest, SpansComeOverOtlp) {
  const std::string inputs = Bytes(6, Bytes(1, Bytes(1, "q") + Bytes(2, Bytes(1, "why"))));
  const std::string span = SpanBytes(
      Attribute("mlflow.spanType", Bytes(1, "\"LLM\"")) + Attribute("mlflow.spanInputs", inputs) +
      Attribute("n", Varint(3, 3)) + Attribute("mlflow.traceTag.team", Bytes(1, "blue")) +
      Bytes(11, Fixed(1, 5) + Bytes(2, "exception")) + Bytes(15, Bytes(2, "bad") + Varint(3, 2)));
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "application/x-protobuf"}, {"x-mlflow-experiment-id", "0"}};
  const auto answer = Export(RequestBytes(span), headers);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(answer.body.empty());
  const Json trace = Ask("GET", "/get?trace_id=" + kTraceId)["trace"];
  const Json& info = trace["trace_info"];
  EXPECT_EQ(info["state"].AsString(), "ERROR");
  EXPECT_EQ(info["request_preview"].AsString(), R"({"q":"why"})");
  EXPECT_EQ(info["execution_duration"].AsString(), "0.005s");
  EXPECT_EQ(info["tags"]["team"].AsString(), "blue");
  EXPECT_EQ(info["tags"]["service.name"].AsString(), "shop");
  EXPECT_EQ(info["tags"]["mlflow.trace.spansLocation"].AsString(), "TRACKING_STORE");
  const Json& got = trace["spans"].items()[0];
  EXPECT_EQ(got["trace_id"].AsString(), Base64Encode(FromHex(kTraceHex)));
  EXPECT_EQ(got["status"].Dump(), R"({"message":"bad","code":"STATUS_CODE_ERROR"})");
  EXPECT_EQ(got["events"].items()[0]["name"].AsString(), "exception");
  EXPECT_EQ(Ask("GET", "/batchGet?trace_ids=x&trace_ids=" + kTraceId)["traces"].size(), 1u);
  const auto file = Send("GET", "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=" + kTraceId);
  EXPECT_NE(file.body.find(R"("mlflow.spanType":"\"LLM\"")"), std::string::npos) << file.body;

  auto packed = headers;
  packed.emplace_back("Content-Encoding", "gzip");
  const auto again = Export(Gzip(RequestBytes(SpanBytes("", "2222222222222222"))), packed);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(Ask("GET", "/get?trace_id=" + kTraceId)["trace"]["spans"].size(), 2u);
  EXPECT_EQ(Export("no gzip", packed).status, 400);
}

TEST_F(TracesRoutesTest, SpansComeAsJson) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "application/json; charset=utf-8"}, {"x-mlflow-experiment-id", "0"}};
  const std::string body =
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":")" + std::string(kTraceHex) +
      R"(","spanId":"1111111111111111","name":"js","kind":3,"startTimeUnixNano":"5000000",)"
      R"("endTimeUnixNano":7000000,"status":{"code":"STATUS_CODE_OK"},"attributes":[)"
      R"({"key":"n","value":{"intValue":"3"}},{"key":"l","value":{"arrayValue":{"values":)"
      R"([{"boolValue":true},{"stringValue":"x"}]}}}]}]}]}]})";
  const auto answer = Export(body, headers);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, "{}");
  const Json span = Ask("GET", "/get?trace_id=" + kTraceId)["trace"]["spans"].items()[0];
  EXPECT_EQ(span["kind"].AsString(), "SPAN_KIND_CLIENT");
  EXPECT_EQ(span["attributes"].items()[1].Dump(), R"({"key":"n","value":{"int_value":3}})");
  EXPECT_EQ(Export(body, headers, "/p/blue").status, 200);
}

TEST_F(TracesRoutesTest, OtlpRefusesWhatItCannotRead) {
  const std::pair<std::string, std::string> protobuf = {"Content-Type", "application/x-protobuf"},
                                            json = {"Content-Type", "application/json"},
                                            to = {"x-mlflow-experiment-id", "0"};
  EXPECT_EQ(Export("x", {{"Content-Type", "text/plain"}, to}).status, 400);
  EXPECT_EQ(Export(RequestBytes(SpanBytes("")), {protobuf}).status, 400);
  EXPECT_EQ(
      Export(RequestBytes(SpanBytes("")), {protobuf, {"x-mlflow-experiment-id", "99"}}).status,
      404);
  EXPECT_EQ(Export("", {protobuf, to}).status, 400);
  EXPECT_EQ(Export("\x0a\xff", {protobuf, to}).status, 400);
  EXPECT_EQ(Export(RequestBytes(SpanBytes("", "11")), {protobuf, to}).status, 400);
  EXPECT_EQ(Export(RequestBytes(SpanBytes(Bytes(5, "\xff"))), {protobuf, to}).status, 400);
  std::string deep = Bytes(1, "x");
  for (int i = 0; i < 200; ++i) deep = Bytes(5, Bytes(1, deep));
  EXPECT_EQ(Export(RequestBytes(SpanBytes(Attribute("a", deep))), {protobuf, to}).status, 400);
  EXPECT_EQ(Export("[", {json, to}).status, 400);
  EXPECT_EQ(Export("{}", {json, to}).status, 400);
  EXPECT_EQ(Export(RequestBytes(SpanBytes("")), {protobuf, to, {"Content-Encoding", "br"}}).status,
            400);
}

TEST_F(TracesRoutesTest, OtlpCountsBeforeItKeeps) {
  const std::vector<std::pair<std::string, std::string>> to = {{"x-mlflow-experiment-id", "0"},
                                                               {"Content-Encoding", "gzip"}};
  const auto repeated = [](std::string_view one, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += one;
    return text;
  };
  const auto list = [&](std::string_view one, std::size_t times) {
    return "[" + repeated(std::string(one) + ",", times - 1) + std::string(one) + "]";
  };
  const auto send = [&](const std::string& body, std::string_view type) {
    auto headers = to;
    headers.emplace_back("Content-Type", type);
    const auto answer = Export(Gzip(body), headers);
    return std::to_string(answer.status) + " " + answer.body;
  };
  const auto json = [&](const std::string& body) { return send(body, "application/json"); };
  const auto protobuf = [&](const std::string& body) {
    return send(body, "application/x-protobuf");
  };
  const auto says = [](std::string_view answer, std::string_view why) {
    EXPECT_TRUE(answer.starts_with("400 ") && answer.contains(why)) << answer;
  };
  says(json(R"({"resourceSpans":)" + list("0", 3'000'000) + "}"), "2,000,000 values");
  says(json(R"({"resourceSpans":)" + list("{}", 10'001) + "}"), "10,000 resources");
  says(json(R"({"resourceSpans":[{"scopeSpans":)" + list("{}", 10'001) + "}]}"), "10,000 scopes");
  says(json(R"({"resourceSpans":[0]})"), "resourceSpans is no list of objects");
  says(json(R"({"resourceSpans":{}})"), "resourceSpans is no list of objects");
  says(json(R"({"resourceSpans":[{"scopeSpans":"x"}]})"), "scopeSpans is no list of objects");
  says(json(R"({"resourceSpans":[{"scopeSpans":[{"spans":[1]}]}]})"), "spans is no list of");
  says(json(R"({"resourceSpans":[{"resource":{"attributes":[{"key":1}]}}]})"), "is no text");
  says(json("[]"), "it is no object");
  const std::string empty = Bytes(1, "");
  says(protobuf(repeated(empty, 10'001)), "10,000 resources");
  says(protobuf(Bytes(1, repeated(Bytes(2, ""), 10'001))), "10,000 scopes");
  says(protobuf(RequestBytes(SpanBytes(repeated(Bytes(9, ""), 500'001)))), "500,000 attributes");
  says(protobuf(RequestBytes(SpanBytes(repeated(Bytes(11, ""), 500'001)))), "500,000 attributes");
  says(protobuf(RequestBytes(SpanBytes(Attribute("a", Bytes(5, repeated(empty, 500'001)))))),
       "500,000 attributes");
  const std::string text = R"("\")" + repeated("[{,:", 600'000) + R"(\\")";
  EXPECT_TRUE(json(R"({"resourceSpans":[{"resource":{"attributes":[{"key":)" + text + "}]}}]}")
                  .starts_with("200 "))
      << "what stands in a text is no value";
  EXPECT_TRUE(json(R"({"resourceSpans":)" + list("{}", 10'000) + "}").starts_with("200 "));
}

}  // namespace
}  // namespace gyre::mlflow
