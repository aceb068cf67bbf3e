#include "api/native/endpoints_api.h"
#include "api/native/route_table.h"
#include "base/limits.h"
#include "ml/serving/serving.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/e/{endpoint}",
     .handler = Bind<&PredictApi::Predict>,
     .permission = Permission("predict"),
     .summary = "Predict rows",
     .body = Body::kBuffer,
     .body_bytes_max = kJsonBodyBytesMax,
     .where = Where::kInline,
     .request_type = "PredictRequest",
     .response_type = "Prediction",
     .audited = false,
     .per_project = true,
     .members = {{"inputs", Type::kObjects, "rows: {column: value}", "", net::kRequired},
                 {"event_time", Type::kTime, "when they happened; else now"},
                 {"event_times", Type::kAny, "the same of each row: a list"},
                 {"inference_ids", Type::kAny, "own ids of the rows, for their labels: a list"},
                 {"keys", Type::kAny, "what else their labels may come by: a list"},
                 {"*", Type::kAny, "passed over"}},
     .waits = net::BindWaits<&PredictApi::Waits>},
    {.method = Method::kGet,
     .path = "/e/{endpoint}",
     .handler = Bind<&PredictApi::Describe>,
     .permission = Permission("predict"),
     .summary = "What an endpoint takes: its model, columns and classes",
     .response_type = "PredictSignature",
     .per_project = true},
};

Error NoEndpoint(std::string_view name) {
  return NotFound("GY3802", "there is no endpoint `{}`", name).Fix("gyre endpoints");
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

}  // namespace

net::RouteTable PredictApi::table() { return {"predict", kRoutes, this}; }

// To load a model takes long: the other connections of the thread would stand still.
bool PredictApi::Waits(const net::Request& request) {
  return serving_.Parked(request.Param("endpoint"));
}

Result<net::Response> PredictApi::Predict(net::Request& request) {
  net::Response response;
  const std::string& name = request.Param("endpoint");
  if (!request.principal.all_projects) {
    const std::string project = serving_.ProjectOf(name);  // before it may be woken
    if (!project.empty() && !request.principal.AllowsProject(project)) return NoEndpoint(name);
  }
  const RequestHeaders headers(request);
  GYRE_TRY(response.body, serving_.Predict(name, request.body(), &headers));
  return response;
}

Result<net::Response> PredictApi::Describe(net::Request& request) {
  const std::string& name = request.Param("endpoint");
  if (!request.principal.AllowsProject(serving_.ProjectOf(name))) return NoEndpoint(name);
  const auto snapshot = serving_.Find(name);
  if (!snapshot) return NoEndpoint(name);
  const serving::SnapshotInfo& info = serving::InfoOf(*snapshot);
  Json classes = Json::Arr();
  for (const std::string& text : info.scorer->classes()) classes.Push(text);
  return net::Response::JsonDoc(
      Json::Obj({{"endpoint", info.endpoint},
                 {"model", info.model},
                 {"task", predictors::TaskName(info.scorer->task())},
                 {"target", info.scorer->package().target},
                 {"columns", info.scorer->package().InputJson(info.scorer->input())},
                 {"classes", std::move(classes)}}));
}

}  // namespace gyre::native
