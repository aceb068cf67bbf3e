#include "api/mlflow/otlp_api.h"

#include <map>
#include <utility>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/otlp_request.h"
#include "api/mlflow/run_words.h"
#include "api/mlflow/traces_spans.h"
#include "api/mlflow/traces_words.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

constexpr std::string_view kProtobuf = "application/x-protobuf", kJson = "application/json";
constexpr std::string_view kTagPrefix = "mlflow.traceTag.";
constexpr std::size_t kPreviewCharactersMax = 1'000;
constexpr std::size_t kSmallBytes = 1 << 20;         // waits for nobody
constexpr std::int64_t kComingBytesMax = 128 << 20;  // of bodies together

constexpr Endpoint kEndpoints[] = {
    {.method = net::Method::kPost,
     .path = "/v1/traces",
     .handler = Serve<&OtlpApi::Export>,
     .permission = net::Permission("run.write"),
     .summary = "Spans of OpenTelemetry, for the experiment in x-mlflow-experiment-id",
     .doors = Doors::kRoot,
     .body_bytes_max = kOtlpBodyBytesMax,
     .raw_body = true,
     .encoded_body = true,
     .audited = false},
};

std::string HeaderOf(const Call& call, std::string_view name) {
  return std::string(Trim(call.request.Header(name).value_or("")));
}

// MLflow's clients send values as JSON in a text, others send them as they are.
Json Plain(const Json& value) {
  const std::string_view text = Trim(value.AsString());
  if (text.empty() || !std::string_view("{[\"").contains(text[0])) return value;
  auto inner = Json::Parse(text);
  return inner ? *std::move(inner) : value;
}

std::string TextOf(const Json& value) {
  return value.is_string() ? value.AsString() : value.Dump();
}

void PutTag(std::string_view key, const Json& value, traces::Texts* tags) {
  auto tag = ReadTraceTag(key, TextOf(value));
  if (tag && !IsServersTag(key)) tags->insert_or_assign(std::move(tag->first), tag->second);
}

// What a span says of its trace.
void Tell(const traces::Span& span, traces::SpanBatch* batch) {
  const Json& a = span.attributes;
  for (const std::string_view key : {"mlflow.trace.session", "gen_ai.conversation.id"})
    if (a.Has(key)) batch->metadata.emplace("mlflow.trace.session", TextOf(a[key]));
  if (a.Has("user.id")) batch->metadata.emplace("mlflow.trace.user", TextOf(a["user.id"]));
  if (!span.parent.empty()) return;
  const auto preview = [](const Json& value) {
    return std::string(Truncated(TextOf(value), kPreviewCharactersMax));
  };
  if (a.Has("mlflow.spanInputs")) batch->request_preview = preview(a["mlflow.spanInputs"]);
  if (a.Has("mlflow.spanOutputs")) batch->response_preview = preview(a["mlflow.spanOutputs"]);
  for (const auto& [key, value] : a.members())
    if (key.starts_with(kTagPrefix)) PutTag(key.substr(kTagPrefix.size()), value, &batch->tags);
}

void AddSpan(traces::Span span, const std::string& trace_id, traces::SpanBatch* batch) {
  Json::Object attributes;
  for (const auto& [key, value] : span.attributes.members())
    if (key != "mlflow.traceRequestId") attributes.emplace_back(key, Plain(value));
  attributes.emplace_back("mlflow.traceRequestId", trace_id);
  span.attributes = Json(std::move(attributes));
  span.type = span.attributes["mlflow.spanType"].AsString();
  Tell(span, batch);
  batch->spans.push_back(std::move(span));
}

std::vector<traces::SpanBatch> BatchesOf(std::vector<OtlpSpans> read,
                                         const tracking::Experiment& experiment) {
  std::map<std::string, traces::SpanBatch> by_trace;
  for (OtlpSpans& of_resource : read) {
    for (traces::Span& span : of_resource.spans) {
      const std::string id = std::string(kTraceIdPrefix) + span.trace;
      const auto [place, fresh] = by_trace.try_emplace(id);
      traces::SpanBatch& batch = place->second;
      if (fresh) {
        batch.trace_id = id;
        for (const auto& [key, value] : of_resource.resource.members())
          if (!key.starts_with("telemetry.sdk.") && !key.starts_with("mlflow."))
            PutTag(key, value, &batch.tags);
        batch.tags[std::string(kArtifactLocationTag)] = TraceArtifactUri(experiment, id);
        batch.tags[std::string(kSpansLocationTag)] = kSpansHere;
      }
      AddSpan(std::move(span), id, &batch);
    }
  }
  std::vector<traces::SpanBatch> batches;
  for (auto& [id, batch] : by_trace) batches.push_back(std::move(batch));
  return batches;
}

}  // namespace

// The share of one request in what requests may take together.
class OtlpApi::Turn {
 public:
  explicit Turn(OtlpApi& api) : api_(api) {}
  ~Turn() {
    End();
    api_.coming_bytes_ -= bytes_;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // `size`: of the body so far.
  Result<> Coming(std::size_t size) {
    const auto bytes = static_cast<std::int64_t>(size);
    const std::int64_t all = api_.coming_bytes_ += bytes - std::exchange(bytes_, bytes);
    if (all <= kComingBytesMax || size <= kSmallBytes) return {};
    return MakeError(Code::kResourceExhausted, "GY5136", "too many spans come at once")
        .Why("the bodies that are being read are full of others")
        .Fix("try again in a second, or send fewer spans in one request");
  }
  void Wait() {
    api_.large_.acquire();
    waited_ = true;
  }
  void End() {
    if (std::exchange(waited_, false)) api_.large_.release();
  }

 private:
  OtlpApi& api_;
  std::int64_t bytes_ = 0;
  bool waited_ = false;
};

net::RouteTable OtlpApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<tracking::Experiment> OtlpApi::ExperimentOf(const Call& call) {
  const std::string id = HeaderOf(call, "x-mlflow-experiment-id");
  if (id.empty()) return InvalidParameter("The header x-mlflow-experiment-id is missing");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  auto experiment = experiments_.Get(call.project, number);
  if (!experiment) return InExperimentWords(experiment.error(), id);
  return *std::move(experiment);
}

Result<net::Response> OtlpApi::Export(Call& call) {
  const std::string content_type = HeaderOf(call, "content-type");
  const std::string type = ToLower(Trim(Split(content_type, ';')[0]));
  if (type != kProtobuf && type != kJson)
    return InvalidParameter(
        fmt::format("Invalid Content-Type: {}. Expected: application/x-protobuf or "
                    "application/json",
                    content_type.empty() ? "None" : content_type.substr(0, 100)));
  GYRE_TRY(const tracking::Experiment experiment, ExperimentOf(call));
  const bool json = type == kJson;
  std::string body;
  Turn turn(*this);
  while (true) {
    GYRE_TRY(const std::string piece, call.request.body_reader().Next());
    if (piece.empty()) break;
    body += piece;
    GYRE_DO(turn.Coming(body.size()));
  }
  const std::string encoding = HeaderOf(call, "content-encoding");
  if (!encoding.empty() || body.size() > kSmallBytes) turn.Wait();
  GYRE_TRY(body, Unpacked(std::move(body), encoding));
  if (body.size() <= kSmallBytes) turn.End();
  GYRE_DO(Keep(call, experiment, body, json));
  if (json) return EmptyAnswer();
  net::Response response;
  response.content_type = std::string(kProtobuf);
  return response;
}

Result<> OtlpApi::Keep(Call& call, const tracking::Experiment& experiment, const std::string& body,
                       bool json) {
  GYRE_TRY(std::vector<OtlpSpans> read, json ? ReadOtlpJson(body) : ReadOtlpProtobuf(body));
  if (read.empty()) return InvalidParameter("Invalid OpenTelemetry format - no spans found");
  const auto batches = BatchesOf(std::move(read), experiment);
  GYRE_DO(traces_.AddSpans(call.project, experiment.number, batches));
  if (const std::string run = HeaderOf(call, "x-mlflow-run-id"); !run.empty()) {
    const auto project = tracking_.ProjectOf(run);
    for (const traces::SpanBatch& batch : batches)
      if (project && call.Owns(*project))
        GYRE_DO(traces_.Link(call.project, std::span(&batch.trace_id, 1), "run", run));
  }
  return {};
}

}  // namespace gyre::mlflow
