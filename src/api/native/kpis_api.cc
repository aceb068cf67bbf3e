#include "api/native/kpis_api.h"

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "ml/monitoring/kpi_watch.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/kpis",
     .handler = Bind<&KpisApi::List>,
     .permission = Permission("project.read"),
     .summary = "Each KPI of the problem as it was measured last: met, missed, or unknown with the "
                "reason; its value, since when, and its trend",
     .response_type = "KpiStateList"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/kpis/measure",
     .handler = Bind<&KpisApi::Measure>,
     .permission = Permission("project.read"),
     .summary = "Measure them now; answers as the list does",
     .audited = false},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/kpis/history",
     .handler = Bind<&KpisApi::History>,
     .permission = Permission("project.read"),
     .summary = "What one KPI was, newest first: a row for each change",
     .query = {{"kpi", Type::kText, "its text, a part of it, or its place from 1", "",
                net::kRequired},
               {"limit", Type::kWhole, "1 to 1000, else 100"}}},
};

}  // namespace

net::RouteTable KpisApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> KpisApi::List(net::Request& request) {
  GYRE_TRY(const auto states, kpis_.List(request.Param("project")));
  return WholeList(states, monitoring::KpiStateToJson);
}

Result<net::Response> KpisApi::Measure(net::Request& request) {
  GYRE_TRY(const auto states, kpis_.Measure(request.Param("project")));
  return WholeList(states, monitoring::KpiStateToJson);
}

Result<net::Response> KpisApi::History(net::Request& request) {
  const std::string& project = request.Param("project");
  GYRE_TRY(const int limit, ReadLimit(request));
  GYRE_TRY(const monitoring::KpiState state,
           kpis_.Find(project, request.Query("kpi").value_or("")));
  GYRE_TRY(const auto readings, kpis_.History(project, state.now.kpi, limit));
  Json answer = monitoring::KpiStateToJson(state);
  answer.Set("items", ItemsOf(readings, monitoring::KpiReadingToJson));
  return net::Response::JsonDoc(answer);
}

}  // namespace gyre::native
