#include "api/native/trash_api.h"

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "api/native/step_rights.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/trash/trash.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/trash",
     .handler = Bind<&TrashApi::List>,
     .permission = Permission("project.read"),
     .summary = "What was removed and can be put back, newest first",
     .response_type = "TrashList",
     .per_project = true,
     .query = {kOfProject,
               {"noun", Type::kText, "only things of this kind: dataset, model, ..."},
               {"name", Type::kText, "only what had this name"},
               kLimit,
               kPageToken}},
    // Who may put a thing back is asked of its noun.
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/trash/{number}/restore",
     .handler = Bind<&TrashApi::Restore>,
     .permission = Permission("project.read"),
     .summary = "Put a thing back, with all that belongs to it",
     .body = Body::kBuffer,
     .request_type = "Restore",
     .response_type = "TrashItem",
     .members = {{"as", Type::kText, "another name, when its own is taken"}}},
    {.method = Method::kPost,
     .path = "/api/v1/trash/{number}/restore",
     .handler = Bind<&TrashApi::RestoreOfNone>,
     .permission = Permission("access.admin"),
     .summary = "Put back what is of no project, a user, or a project itself",
     .body = Body::kBuffer,
     .request_type = "Restore",
     .response_type = "TrashItem",
     .members = {{"as", Type::kText, "another name, when its own is taken"}}},
    {.method = Method::kPost,
     .path = "/api/v1/trash/empty",
     .handler = Bind<&TrashApi::Empty>,
     .permission = Permission("access.admin"),
     .summary = "End what is in the trash, for good",
     .response_type = "TrashPurged",
     .query = {kOfProject,
               {"older_than_seconds", Type::kWhole, "only what was removed longer ago"},
               {"noun", Type::kText, "only things of this kind: dataset, model, ..."},
               {"name", Type::kText, "only what had this name"}}},
};

}  // namespace

net::RouteTable TrashApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> TrashApi::List(net::Request& request) {
  GYRE_TRY(const SequencePage page, ReadSequencePage(request));
  GYRE_TRY(const auto items, trash_.List({.projects = VisibleProjects(request),
                                          .noun = request.Query("noun").value_or(""),
                                          .name = request.Query("name").value_or(""),
                                          .before = page.before,
                                          .limit = page.limit}));
  return PageOf(items, page.limit, trash::ItemToJson, &trash::Item::number);
}

Result<trash::Item> TrashApi::ItemOf(const net::Request& request, bool of_project) {
  GYRE_TRY(trash::Item item, trash_.Get(ParseInt(request.Param("number")).value_or(0)));
  const bool inside = !item.project.empty() && item.noun != "project";
  if (inside == of_project && (!of_project || item.project == request.Param("project")))
    return item;
  return NotFound("GY5002", "there is no thing `{}` in the trash", request.Param("number"))
      .Fix("gyre trash ls");
}

Result<net::Response> TrashApi::PutBack(const net::Request& request, const trash::Item& item) {
  Json body = Json::Obj();
  if (!request.body().empty()) {
    GYRE_TRY(body, request.JsonBody());
  }
  GYRE_DO(trash_.Restore(item, body["as"].AsString()));
  return net::Response::JsonDoc(trash::ItemToJson(item));
}

Result<net::Response> TrashApi::Restore(net::Request& request) {
  GYRE_TRY(const trash::Item item, ItemOf(request, true));
  if (const trash::Kind* const kind = trash_.Find(item.noun))
    GYRE_DO(AdmitSteps(access_, request, {kind->permission}));
  return PutBack(request, item);
}

Result<net::Response> TrashApi::RestoreOfNone(net::Request& request) {
  GYRE_TRY(const trash::Item item, ItemOf(request, false));
  return PutBack(request, item);
}

Result<net::Response> TrashApi::Empty(net::Request& request) {
  GYRE_TRY(const std::int64_t seconds,
           request.QueryInt("older_than_seconds", 0, 0, INT64_MAX / kMicrosPerSecond / 2));
  GYRE_TRY(const trash::Purged purged,
           trash_.Purge({SystemClock().NowMicros() - seconds * kMicrosPerSecond,
                         VisibleProjects(request), request.Query("noun").value_or(""),
                         request.Query("name").value_or("")}));
  return net::Response::JsonDoc(Json::Obj({{"items", purged.items}, {"bytes", purged.bytes}}));
}

}  // namespace gyre::native
