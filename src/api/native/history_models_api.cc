#include "api/native/history_models_api.h"

#include <algorithm>
#include <array>

#include "api/files/file_bodies.h"
#include "api/native/brought.h"
#include "api/native/route_table.h"
#include "base/limits.h"
#include "ml/projects/projects.h"
#include "ml/tracking/files.h"
#include "ml/tracking/logged_models.h"
#include "platform/blob/blob_store.h"

namespace gyre::native {
namespace {

using tracking::LoggedModel;
using tracking::ModelStatus;

constexpr std::int64_t kFileBytesMax = std::int64_t{1} << 40;

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/history/logged-models",
     .handler = Bind<&HistoryModelsApi::Bring>,
     .permission = Permission("run.write"),
     .summary = "Bring a logged model that was made elsewhere, or complete the one of this id",
     .body = Body::kBuffer,
     .body_bytes_max = kJsonBodyBytesMax,
     .members = {{"id", Type::kText, "that it had: m- and 32 digits of 0-9a-f; kept", "",
                  net::kRequired},
                 {"experiment", Type::kWhole, "its number", "", net::kRequired},
                 {"name", Type::kText, "of the model"},
                 {"run", Type::kText, "id of the run that made it"},
                 {"model_type", Type::kText, "what kind of model it is"},
                 {"status", Type::kText, "of its files", "pending|ready|failed"},
                 {"created_at", Type::kTime, "when it was made"},
                 {"deleted", Type::kBool, "it was deleted in its source"},
                 {"params", Type::kObject, "text by name; one that is there stays"},
                 {"tags", Type::kObject, "text by name"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/history/logged-models/{model}/metrics",
     .handler = Bind<&HistoryModelsApi::BringMetrics>,
     .permission = Permission("run.write"),
     .summary = "Bring what was measured of a logged model; the same point twice is one",
     .body = Body::kBuffer,
     .body_bytes_max = kJsonBodyBytesMax,
     .audited = false,
     .members = {{"metrics", Type::kObjects,
                  "points: {key, value, step, time_us, run, dataset_name, dataset_digest}", "",
                  net::kRequired}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/history/logged-models/{model}/files/{path*}",
     .handler = Bind<&HistoryModelsApi::BringFile>,
     .permission = Permission("run.write"),
     .summary = "Bring a file of a logged model",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax},
};

Result<ModelStatus> StatusOf(const Json& body) {
  const std::string& word = body["status"].AsString();
  for (const ModelStatus status :
       {ModelStatus::kPending, ModelStatus::kReady, ModelStatus::kFailed})
    if (word.empty() || word == tracking::ModelStatusName(status)) return status;
  return InvalidArgument("GY3446", "`{}` is not the status of a logged model", word.substr(0, 64))
      .Fix("pending, ready or failed");
}

Json ModelJson(const LoggedModel& model) {
  return Json::Obj({{"id", model.id},
                    {"name", model.name},
                    {"experiment", model.experiment},
                    {"run", model.run_id},
                    {"status", tracking::ModelStatusName(model.status)}});
}

}  // namespace

net::RouteTable HistoryModelsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> HistoryModelsApi::Bring(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  tracking::NewLoggedModel from{.project = project.name,
                                .experiment = body["experiment"].AsInt(),
                                .name = body["name"].AsString(),
                                .run_id = body["run"].AsString(),
                                .model_type = body["model_type"].AsString()};
  from.id = body["id"].AsString();
  GYRE_TRY(from.created_us, BroughtTime(body));
  GYRE_TRY(from.params, BroughtTexts(body, "params"));
  GYRE_TRY(from.tags, BroughtTexts(body, "tags"));
  GYRE_TRY(const ModelStatus status, StatusOf(body));
  auto model = models_.Get(project.name, from.id, true);
  const bool there = model.has_value();
  if (there) {
    GYRE_DO(models_.AddParams(project.name, from.id, from.params));
    GYRE_DO(models_.SetTags(project.name, from.id, from.tags));
  } else if (model.error().gy() == "GY3441") {
    model = models_.Create(from);
  }
  if (!model) return model.error();
  if (status != model->status) {
    GYRE_TRY(model, models_.Finish(project.name, from.id, status));
  }
  if (body["deleted"].AsBool() && model->deleted_us == 0)
    GYRE_DO(models_.Delete(project.name, from.id));
  return net::Response::JsonDoc(ModelJson(*model), there ? 200 : 201);
}

Result<net::Response> HistoryModelsApi::BringMetrics(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  std::vector<tracking::ModelPoint> points;
  for (const Json& point : body["metrics"].items()) {
    GYRE_TRY(const double value, BroughtValue(point["value"]));
    points.push_back({point["key"].AsString(), value, point["step"].AsInt(),
                      point["time_us"].AsInt(), point["run"].AsString(),
                      point["dataset_name"].AsString(), point["dataset_digest"].AsString()});
  }
  GYRE_DO(models_.AddPoints(request.Param("project"), request.Param("model"), points));
  return net::Response::Empty();
}

Result<net::Response> HistoryModelsApi::BringFile(net::Request& request) {
  GYRE_TRY(const LoggedModel model,
           models_.Get(request.Param("project"), request.Param("model"), true));
  GYRE_TRY(auto writer, blobs_.NewWriter());
  GYRE_DO(files::Receive(request, *writer));
  GYRE_TRY(const blob::Object object, writer->Commit());
  GYRE_DO(files_.Put({tracking::FileOwner::Kind::kLoggedModel, model.project, model.id},
                     {request.Param("path"), object, ""}));
  return net::Response::JsonDoc(
      Json::Obj({{"path", request.Param("path")}, {"size_bytes", object.size_bytes}}), 201);
}

}  // namespace gyre::native
