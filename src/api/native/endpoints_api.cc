#include "api/native/endpoints_api.h"

#include <array>

#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/serving/serving.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/files.h"

namespace gyre::native {
namespace {

using net::Bind;
using net::Body;
using net::Method;
using net::Permission;

constexpr std::int64_t kFileBytesMax = std::int64_t{64} << 30;
constexpr std::int64_t kPieceBytes = 1 << 20;
constexpr int kHistoryShown = 100;

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints",
     .handler = Bind<&EndpointsApi::List>,
     .permission = Permission("endpoint.read"),
     .summary = "List endpoints by name",
     .response_type = "EndpointList"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}",
     .handler = Bind<&EndpointsApi::Get>,
     .permission = Permission("endpoint.read"),
     .summary = "One endpoint with its deployments, newest first",
     .response_type = "Endpoint"},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}",
     .handler = Bind<&EndpointsApi::Deploy>,
     .permission = Permission("endpoint.deploy"),
     .summary =
         "Deploy a model: {\"model\": \"churn@champion\", \"reason\": ...}; answers when it serves",
     .body = Body::kBuffer,
     .request_type = "Deploy",
     .response_type = "Endpoint"},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}",
     .handler = Bind<&EndpointsApi::Remove>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Remove an endpoint and its deployments"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/rollback",
     .handler = Bind<&EndpointsApi::Rollback>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Back to an earlier deployment: {\"to\": number, \"reason\": ...}; without `to`, "
                "the one before",
     .body = Body::kBuffer,
     .request_type = "Rollback",
     .response_type = "Endpoint"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/predict",
     .handler = Bind<&EndpointsApi::PredictFile>,
     .permission = Permission("predict"),
     .summary = "Score a file: ?model=churn@champion&filename=rows.csv&output_format=csv; the file "
                "in, the scored file out",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax,
     .audited = false},
};

Result<> RefuseUnknown(const Json& body, std::span<const std::string_view> known) {
  for (const auto& [key, value] : body.members()) {
    bool fine = false;
    for (const std::string_view name : known) fine |= name == key;
    if (!fine) return InvalidArgument("GY3822", "there is no member `{}` here", key).Where(key);
  }
  return {};
}

// A folder that goes when the answer has been sent.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  ~Scratch() { (void)exec::RemoveTree(path_).has_value(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<> SaveBody(net::Request& request, const std::string& path) {
  GYRE_DO(exec::WriteFile(path, ""));
  std::string waiting;
  while (true) {
    GYRE_TRY(const std::string piece, request.body_reader().Next());
    waiting += piece;
    if (piece.empty() || static_cast<std::int64_t>(waiting.size()) >= kPieceBytes) {
      GYRE_DO(exec::AppendFile(path, waiting));
      waiting.clear();
    }
    if (piece.empty()) return {};
  }
}

struct OutputKind {
  std::string_view format, content_type;
};
constexpr std::array kOutputs = {OutputKind{"csv", "text/csv; charset=utf-8"},
                                 OutputKind{"jsonl", "application/x-ndjson"},
                                 OutputKind{"parquet", "application/vnd.apache.parquet"}};

Result<net::Response> SendFile(std::shared_ptr<Scratch> scratch, std::string path,
                               std::string_view content_type) {
  net::Response response;
  response.content_type = content_type;
  response.stream = [scratch = std::move(scratch),
                     path = std::move(path)](net::BodyWriter& writer) -> Result<> {
    for (std::int64_t offset = 0;;) {
      GYRE_TRY(const std::string piece, exec::ReadFilePart(path, offset, kPieceBytes));
      if (piece.empty()) return {};
      GYRE_DO(writer.Write(piece));
      offset += static_cast<std::int64_t>(piece.size());
    }
  };
  return response;
}

}  // namespace

net::RouteTable EndpointsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> EndpointsApi::List(net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  const std::string after = request.Query("page_token").value_or("");
  GYRE_TRY(const auto page,
           serving_.List(request.Param("project"), static_cast<int>(limit), after));
  Json items = Json::Arr();
  for (const serving::Endpoint& endpoint : page) items.Push(serving::EndpointToJson(endpoint));
  Json answer = Json::Obj({{"items", std::move(items)}});
  if (page.size() == static_cast<std::size_t>(limit))
    answer.Set("next_page_token", page.back().name);
  return net::Response::JsonDoc(answer);
}

Result<net::Response> EndpointsApi::Get(net::Request& request) {
  const std::string& project = request.Param("project");
  const std::string& name = request.Param("endpoint");
  GYRE_TRY(const serving::Endpoint endpoint, serving_.Get(project, name));
  GYRE_TRY(const auto history, serving_.History(project, name, kHistoryShown));
  Json json = serving::EndpointToJson(endpoint);
  Json deployments = Json::Arr();
  for (const serving::Deployment& deployment : history)
    deployments.Push(serving::DeploymentToJson(deployment));
  json.Set("deployments", std::move(deployments));
  const serving::EndpointCounts counts = serving_.Counts(name);
  json.Set("counts", Json::Obj({{"requests", counts.requests},
                                {"rows", counts.rows},
                                {"failed", counts.failed},
                                {"ignored_columns", counts.ignored_columns}}));
  return net::Response::JsonDoc(json);
}

Result<net::Response> EndpointsApi::Deploy(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  constexpr std::string_view kKnown[] = {"model", "reason"};
  GYRE_DO(RefuseUnknown(body, kKnown));
  GYRE_TRY(const std::string reference, body.GetString("model"));
  GYRE_TRY(const serving::Endpoint endpoint,
           serving_.Deploy({.project = request.Param("project"),
                            .reference = reference,
                            .endpoint = request.Param("endpoint"),
                            .reason = body["reason"].AsString(),
                            .deployed_by = request.principal.name}));
  return net::Response::JsonDoc(serving::EndpointToJson(endpoint));
}

Result<net::Response> EndpointsApi::Remove(net::Request& request) {
  GYRE_DO(
      serving_.Remove(request.Param("project"), request.Param("endpoint"), request.principal.name));
  return net::Response::Empty();
}

Result<net::Response> EndpointsApi::Rollback(net::Request& request) {
  Json body = Json::Obj();
  if (!request.body().empty()) {
    GYRE_TRY(body, request.JsonBody());
  }
  constexpr std::string_view kKnown[] = {"to", "reason"};
  GYRE_DO(RefuseUnknown(body, kKnown));
  std::int64_t to = 0;
  if (body.Has("to")) {
    GYRE_TRY(to, body.GetInt("to"));
    if (to < 1 || to > INT32_MAX)
      return InvalidArgument("GY3823", "`to` must be the number of a deployment, from 1")
          .Where("to");
  }
  GYRE_TRY(const serving::Endpoint endpoint,
           serving_.Rollback({.project = request.Param("project"),
                              .endpoint = request.Param("endpoint"),
                              .to = static_cast<int>(to),
                              .reason = body["reason"].AsString(),
                              .deployed_by = request.principal.name}));
  return net::Response::JsonDoc(serving::EndpointToJson(endpoint));
}

Result<net::Response> EndpointsApi::PredictFile(net::Request& request) {
  const auto reference = request.Query("model");
  if (!reference || reference->empty()) {
    return InvalidArgument("GY3824", "the query lacks `model`").Fix("?model=churn@champion");
  }
  const std::string format = request.Query("output_format").value_or("csv");
  const OutputKind* kind = nullptr;
  for (const OutputKind& output : kOutputs) {
    if (output.format == format) kind = &output;
  }
  if (kind == nullptr)
    return InvalidArgument("GY3820", "`{}` is no format of answers", format)
        .Fix("csv, jsonl or parquet");
  GYRE_TRY(const registry::ModelVersion version,
           registry_.Resolve(request.Param("project"), *reference));
  GYRE_TRY(const std::string package, blobs_.LocalPath(version.package.digest));
  const auto scratch =
      std::make_shared<Scratch>(blobs_.scratch_directory() + "/predict-" + NewId());
  GYRE_DO(exec::MakeDirectories(scratch->path()));
  const std::string input = scratch->path() + "/input";
  GYRE_DO(SaveBody(request, input));
  runners::JobRun::TaskOptions options;
  options.scratch_directory = scratch->path();
  options.cancelled = [&request] { return request.client_gone(); };
  GYRE_TRY(const Json done,
           jobs_.RunTaskNow("predictors.score_file",
                            Json::Obj({{"model", package},
                                       {"input", input},
                                       {"name", request.Query("filename").value_or("input")},
                                       {"format", request.Query("format").value_or("")},
                                       {"output_format", format}}),
                            options));
  GYRE_TRY(net::Response response,
           SendFile(scratch, done["output"].AsString(), kind->content_type));
  response.headers.emplace_back("X-Gyre-Model", version.name());
  response.headers.emplace_back("X-Gyre-Rows", std::to_string(done["rows"].AsInt()));
  return response;
}

}  // namespace gyre::native
