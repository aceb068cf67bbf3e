#include "api/mlflow/server_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"

namespace gyre::mlflow {
namespace {

using net::Bind;
using net::Method;

// Not JSON: a client then knows that it is the address that is unknown, and falls back to an older
// one. An address that means nothing at all (a slash at its end, a dot segment) is answered so too.
net::Response NothingHere(const Error& /*error*/, std::string_view /*request_id*/) {
  return net::Response::Text("Not Found\n", 404);
}

constexpr Endpoint Nothing(Method method, std::string_view path) {
  return {.method = method,
          .path = path,
          .handler = Bind<&ServerApi::Nothing>,
          .permission = net::kPublic,
          .summary = "Nothing is here",
          .doors = Doors::kRoot,
          .audited = false,
          .error_response = NothingHere};
}

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kGet,
     .path = "/health",
     .handler = Bind<&ServerApi::Health>,
     .permission = net::kPublic,
     .summary = "Whether the server runs",
     .doors = Doors::kRoot,
     .where = net::Where::kInline},
    {.method = Method::kGet,
     .path = "/version",
     .handler = Bind<&ServerApi::Version>,
     .permission = net::kPublic,
     .summary = "The version of MLflow that this server is like",
     .doors = Doors::kRoot,
     .where = net::Where::kInline},
    {.method = Method::kGet,
     .path = "/mlflow/server-info",
     .handler = Bind<&ServerApi::Info>,
     .permission = net::kPublic,  // clients ask it before they say who they are
     .summary = "What this server can do",
     .doors = Doors::kApi3,
     .where = net::Where::kInline},
    Nothing(Method::kGet, "/api/2.0/{rest*}"),
    Nothing(Method::kPost, "/api/2.0/{rest*}"),
    Nothing(Method::kPut, "/api/2.0/{rest*}"),
    Nothing(Method::kPatch, "/api/2.0/{rest*}"),
    Nothing(Method::kDelete, "/api/2.0/{rest*}"),
    Nothing(Method::kGet, "/api/3.0/{rest*}"),
    Nothing(Method::kPost, "/api/3.0/{rest*}"),
    Nothing(Method::kPut, "/api/3.0/{rest*}"),
    Nothing(Method::kPatch, "/api/3.0/{rest*}"),
    Nothing(Method::kDelete, "/api/3.0/{rest*}"),
    Nothing(Method::kGet, "/api/{version}/mlflow/{rest*}"),
    Nothing(Method::kPost, "/api/{version}/mlflow/{rest*}"),
    Nothing(Method::kPut, "/api/{version}/mlflow/{rest*}"),
    Nothing(Method::kPatch, "/api/{version}/mlflow/{rest*}"),
    Nothing(Method::kDelete, "/api/{version}/mlflow/{rest*}"),
    Nothing(Method::kGet, "/ajax-api/{rest*}"),
    Nothing(Method::kPost, "/ajax-api/{rest*}"),
    Nothing(Method::kPut, "/ajax-api/{rest*}"),
    Nothing(Method::kPatch, "/ajax-api/{rest*}"),
    Nothing(Method::kDelete, "/ajax-api/{rest*}"),
};

}  // namespace

net::RouteTable ServerApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<net::Response> ServerApi::Health(net::Request& /*request*/) {
  return net::Response::Text("OK");
}

Result<net::Response> ServerApi::Version(net::Request& /*request*/) {
  return net::Response::Text(std::string(kMlflowVersion));
}

Result<net::Response> ServerApi::Info(net::Request& /*request*/) {
  return AnswerOf([](AnswerWriter& out) {
    out.Text("store_type", "SqlStore")
        .Bool("workspaces_enabled", false)
        .Bool("artifact_serving_enabled", true)
        .Bool("artifacts_presigned_only", false)
        .Bool("multipart_uploads_enabled", true)
        .Bool("multipart_downloads_enabled", false)
        .Bool("model_artifact_presigned_downloads_supported", false)
        .Bool("presigned_upload_run_id_supported", false)
        .Bool("presigned_upload_model_id_supported", false)
        .Bool("trace_archival_enabled", false)
        .Whole("skill_content_max_files", 0)
        .Whole("skill_content_max_size", 0)
        .Text("tracking_auth", "");
    out.Object("features_enabled")
        .Bool("gateway", false)
        .Bool("scheduled_issue_detection", false)
        .End();
  });
}

Result<net::Response> ServerApi::Nothing(net::Request& /*request*/) {
  return NothingHere(NotFound("GY1616", "nothing is here"), "");
}

bool IsForPrograms(const net::Route& route) {
  const std::string_view permission = route.permission.name;
  return route.error_response == ErrorDocument &&
         (permission == "run.write" || permission == "model.write" ||
          permission == "model.approve");
}

}  // namespace gyre::mlflow
