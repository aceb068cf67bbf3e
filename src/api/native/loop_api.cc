#include "api/native/loop_api.h"

#include "api/native/route_table.h"

namespace gyre::native {
namespace {

constexpr net::Field kModel = {"model", Type::kText,
                               "whose laps; else what the newest endpoint runs"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/loop",
     .handler = Bind<&LoopApi::Loop>,
     .permission = Permission("project.read"),
     .summary = "The loop at a glance: its eight stages, the laps that went around them, what goes "
                "on now, the goals, and how mature the project is",
     .response_type = "Loop",
     .query = {kModel}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/maturity",
     .handler = Bind<&LoopApi::Maturity>,
     .permission = Permission("project.read"),
     .summary = "Google's levels 0 to 2 and Azure's 0 to 4, row by row: what shows that it is so, "
                "or the act that is missing",
     .response_type = "Maturity",
     .query = {kModel}},
};

}  // namespace

net::RouteTable LoopApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> LoopApi::Loop(net::Request& request) {
  GYRE_TRY(const loop::Facts facts,
           loop::FactsOf(rooms_, request.Param("project"), request.Query("model").value_or("")));
  return net::Response::JsonDoc(loop::LoopToJson(facts));
}

Result<net::Response> LoopApi::Maturity(net::Request& request) {
  GYRE_TRY(const loop::Facts facts,
           loop::FactsOf(rooms_, request.Param("project"), request.Query("model").value_or("")));
  return net::Response::JsonDoc(loop::MaturityToJson(loop::MaturityOf(facts)));
}

}  // namespace gyre::native
