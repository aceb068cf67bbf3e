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

// Words for kinds, as people write them before a label.
constexpr std::pair<std::string_view, std::string_view> kKindWords[] = {
    {"dataset", "dataset_version"}, {"model", "model_version"}};

std::string_view KindOf(std::string_view word) {
  for (const auto& [short_word, kind] : kKindWords) {
    if (word == short_word) return kind;
  }
  return word;
}

// Everything that a text may name; several things may have one label ("churn:v1" the dataset and
// the model).
Result<std::vector<Node>> Matches(db::Reader& reader, std::string_view project,
                                  std::string_view text) {
  const auto nodes = [&](std::string_view condition, db::Params params) {
    return db::Collect<Node>(
        reader,
        fmt::format("SELECT id, kind, label, project, created_us FROM lineage_node WHERE {} AND "
                    "(?1 = '' OR project = ?1) ORDER BY created_us, id LIMIT 20",
                    condition),
        params, MakeNode);
  };
  GYRE_TRY(auto found, nodes("id = ?2", {project, text}));
  if (!found.empty()) return found;
  GYRE_TRY(found, nodes("label = ?2", {project, text}));
  if (!found.empty()) return found;
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    GYRE_TRY(found, nodes("kind = ?2 AND (label = ?3 OR id = ?3)",
                          {project, KindOf(text.substr(0, colon)), text.substr(colon + 1)}));
  }
  if (!found.empty() || text.size() < kPrefixLengthMin) return found;
  const std::string end = std::string(text) + "~";
  return nodes("id >= ?2 AND id < ?3", {project, text, end});
}

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

  // Not one of another project.
  Result<bool> Add(const std::string& id, int depth) {
    return reader.QueryOne(kById, {id}, [&](const db::Row& row) {
      Node node = MakeNode(row);
      if (!graph.nodes.empty() && node.project != graph.nodes.front().project) return;
      node.depth = depth;
      graph.nodes.push_back(std::move(node));
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
        GYRE_DO(Add(neighbour, depth + 1));
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

std::string NameWithKind(const Node& node) {
  for (const auto& [word, kind] : kKindWords) {
    if (node.kind == kind) return fmt::format("{}:{}", word, node.label);
  }
  return fmt::format("{}:{}", node.kind, node.label);
}

Result<Found> Lineage::Find(std::string_view project, std::string_view text) const {
  std::vector<Node> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, Matches(reader, project, text));
    return {};
  }));
  if (found.empty()) {
    return NotFound("GY4111", "nothing called `{}` has a lineage{}", text,
                    project.empty() ? "" : fmt::format(" in project {}", project))
        .Fix(
            "give the id or the label of a dataset version, run, model version or endpoint: "
            "`churn:v1`");
  }
  if (found.size() == 1) return Found{found.front()};
  const auto is_model = [](const Node& node) { return node.kind == "model_version"; };
  const auto model = std::ranges::find_if(found, is_model);
  if (found.front().label == text && std::ranges::count_if(found, is_model) == 1) {
    Found answer{*model};
    found.erase(model);
    answer.others = std::move(found);
    return answer;
  }
  std::string names;
  for (const Node& node : found) {
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", NameWithKind(node), node.id);
  }
  return InvalidArgument("GY4112", "`{}` could be any of: {}", text, names)
      .Fix("give the id of the one you mean, or its kind and label");
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
