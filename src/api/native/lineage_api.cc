#include "api/native/lineage_api.h"

#include "api/native/drawn_graph.h"
#include "api/native/route_table.h"
#include "base/time.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ml/data/datasets.h"
#include "ml/registry/registry.h"

namespace gyre::native {
namespace {

constexpr int kNodesMax = 1000;
constexpr int kDepthMax = 1000;
constexpr std::string_view kPrediction = "prediction:";

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/lineage",
     .handler = Bind<&LineageApi::Walk>,
     .permission = Permission("lineage.read"),
     .summary =
         "Upstream, downstream or both of an id or label (churn:v1, model:churn:v1, "
         "churn@champion), to a depth; `others` share the label. prediction:ID is an answer "
         "by its inference id: `prediction` has its deployment, model, gate, run, code, data "
         "and source, and what is not known",
     .response_type = "Lineage",
     .query = {{"id", Type::kText, "churn:v1, churn@champion, prediction:ID, or an id", "",
                net::kRequired},
               {"direction", Type::kText, "up when it is not given", "up|down|both"},
               {"depth", Type::kWhole, "how far: 1 to 1000, else 100"},
               kLayout}},
};

lineage::Direction DirectionOf(std::string_view text) {
  if (text == "down") return lineage::Direction::kDown;
  return text == "both" ? lineage::Direction::kBoth : lineage::Direction::kUp;
}

Json NodeToJson(const lineage::Node& node) {
  return Json::Obj({{"id", node.id},
                    {"kind", node.kind},
                    {"label", node.label},
                    {"name", lineage::NameWithKind(node)},
                    {"project", node.project},
                    {"depth", node.depth},
                    {"created_at", FormatTime(node.created_us)}});
}

Json EdgeToJson(std::string_view from, std::string_view to, std::string_view role) {
  return Json::Obj({{"from", from}, {"to", to}, {"role", role}});
}

Result<Json> LayoutOf(const Json& nodes, const Json& edges) {
  std::vector<DrawnNode> drawn;
  std::vector<DrawnEdge> between;
  for (const Json& node : nodes.items())
    drawn.push_back({node["id"].AsString(), node["name"].AsString()});
  for (const Json& edge : edges.items())
    between.push_back({edge["from"].AsString(), edge["to"].AsString()});
  return LayoutToJson(drawn, between);
}

Result<net::Response> Answer(const net::Request& request, Json document) {
  if (WantsLayout(request)) {
    GYRE_TRY(Json layout, LayoutOf(document["nodes"], document["edges"]));
    document.Set("layout", std::move(layout));
  }
  return net::Response::JsonDoc(document);
}

Error InTrash(const std::string& model, const trash::Item& item) {
  return NotFound("GY4114", "model `{}` lies in the trash until {}", model,
                  FormatTime(item.until_us))
      .Fix("gyre undelete model " + item.name);
}

}  // namespace

net::RouteTable LineageApi::table() { return {"native", kRoutes, this}; }

// Lineage knows ids and labels; the rooms of models and datasets know what else people call them:
// churn@champion, churn, model:churn, dataset:sales:latest.
Result<lineage::Found> LineageApi::Find(const std::string& project, const std::string& text) {
  auto found = lineage_.Find(project, text);
  if (found || found.error().code() != Code::kNotFound) return found;
  constexpr std::string_view kModel = "model:", kDataset = "dataset:";
  const bool is_model = text.starts_with(kModel), is_dataset = text.starts_with(kDataset);
  const std::string name = is_model ? text.substr(kModel.size()) : text;
  // One of that name that is there is what is meant, whatever it lacks.
  const bool is_there =
      registry_.GetModel(project, name.substr(0, name.find_first_of(":@"))).has_value();
  const auto gone = is_there ? std::nullopt : predictions_.ModelInTrash(project, name);
  if (!is_dataset) {
    const auto version = registry_.Resolve(project, name);
    if (version) {
      GYRE_TRY(lineage::Found named, lineage_.Find(project, version->id));
      if (text.find_first_of(":@") != std::string::npos) return named;
      const auto data = datasets_.Resolve(project, text);
      if (!data) return named;
      GYRE_TRY(const lineage::Found other, lineage_.Find(project, data->id));
      named.others.push_back(other.node);
      return named;
    }
    if (is_model || text.find('@') != std::string::npos)
      return gone ? InTrash(name, *gone) : version.error();
  }
  const auto version = datasets_.Resolve(project, is_dataset ? text.substr(kDataset.size()) : text);
  if (version) return lineage_.Find(project, version->id);
  if (is_dataset) return version.error();
  if (gone) return InTrash(name, *gone);
  return found;
}

// The answer is no node that is kept: it stands before those of its model version.
Result<Json> LineageApi::WalkPrediction(const std::string& project, const std::string& id,
                                        int depth) {
  GYRE_TRY(PredictionLineage::Answer answer, predictions_.Find(project, id));
  const std::string& when = answer.document["received_at"].AsString();
  const Json start = Json::Obj({{"id", id},
                                {"kind", "prediction"},
                                {"label", id},
                                {"name", std::string(kPrediction) + id},
                                {"project", project},
                                {"depth", 0},
                                {"created_at", when.empty() ? Json() : Json(when)}});
  Json nodes = Json::Arr({start}), edges = Json::Arr();
  Json runs = Json::Arr();
  bool truncated = false;
  const auto graph =
      lineage_.Walk(answer.model_version_id, lineage::Direction::kUp, depth - 1, kNodesMax - 1);
  if (graph) {
    for (lineage::Node node : graph->nodes) {
      ++node.depth;
      nodes.Push(NodeToJson(node));
      if (node.kind == "pipeline_run") runs.Push(predictions_.PipelineRun(node.id));
    }
    edges.Push(EdgeToJson(answer.model_version_id, id, "answered"));
    for (const lineage::Edge& edge : graph->edges)
      edges.Push(EdgeToJson(edge.from, edge.to, edge.role));
    truncated = graph->truncated;
  }
  answer.document.Set("pipeline_runs", std::move(runs));
  return Json::Obj({{"start", start},
                    {"others", Json::Arr()},
                    {"nodes", std::move(nodes)},
                    {"edges", std::move(edges)},
                    {"truncated", truncated},
                    {"prediction", std::move(answer.document)}});
}

Result<net::Response> LineageApi::Walk(net::Request& request) {
  const auto id = request.Query("id");
  if (!id || id->empty()) {
    return InvalidArgument("GY4154", "`id` is missing")
        .Fix("?id=churn:v1, or the id of a dataset version, run, model version or endpoint");
  }
  const lineage::Direction direction = DirectionOf(request.Query("direction").value_or("up"));
  GYRE_TRY(const std::int64_t depth, request.QueryInt("depth", 100, 1, kDepthMax));
  if (id->starts_with(kPrediction)) {
    if (direction != lineage::Direction::kUp) {
      return InvalidArgument("GY4154", "what depends on one prediction is not kept")
          .Fix("?direction=up, or nothing");
    }
    GYRE_TRY(Json document, WalkPrediction(request.Param("project"), id->substr(kPrediction.size()),
                                           static_cast<int>(depth)));
    return Answer(request, std::move(document));
  }
  GYRE_TRY(const lineage::Found found, Find(request.Param("project"), *id));
  GYRE_TRY(const lineage::Graph graph,
           lineage_.Walk(found.node.id, direction, static_cast<int>(depth), kNodesMax));
  Json others = Json::Arr();
  for (const lineage::Node& node : found.others) others.Push(NodeToJson(node));
  Json nodes = Json::Arr(), edges = Json::Arr();
  for (const lineage::Node& node : graph.nodes) nodes.Push(NodeToJson(node));
  for (const lineage::Edge& edge : graph.edges) {
    edges.Push(EdgeToJson(edge.from, edge.to, edge.role));
  }
  return Answer(request, Json::Obj({{"start", NodeToJson(graph.nodes.front())},
                                    {"others", std::move(others)},
                                    {"nodes", std::move(nodes)},
                                    {"edges", std::move(edges)},
                                    {"truncated", graph.truncated}}));
}

}  // namespace gyre::native
