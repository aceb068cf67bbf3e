#include "api/native/lineage_api.h"

#include "api/native/route_table.h"
#include "base/time.h"
#include "ledger/lineage/lineage.h"

namespace gyre::native {
namespace {

constexpr int kNodesMax = 1000;
constexpr int kDepthMax = 1000;

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/lineage",
     .handler = Bind<&LineageApi::Walk>,
     .permission = Permission("lineage.read"),
     .summary = "Upstream (direction=up), downstream (down) or both of an id or label, to a depth",
     .response_type = "Lineage"},
};

Result<lineage::Direction> ParseDirection(std::string_view text) {
  if (text == "up") return lineage::Direction::kUp;
  if (text == "down") return lineage::Direction::kDown;
  if (text == "both") return lineage::Direction::kBoth;
  return InvalidArgument("GY4153", "`direction` is `{}`", text).Fix("up, down or both");
}

Json NodeToJson(const lineage::Node& node) {
  return Json::Obj({{"id", node.id},
                    {"kind", node.kind},
                    {"label", node.label},
                    {"project", node.project},
                    {"depth", node.depth},
                    {"created_at", FormatTime(node.created_us)}});
}

}  // namespace

net::RouteTable LineageApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> LineageApi::Walk(net::Request& request) {
  const auto id = request.Query("id");
  if (!id || id->empty()) {
    return InvalidArgument("GY4154", "`id` is missing")
        .Fix("?id=churn:v1, or the id of a dataset version, run, model version or endpoint");
  }
  GYRE_TRY(const lineage::Direction direction,
           ParseDirection(request.Query("direction").value_or("up")));
  GYRE_TRY(const std::int64_t depth, request.QueryInt("depth", 100, 1, kDepthMax));
  GYRE_TRY(const lineage::Node start, lineage_.Find(request.Param("project"), *id));
  GYRE_TRY(const lineage::Graph graph,
           lineage_.Walk(start.id, direction, static_cast<int>(depth), kNodesMax));
  Json nodes = Json::Arr(), edges = Json::Arr();
  for (const lineage::Node& node : graph.nodes) nodes.Push(NodeToJson(node));
  for (const lineage::Edge& edge : graph.edges) {
    edges.Push(Json::Obj({{"from", edge.from}, {"to", edge.to}, {"role", edge.role}}));
  }
  return net::Response::JsonDoc(Json::Obj({{"start", NodeToJson(graph.nodes.front())},
                                           {"nodes", std::move(nodes)},
                                           {"edges", std::move(edges)},
                                           {"truncated", graph.truncated}}));
}

}  // namespace gyre::native
