#include "api/oip/oip_api.h"

#include "api/oip/tensors.h"
#include "base/id.h"
#include "base/limits.h"
#include "ml/serving/serving.h"

namespace gyre::oip {

namespace {

using net::Bind;
using net::Body;
using net::Method;
using net::Permission;
using net::Where;

constexpr std::int64_t kRowsMax = 10'000;

net::Response ErrorDocument(const Error& error, std::string_view /*request_id*/) {
  std::string text = error.message();
  if (!error.why().empty()) text += " (" + error.why() + ")";
  const int status = error.code() == Code::kInvalidArgument ? 400 : net::HttpStatus(error);
  return net::Response::JsonDoc(Json::Obj({{"error", text}, {"code", error.gy()}}), status);
}

constexpr net::Route Get(std::string_view path, net::HandlerFunction handler, Permission permission,
                         std::string_view summary) {
  return {.method = Method::kGet,
          .path = path,
          .handler = handler,
          .permission = permission,
          .summary = summary,
          .where = Where::kInline,
          .error_response = ErrorDocument,
          .per_project = true,
          .any_query = true,
          .waits = net::BindWaits<&OipApi::Waits>};
}
constexpr net::Route Infer(std::string_view path, net::HandlerFunction handler) {
  return {.method = Method::kPost,
          .path = path,
          .handler = handler,
          .permission = Permission("predict"),
          .summary = "Predict from one tensor per column",
          .body = Body::kBuffer,
          .body_bytes_max = kJsonBodyBytesMax,
          .where = Where::kInline,
          .audited = false,
          .error_response = ErrorDocument,
          .per_project = true,
          .any_query = true,
          .waits = net::BindWaits<&OipApi::Waits>};
}

constexpr net::Route kRoutes[] = {
    Get("/v2", Bind<&OipApi::Server>, net::kPublic,
        "Open Inference Protocol: name, version, extensions"),
    Get("/v2/health/live", Bind<&OipApi::Live>, net::kPublic, "Whether the server runs"),
    Get("/v2/health/ready", Bind<&OipApi::Ready>, net::kPublic, "Whether all endpoints are loaded"),
    Get("/v2/models", Bind<&OipApi::Models>, Permission("endpoint.read"), "Names of the endpoints"),
    Get("/v2/models/{endpoint}", Bind<&OipApi::Metadata>, Permission("predict"),
        "Inputs and outputs of an endpoint"),
    Get("/v2/models/{endpoint}/ready", Bind<&OipApi::ModelReady>, Permission("predict"),
        "Whether an endpoint is loaded"),
    Get("/v2/models/{endpoint}/versions/{version}", Bind<&OipApi::Metadata>, Permission("predict"),
        "Inputs and outputs of a version"),
    Get("/v2/models/{endpoint}/versions/{version}/ready", Bind<&OipApi::ModelReady>,
        Permission("predict"), "Whether a version is loaded"),
    Infer("/v2/models/{endpoint}/infer", Bind<&OipApi::Infer>),
    Infer("/v2/models/{endpoint}/versions/{version}/infer", Bind<&OipApi::Infer>),
};

std::string VersionOf(const net::Request& request) {
  for (const auto& [name, value] : request.params) {
    if (name == "version") return value;
  }
  return {};
}

// An endpoint that could not be loaded is there, and says why it does not answer.
Error WhyMissing(serving::Serving& serving, const net::Request& request, const std::string& name) {
  constexpr int kEndpointsMax = 10'000;
  const auto all = serving.List("", kEndpointsMax, "");
  for (const serving::Endpoint& endpoint : all ? *all : std::vector<serving::Endpoint>()) {
    if (endpoint.name != name || !request.principal.AllowsProject(endpoint.project)) continue;
    return MakeError(Code::kUnavailable, "GY3834", "model `{}` is not loaded: {}", name,
                     endpoint.problem.empty() ? "it is being loaded" : endpoint.problem)
        .Fix(fmt::format("gyre endpoints show {}", name));
  }
  return NotFound("GY3833", "model `{}` is not found", name);
}

Result<std::shared_ptr<const serving::Snapshot>> FindModel(serving::Serving& serving,
                                                           const net::Request& request) {
  const std::string& name = request.Param("endpoint");
  if (!request.principal.AllowsProject(serving.ProjectOf(name)))  // before it may be woken
    return WhyMissing(serving, request, name);
  auto snapshot = serving.Find(name);
  if (!snapshot) return WhyMissing(serving, request, name);
  const std::string version = VersionOf(request);
  if (version.empty()) return snapshot;
  snapshot = serving.FindVersion(name, version);
  if (!snapshot)
    return NotFound("GY3833", "model `{}` with version {} is not found", name, version);
  return snapshot;
}

class RequestHeaders final : public serving::Headers {
 public:
  explicit RequestHeaders(const net::Request& request) : request_(request) {}
  std::optional<std::string_view> Find(std::string_view name) const override {
    return request_.Header(name);
  }

 private:
  const net::Request& request_;
};

// Who answers: where no version is asked for, the endpoint's traffic is split.
Result<std::shared_ptr<const serving::Snapshot>> ChooseModel(serving::Serving& serving,
                                                             const net::Request& request) {
  GYRE_TRY(auto snapshot, FindModel(serving, request));
  if (!VersionOf(request).empty()) return snapshot;
  auto chosen = serving.Choose(request.Param("endpoint"), RequestHeaders(request));
  return chosen ? std::move(chosen) : std::move(snapshot);
}

}  // namespace

net::RouteTable OipApi::table() { return {"oip", kRoutes, this}; }

// A model that must be loaded first is waited for on another thread.
bool OipApi::Waits(const net::Request& request) {
  for (const auto& [name, value] : request.params) {
    if (name == "endpoint") return serving_.Parked(value);
  }
  return false;
}

Result<net::Response> OipApi::Server(net::Request& /*request*/) {
  return net::Response::JsonDoc(Json::Obj({{"name", "gyre"},
                                           {"version", version_},
                                           {"extensions", Json::Arr({"binary_tensor_data"})}}));
}

Result<net::Response> OipApi::Live(net::Request& /*request*/) {
  return net::Response::JsonDoc(Json::Obj({{"live", true}}));
}

Result<net::Response> OipApi::Ready(net::Request& /*request*/) {
  const bool ready = serving_.ready();
  return net::Response::JsonDoc(Json::Obj({{"ready", ready}}), ready ? 200 : 503);
}

Result<net::Response> OipApi::Models(net::Request& request) {
  Json names = Json::Arr();
  for (const auto& snapshot : serving_.Snapshots()) {
    const serving::SnapshotInfo& info = serving::InfoOf(*snapshot);
    if (request.principal.AllowsProject(info.project)) names.Push(info.endpoint);
  }
  return net::Response::JsonDoc(Json::Obj({{"models", std::move(names)}}));
}

Result<net::Response> OipApi::Metadata(net::Request& request) {
  GYRE_TRY(const auto snapshot, FindModel(serving_, request));
  const serving::SnapshotInfo& info = serving::InfoOf(*snapshot);
  return net::Response::JsonDoc(
      Json::Obj({{"name", info.endpoint},
                 {"versions", Json::Arr({std::to_string(info.model_version)})},
                 {"platform", "gyre"},
                 {"inputs", InputsMetadata(info.scorer->input())},
                 {"outputs", OutputsMetadata(*info.scorer)}}));
}

Result<net::Response> OipApi::ModelReady(net::Request& request) {
  GYRE_TRY(const auto snapshot, FindModel(serving_, request));
  return net::Response::JsonDoc(
      Json::Obj({{"name", serving::InfoOf(*snapshot).endpoint}, {"ready", true}}));
}

Result<net::Response> OipApi::Infer(net::Request& request) {
  GYRE_TRY(const auto snapshot, ChooseModel(serving_, request));
  serving::RequestMeter meter(snapshot, request.body().size());
  const serving::SnapshotInfo& info = serving::InfoOf(*snapshot);
  GYRE_TRY(
      const InferBody body,
      SplitBody(request.body(), request.Header("Inference-Header-Content-Length").value_or("")));
  GYRE_TRY(const table::Frame frame,
           FrameOfInputs(body, info.scorer->input(), info.scorer->package().formats, kRowsMax));
  const auto scored = info.scorer->Score(frame);
  if (!scored) meter.Failed(scored.error());
  GYRE_TRY(const predictors::Scores scores, scored);
  const AnswerHead head{info.endpoint, std::to_string(info.model_version),
                        body.document["id"].is_string() ? body.document["id"].AsString() : NewId()};
  GYRE_TRY(InferAnswer answer, MakeAnswer(head, body.document, *info.scorer, scores));
  meter.Capture(frame, scores, head.id);
  meter.Answered(scores.rows, answer.body.size());
  net::Response response;
  response.body = std::move(answer.body);
  if (answer.json_bytes != 0) {
    response.content_type = "application/octet-stream";
    response.headers.emplace_back("Inference-Header-Content-Length",
                                  std::to_string(answer.json_bytes));
  }
  return response;
}

}  // namespace gyre::oip
