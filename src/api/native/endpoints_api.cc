#include "api/native/endpoints_api.h"

#include <algorithm>
#include <cmath>

#include "api/files/file_bodies.h"
#include "api/native/in_use.h"
#include "api/native/job_answer.h"
#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/serving/earlier.h"
#include "ml/serving/predictions.h"
#include "ml/serving/serving.h"
#include "platform/blob/blob_store.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{64} << 30;
constexpr int kHistoryShown = 100;
constexpr std::int64_t kSecondsMax = std::int64_t{1} << 40;  // their microseconds are a number

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints",
     .handler = Bind<&EndpointsApi::List>,
     .permission = Permission("endpoint.read"),
     .summary = "List endpoints by name",
     .response_type = "EndpointList",
     .query = {kLimit, kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}",
     .handler = Bind<&EndpointsApi::Get>,
     .permission = Permission("endpoint.read"),
     .summary = "One endpoint with its deployments, newest first, and its newest canary release",
     .response_type = "Endpoint"},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}",
     .handler = Bind<&EndpointsApi::Deploy>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Deploy a model; answers when it serves",
     .body = Body::kBuffer,
     .request_type = "Deploy",
     .response_type = "Endpoint",
     .members = {{"model", Type::kText, "churn@champion or churn:v3", "", net::kRequired},
                 {"reason", Type::kText, "kept with the deployment"},
                 {"replace", Type::kBool,
                  "also when callers must send or read something else from now on"}}},
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}",
     .handler = Bind<&EndpointsApi::Change>,
     .permission = Permission("endpoint.deploy"),
     .summary = "How callers are kept on a variant, and when the endpoint is parked",
     .body = Body::kBuffer,
     .request_type = "EndpointChange",
     .response_type = "Endpoint",
     .members = {{"sticky", Type::kText,
                  "header:NAME, column:NAME, member:NAME; empty: by request"},
                 {"park_after_seconds", Type::kWhole, "without requests for so long; 0: never"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/logs",
     .handler = Bind<&EndpointsApi::Log>,
     .permission = Permission("endpoint.read"),
     .summary = "What was done to it, newest first, and since the server started a few of the "
                "refused requests",
     .response_type = "EndpointLog",
     .query = {kLimit}},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/traffic",
     .handler = Bind<&EndpointsApi::SetTraffic>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Shares of the requests by variant; the champion has the rest, and a shadow goes "
                "with share 0",
     .body = Body::kBuffer,
     .request_type = "Traffic",
     .response_type = "Endpoint",
     .members = {{"shares", Type::kObject, "{variant: 0 to 1}", "", net::kRequired},
                 {"reason", Type::kText, "kept in the endpoint's log"}}},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/variants/{variant}",
     .handler = Bind<&EndpointsApi::SetVariant>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Deploy a version beside the champion; answers when it serves",
     .body = Body::kBuffer,
     .request_type = "Variant",
     .response_type = "Endpoint",
     .members = {{"model", Type::kText, "churn@challenger or churn:v4; else what it runs"},
                 {"share", Type::kNumber, "of the requests, 0 to 1"},
                 {"shadow", Type::kBool, "scores what others have answered instead"},
                 {"replace", Type::kBool, "also when it takes columns that callers do not send"},
                 {"reason", Type::kText, "kept with the deployment"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/variants/{variant}",
     .handler = Bind<&EndpointsApi::RemoveVariant>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Take a variant away; the champion has its share",
     .response_type = "Endpoint"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/variants/{variant}/promote",
     .handler = Bind<&EndpointsApi::PromoteVariant>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Make what a variant runs the endpoint's champion",
     .body = Body::kBuffer,
     .request_type = "PromoteVariant",
     .response_type = "Endpoint",
     .members = {{"replace", Type::kBool, "also when callers must send something else"},
                 {"reason", Type::kText, "kept with the deployment"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}",
     .handler = Bind<&EndpointsApi::Remove>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Remove an endpoint and its deployments, into the trash",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/rollback",
     .handler = Bind<&EndpointsApi::Rollback>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Back to an earlier deployment",
     .body = Body::kBuffer,
     .request_type = "Rollback",
     .response_type = "Endpoint",
     .members = {{"to", Type::kWhole, "number of a deployment; else the one before"},
                 {"reason", Type::kText, "kept with the deployment"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/predict",
     .handler = Bind<&EndpointsApi::PredictFile>,
     .permission = Permission("predict"),
     .summary = "Start a job that scores the file in the body",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax,
     .response_type = "Job",
     .audited = false,
     .query = {{"model", Type::kText, "churn@champion or churn:v3", "", net::kRequired},
               {"filename", Type::kText, "for messages"},
               {"format", Type::kText, "of the file; else by its content",
                "csv|tsv|json|jsonl|ndjson|parquet"},
               {"bad", Type::kText, "cells that cannot be read: an error, or missing",
                "error|null"},
               {"output_format", Type::kText, "csv when it is not given", "csv|jsonl|parquet"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/models/{model}/explain",
     .handler = Bind<&EndpointsApi::ExplainFile>,
     .permission = Permission("predict"),
     .summary = "Start a job that says what each column adds to the answers for a file's rows",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax,
     .response_type = "Job",
     .audited = false,
     .query = {{"version", Type::kText, "v3 or an alias; else champion"},
               {"filename", Type::kText, "for messages"},
               {"format", Type::kText, "of the file; else by its content",
                "csv|tsv|json|jsonl|ndjson|parquet"},
               {"bad", Type::kText, "cells that cannot be read: an error, or missing",
                "error|null"},
               {"output_format", Type::kText, "makes a file with the contributions to each row",
                "csv|jsonl|parquet"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/predict/{job}",
     .handler = Bind<&EndpointsApi::ScoredFile>,
     .permission = Permission("predict"),
     .summary = "The file that such a job has made; kept for a day"},
};

// What a rollback without a number makes answer: a canary is taken away first.
Json AfterRollback(const serving::Endpoint& endpoint,
                   const std::vector<serving::Deployment>& history) {
  const bool canaries = !std::ranges::all_of(endpoint.variants, &serving::Variant::shadow);
  const serving::Deployment* const after =
      canaries ? &endpoint.deployment : serving::DeploymentBefore(history, endpoint.deployment);
  if (after == nullptr) return {};
  return Json::Obj({{"number", after->number}, {"model", after->model}});
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
  json.Set("after_rollback", AfterRollback(endpoint, history));
  const serving::EndpointCounts counts = serving_.Answered(name);
  json.Set("counts", Json::Obj({{"requests", counts.requests},
                                {"rows", counts.rows},
                                {"failed", counts.failed},
                                {"faults", counts.faults},
                                {"ignored_columns", counts.ignored_columns}}));
  GYRE_TRY(const auto release, releases_.OfEndpoint(name));
  json.Set("release", release && release->project == endpoint.project
                          ? automation::ReleaseToJson(*release)
                          : Json());
  GYRE_TRY(const auto variants, serving_.Variants(project, name));
  json.Set("variants", ItemsOf(variants, serving::VariantCountsToJson));
  return net::Response::JsonDoc(json);
}

Result<net::Response> EndpointsApi::Change(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  serving::EndpointChange change{.project = request.Param("project"),
                                 .endpoint = request.Param("endpoint"),
                                 .sticky = {},
                                 .park_after_us = {},
                                 .by = request.principal.name};
  if (body.Has("sticky")) {
    GYRE_TRY(change.sticky, body.GetString("sticky"));
  }
  if (body.Has("park_after_seconds")) {
    GYRE_TRY(const std::int64_t seconds, body.GetInt("park_after_seconds"));
    change.park_after_us = std::clamp<std::int64_t>(seconds, -1, kSecondsMax) * kMicrosPerSecond;
  }
  GYRE_TRY(const serving::Endpoint endpoint, serving_.Change(std::move(change)));
  return net::Response::JsonDoc(serving::EndpointToJson(endpoint));
}

Result<net::Response> EndpointsApi::Log(net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 100, 1, kPageSizeMax));
  GYRE_TRY(Json items, serving_.Log(request.Param("project"), request.Param("endpoint"),
                                    static_cast<int>(limit)));
  return net::Response::JsonDoc(Json::Obj({{"items", std::move(items)}}));
}

Result<net::Response> EndpointsApi::SetTraffic(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  std::map<std::string, double> shares;
  for (const auto& [name, share] : body["shares"].members()) {
    shares[name] = share.is_number() ? share.AsDouble() : std::nan("");
  }
  GYRE_TRY(const serving::Endpoint endpoint,
           serving_.SetTraffic(request.Param("project"), request.Param("endpoint"), shares,
                               body["reason"].AsString(), request.principal.name));
  return net::Response::JsonDoc(serving::EndpointToJson(endpoint));
}

Result<net::Response> EndpointsApi::SetVariant(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  const std::string& reference = body["model"].AsString();
  auto endpoint = serving_.SetVariant({.project = request.Param("project"),
                                       .endpoint = request.Param("endpoint"),
                                       .variant = request.Param("variant"),
                                       .reference = reference,
                                       .share = body["share"].AsDouble(),
                                       .shadow = body["shadow"].AsBool(),
                                       .reason = body["reason"].AsString(),
                                       .by = request.principal.name,
                                       .replace = body["replace"].AsBool()});
  if (!endpoint)
    return WithDanger(std::move(endpoint).error(), request.Param("project"), reference);
  return net::Response::JsonDoc(serving::EndpointToJson(*endpoint));
}

Result<net::Response> EndpointsApi::RemoveVariant(net::Request& request) {
  GYRE_TRY(const serving::Endpoint endpoint,
           serving_.RemoveVariant(request.Param("project"), request.Param("endpoint"),
                                  request.Param("variant"), "", request.principal.name));
  return net::Response::JsonDoc(serving::EndpointToJson(endpoint));
}

Result<net::Response> EndpointsApi::PromoteVariant(net::Request& request) {
  Json body = Json::Obj();
  if (!request.body().empty()) {
    GYRE_TRY(body, request.JsonBody());
  }
  GYRE_TRY(const serving::Endpoint endpoint,
           serving_.PromoteVariant({.project = request.Param("project"),
                                    .endpoint = request.Param("endpoint"),
                                    .variant = request.Param("variant"),
                                    .reason = body["reason"].AsString(),
                                    .by = request.principal.name,
                                    .replace = body["replace"].AsBool()}));
  return net::Response::JsonDoc(serving::EndpointToJson(endpoint));
}

Result<net::Response> EndpointsApi::Deploy(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string reference, body.GetString("model"));
  auto endpoint = serving_.Deploy({.project = request.Param("project"),
                                   .reference = reference,
                                   .endpoint = request.Param("endpoint"),
                                   .reason = body["reason"].AsString(),
                                   .deployed_by = request.principal.name,
                                   .replace = body["replace"].AsBool()});
  if (!endpoint)
    return WithDanger(std::move(endpoint).error(), request.Param("project"), reference);
  return net::Response::JsonDoc(serving::EndpointToJson(*endpoint));
}

Error EndpointsApi::WithDanger(Error error, const std::string& project,
                               const std::string& reference) const {
  if (error.gy() != "GY3622") return error;
  const std::string danger = danger_(project, reference);
  if (danger.empty()) return error;
  std::string why = fmt::format("{}; loading its files is not safe: {}", error.why(), danger);
  return std::move(error)
      .Why(std::move(why))
      .Fix(fmt::format("gyre models inspect {}    (what its files are)", reference));
}

Result<net::Response> EndpointsApi::Remove(net::Request& request) {
  const std::string &project = request.Param("project"), &name = request.Param("endpoint");
  GYRE_TRY(const serving::Endpoint endpoint, serving_.Get(project, name));
  const IsAbout about = [&](const automation::TriggerSpec& spec) {
    return automation::EndpointOf(spec) == name;
  };
  return native::Remove(
      trash_, request,
      {.noun = "endpoint",
       .name = name,
       .check = [&] { return CheckNoTrigger(automation_, project, "endpoint", name, about); },
       .needed_by = [&] { return NeededByTriggers(automation_, project, about); }});
}

Result<net::Response> EndpointsApi::Rollback(net::Request& request) {
  Json body = Json::Obj();
  if (!request.body().empty()) {
    GYRE_TRY(body, request.JsonBody());
  }
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

Result<blob::Object> EndpointsApi::Uploaded(net::Request& request) {
  GYRE_TRY(auto writer, blobs_.NewWriter());
  GYRE_DO(files::Receive(request, *writer));
  return writer->Commit();
}

Result<net::Response> EndpointsApi::PredictFile(net::Request& request) {
  const auto reference = request.Query("model");
  if (!reference || reference->empty()) {
    return InvalidArgument("GY3824", "the query lacks `model`").Fix("?model=churn@champion");
  }
  const std::string format = request.Query("output_format").value_or("csv");
  const std::string& project = request.Param("project");
  GYRE_TRY(const registry::ModelVersion version, predictions_.Model(project, *reference));
  GYRE_TRY(const blob::Object upload, Uploaded(request));
  GYRE_TRY(const runners::Job job,
           predictions_.Submit(version,
                               {.project = project,
                                .filename = request.Query("filename").value_or("input"),
                                .format = request.Query("format").value_or(""),
                                .output_format = format,
                                .bad_is_missing = request.Query("bad") == "null",
                                .created_by = request.principal.name},
                               upload));
  return Accepted(job);
}

Result<net::Response> EndpointsApi::ExplainFile(net::Request& request) {
  const std::string& project = request.Param("project");
  const std::string named = request.Query("version").value_or("champion");
  const bool is_number = named.size() > 1 && named[0] == 'v' && ParseInt(named.substr(1));
  GYRE_TRY(const registry::ModelVersion version,
           predictions_.Model(project, fmt::format("{}{}{}", request.Param("model"),
                                                   is_number ? ":" : "@", named)));
  GYRE_TRY(const blob::Object upload, Uploaded(request));
  GYRE_TRY(const runners::Job job,
           predictions_.SubmitExplanation(
               version,
               {.project = project,
                .filename = request.Query("filename").value_or("input"),
                .format = request.Query("format").value_or(""),
                .output_format = request.Query("output_format").value_or("none"),
                .bad_is_missing = request.Query("bad") == "null",
                .created_by = request.principal.name},
               upload));
  return Accepted(job);
}

Result<net::Response> EndpointsApi::ScoredFile(net::Request& request) {
  GYRE_TRY(const serving::ScoredFile file,
           predictions_.Find(request.Param("project"), request.Param("job")));
  GYRE_DO(blobs_.CheckBlocks(file.object.digest));
  GYRE_TRY(std::shared_ptr<blob::ReadStream> stream, blobs_.Open(file.object.digest));
  net::Response response;
  response.content_type = files::TableContentType(file.format).value_or("application/octet-stream");
  response.content_length = file.object.size_bytes;
  response.stream = files::StreamBlob(std::move(stream), 0, file.object.size_bytes);
  return response;
}

}  // namespace gyre::native
