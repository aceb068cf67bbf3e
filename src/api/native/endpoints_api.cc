#include "api/native/endpoints_api.h"

#include "api/native/file_bodies.h"
#include "api/native/lists.h"
#include "api/native/request_members.h"
#include "api/native/route_table.h"
#include "base/id.h"
#include "base/text.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/serving/serving.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/files.h"

namespace gyre::native {
namespace {

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

}  // namespace

net::RouteTable EndpointsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> EndpointsApi::List(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto endpoints, serving_.List(request.Param("project"), page.limit, page.after));
  return PageOf(endpoints, page.limit, serving::EndpointToJson, &serving::Endpoint::name);
}

Result<net::Response> EndpointsApi::Get(net::Request& request) {
  const std::string& project = request.Param("project");
  const std::string& name = request.Param("endpoint");
  GYRE_TRY(const serving::Endpoint endpoint, serving_.Get(project, name));
  GYRE_TRY(const auto history, serving_.History(project, name, kHistoryShown));
  Json json = serving::EndpointToJson(endpoint);
  json.Set("deployments", ItemsOf(history, serving::DeploymentToJson));
  const serving::EndpointCounts counts = serving_.Counts(name);
  json.Set("counts", Json::Obj({{"requests", counts.requests},
                                {"rows", counts.rows},
                                {"failed", counts.failed},
                                {"ignored_columns", counts.ignored_columns}}));
  return net::Response::JsonDoc(json);
}

Result<net::Response> EndpointsApi::Deploy(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_DO(OnlyMembers(body, {"model", "reason"}));
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
  GYRE_DO(OnlyMembers(body, {"to", "reason"}));
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
  const auto content_type = TableContentType(format);
  if (!content_type)
    return InvalidArgument("GY3820", "`{}` is no format of answers", format)
        .Fix("csv, jsonl or parquet");
  GYRE_TRY(const registry::ModelVersion version,
           registry_.Resolve(request.Param("project"), *reference));
  GYRE_TRY(const std::string package, registry::LocalPathOf(blobs_, version, version.package));
  const auto scratch =
      std::make_shared<ScratchFolder>(blobs_.scratch_directory() + "/predict-" + NewId());
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
  net::Response response;
  response.content_type = *content_type;
  response.stream = StreamFile(scratch, done["output"].AsString());
  response.headers.emplace_back("X-Gyre-Model", version.name());
  response.headers.emplace_back("X-Gyre-Rows", std::to_string(done["rows"].AsInt()));
  return response;
}

}  // namespace gyre::native
