#include "ledger/lineage/lineage.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace gyre::lineage {
namespace {

constexpr std::size_t kPrefixLengthMin = 6;

Node MakeNode(const db::Row& row) {
  return {row.Str(0), row.Str(1), row.Str(2), row.Str(3), row.Int(4)};
}
constexpr std::string_view kById =
    "SELECT id, kind, label, project, created_us FROM lineage_node WHERE id = ?1";

// The nodes at the other end of one node's edges; fills `edges`.
using EdgeKey = std::tuple<std::string, std::string, std::string>;

Result<std::vector<std::string>> Neighbours(db::Reader& reader, const std::string& id,
                                            Direction direction, std::set<EdgeKey>* edges) {
  std::vector<std::string> found;
  const auto follow = [&](std::string_view sql, bool other_is_from) {
    return reader.Query(sql, {id}, [&](const db::Row& row) -> Result<> {
      edges->insert({row.Str(0), row.Str(1), row.Str(2)});
      found.push_back(row.Str(other_is_from ? 0 : 1));
      return {};
    });
  };
  if (direction != Direction::kDown) {
    GYRE_DO(follow(
        "SELECT from_id, to_id, role FROM lineage_edge WHERE to_id = ?1 ORDER BY from_id, role",
        true));
  }
  if (direction != Direction::kUp) {
    GYRE_DO(follow(
        "SELECT from_id, to_id, role FROM lineage_edge WHERE from_id = ?1 ORDER BY to_id, role",
        false));
  }
  return found;
}

struct Walker {
  db::Reader& reader;
  Direction direction;
  int depth_max;
  std::size_t nodes_max;
  Graph graph = {};
  std::map<std::string, int> depth_of = {};
  std::set<EdgeKey> edges = {};

  Result<bool> Add(const std::string& id, int depth) {
    return reader.QueryOne(kById, {id}, [&](const db::Row& row) {
      graph.nodes.push_back(MakeNode(row));
      graph.nodes.back().depth = depth;
      depth_of[id] = depth;
    });
  }

  // Breadth first: a node's depth is its shortest way from the start.
  Result<> Run() {
    for (std::size_t next = 0; next < graph.nodes.size(); ++next) {
      const std::string id = graph.nodes[next].id;
      const int depth = graph.nodes[next].depth;
      std::set<EdgeKey> found;
      GYRE_TRY(const auto neighbours, Neighbours(reader, id, direction, &found));
      for (const std::string& neighbour : neighbours) {
        if (depth_of.contains(neighbour)) continue;
        if (depth >= depth_max || graph.nodes.size() >= nodes_max) {
          graph.truncated = true;
          continue;
        }
        GYRE_TRY(const bool there, Add(neighbour, depth + 1));
        GYRE_CHECK(there);  // a foreign key says so
      }
      edges.merge(found);
    }
    for (const auto& [from, to, role] : edges) {
      if (depth_of.contains(from) && depth_of.contains(to)) graph.edges.push_back({from, to, role});
    }
    return {};
  }
};

}  // namespace

Result<> AddNode(db::Transaction& tx, const Node& node) {
  return tx.Execute(
      "INSERT INTO lineage_node (id, kind, label, project, created_us) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT (id) DO UPDATE SET label = excluded.label",
      {node.id, node.kind, node.label, node.project, node.created_us});
}

Result<> EnsureNode(db::Transaction& tx, const Node& node) {
  return tx.Execute(
      "INSERT INTO lineage_node (id, kind, label, project, created_us) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT (id) DO NOTHING",
      {node.id, node.kind, node.label, node.project, node.created_us});
}

Result<> AddEdge(db::Transaction& tx, std::string_view from, std::string_view to,
                 std::string_view role) {
  return tx.Execute(
      "INSERT INTO lineage_edge (from_id, to_id, role) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
      {from, to, role});
}

Result<Node> Lineage::Find(std::string_view project, std::string_view text) const {
  std::vector<Node> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    const auto collect = [&](const db::Row& row) -> Result<> {
      found.push_back(MakeNode(row));
      return {};
    };
    GYRE_DO(
        reader.Query("SELECT id, kind, label, project, created_us FROM lineage_node WHERE id = ?1 "
                     "AND (?2 = '' OR project = ?2)",
                     {text, project}, collect));
    if (!found.empty()) return {};
    // Several things may have one label ("churn:v1" the dataset and the model).
    GYRE_DO(
        reader.Query("SELECT id, kind, label, project, created_us FROM lineage_node WHERE label = "
                     "?1 AND (?2 = '' OR project = ?2) ORDER BY created_us",
                     {text, project}, collect));
    if (!found.empty() || text.size() < kPrefixLengthMin) return {};
    return reader.Query(
        "SELECT id, kind, label, project, created_us FROM lineage_node WHERE id >= ?1 AND id < ?2 "
        "AND (?3 = '' OR project = ?3) LIMIT 5",
        {text, std::string(text) + "~", project}, collect);
  }));
  if (found.empty()) {
    return NotFound("GY4111", "nothing called `{}` has a lineage{}", text,
                    project.empty() ? "" : fmt::format(" in project {}", project))
        .Fix(
            "give the id or the label of a dataset version, run, model version or endpoint: "
            "`churn:v1`");
  }
  // A model takes its dataset's name by default: then the model is meant, which leads to both.
  if (found.size() > 1 && found[0].label == text) {
    std::vector<Node> models;
    for (const Node& node : found)
      if (node.kind == "model_version") models.push_back(node);
    if (models.size() == 1) return models[0];
  }
  if (found.size() > 1) {
    std::string names;
    for (const Node& node : found)
      names +=
          fmt::format("{}{} {} ({})", names.empty() ? "" : ", ", node.kind, node.label, node.id);
    return InvalidArgument("GY4112", "`{}` could be any of: {}", text, names)
        .Fix("give the id of the one you mean");
  }
  return found.front();
}

Result<Graph> Lineage::Walk(std::string_view id, Direction direction, int depth_max,
                            int nodes_max) const {
  Graph graph;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    Walker walker{reader, direction, depth_max, static_cast<std::size_t>(std::max(nodes_max, 1))};
    GYRE_TRY(const bool there, walker.Add(std::string(id), 0));
    if (!there) return NotFound("GY4111", "nothing with id `{}` has a lineage", id);
    GYRE_DO(walker.Run());
    graph = std::move(walker.graph);
    return {};
  }));
  return graph;
}

}  // namespace gyre::lineage
