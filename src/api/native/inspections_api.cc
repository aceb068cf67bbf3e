#include "api/native/inspections_api.h"

#include "api/native/models_api.h"
#include "api/native/route_table.h"
#include "ml/registry/registry.h"
#include "ml/tracking/logged_models.h"
#include "ml/training/inspection.h"

namespace gyre::native {
namespace {

using Kind = tracking::FileOwner::Kind;

constexpr std::int64_t kAskedMs = 60'000, kBesideMs = 15'000;

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}/inspection",
     .handler = Bind<&InspectionsApi::OfVersion>,
     .permission = Permission("model.read"),
     .summary = "What the files of a version are, and whether loading them runs somebody's code"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/runs/{run}/inspection",
     .handler = Bind<&InspectionsApi::OfRun>,
     .permission = Permission("run.read"),
     .summary = "The same of the files of a run",
     .query = {{"path", Type::kText, "only those in this folder"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/logged-models/{model}/inspection",
     .handler = Bind<&InspectionsApi::OfLoggedModel>,
     .permission = Permission("run.read"),
     .summary = "The same of a logged model"},
};

// Gyre's own package, or a file that gyre keeps.
Result<Json> OfPackage(training::Inspections& inspections, const registry::ModelVersion& version,
                       const training::InspectionBounds& bounds) {
  for (const registry::Attachment& attachment : version.attachments) {
    if (attachment.name == "model")
      return inspections.InspectOne("model", attachment.object, bounds);
  }
  return training::ReportOfPackage(version.package);
}

}  // namespace

net::RouteTable InspectionsApi::table() { return {"native", kRoutes, this}; }

Result<Json> InspectionsApi::Inspect(const registry::ModelVersion& version, std::int64_t timeout_ms,
                                     std::function<bool()> cancelled) {
  const training::InspectionBounds bounds{timeout_ms, std::move(cancelled)};
  if (version.has_package()) return OfPackage(inspections_, version, bounds);
  const std::string& source = version.location.empty() ? version.source : version.location;
  GYRE_TRY(Json report, files_(version.project, source,
                               [&](const tracking::FileOwner& owner, const std::string& folder) {
                                 return inspections_.Inspect(owner, folder, bounds);
                               }));
  if (report.is_object()) return report;
  return FailedPrecondition("GY3555", "the files of {} are not kept here", version.name())
      .Why(fmt::format("its source is {}, which gyre does not open", version.source));
}

Result<net::Response> InspectionsApi::OfVersion(net::Request& request) {
  GYRE_TRY(const registry::ModelVersion version,
           FindVersion(registry_, request.Param("project"), request.Param("model"),
                       request.Param("version")));
  GYRE_TRY(Json report, Inspect(version, kAskedMs, [&request] { return request.client_gone(); }));
  return net::Response::JsonDoc(report.Set("of", version.name()));
}

Result<net::Response> InspectionsApi::OfRun(net::Request& request) {
  GYRE_TRY(const tracking::Run run,
           tracking_.GetRun(request.Param("project"), request.Param("run")));
  GYRE_TRY(Json report, inspections_.Inspect(
                            {Kind::kRun, run.project, run.id}, request.Query("path").value_or(""),
                            {kAskedMs, [&request] { return request.client_gone(); }}));
  return net::Response::JsonDoc(report.Set("of", run.id));
}

Result<net::Response> InspectionsApi::OfLoggedModel(net::Request& request) {
  GYRE_TRY(const tracking::LoggedModel model,
           models_.Get(request.Param("project"), request.Param("model")));
  GYRE_TRY(Json report,
           inspections_.Inspect({Kind::kLoggedModel, model.project, model.id}, "",
                                {kAskedMs, [&request] { return request.client_gone(); }}));
  return net::Response::JsonDoc(report.Set("of", model.id));
}

std::string InspectionsApi::DangerOf(const std::string& project, const std::string& reference) {
  const auto version = registry_.Resolve(project, reference);
  if (!version) return "";
  const auto report = Inspect(*version, kBesideMs, {});
  return report ? training::DangerOf(*report) : "";
}

}  // namespace gyre::native
