// What came from what: nodes (dataset versions, runs, fitted recipes, model versions, endpoints,
// batches...) and edges from source to result, written in the transaction of the change they
// describe. Answers upstream and downstream from any id.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::lineage {

db::ModuleSchema LineageSchema();

struct Node {
  std::string id = {};     // the thing's own id
  std::string kind = {};   // "dataset_version", "run", "model_version", "endpoint", ...
  std::string label = {};  // as people say it: "churn:v1"
  std::string project = {};
  std::int64_t created_us = 0;
  int depth = 0;  // in an answer: edges away from where the walk began
};

struct Edge {
  std::string from = {};  // source
  std::string to = {};    // result
  std::string role = {};  // "trained_on", "produced", "serves", ...
};

// Adds a node; one with the same id gets the new label.
Result<> AddNode(db::Transaction& tx, const Node& node);
// Adds a node unless one with that id is there: for the far end of an edge, whose own room knows
// its label better.
Result<> EnsureNode(db::Transaction& tx, const Node& node);
// Both nodes must be there (GY1403); the same edge twice is one.
Result<> AddEdge(db::Transaction& tx, std::string_view from, std::string_view to,
                 std::string_view role);

// How a node is named when its label alone could mean another: "dataset:churn:v1",
// "model:churn:v1", "run:night".
std::string NameWithKind(const Node& node);

// What a text names. A dataset and a model of one label: the model, which leads to both.
struct Found {
  Node node = {};
  std::vector<Node> others = {};  // what else has this label
};

enum class Direction { kUp, kDown, kBoth };  // kUp: where it came from; kDown: what depends on it

struct Graph {
  std::vector<Node> nodes = {};  // the start first, then by depth
  std::vector<Edge> edges = {};
  bool truncated = false;  // there is more than depth_max or nodes_max allowed
};

// Reads only; safe to share between threads.
class Lineage {
 public:
  explicit Lineage(db::Database& database) : database_(database) {}
  // By id, label, kind and one of the two ("model:churn:v1"), or unique beginning of an id (6
  // digits or more). Errors: kNotFound GY4111, kInvalidArgument GY4112 when several match.
  Result<Found> Find(std::string_view project, std::string_view text) const;
  // Nodes of other projects are not walked to.
  Result<Graph> Walk(std::string_view id, Direction direction, int depth_max = 100,
                     int nodes_max = 1000) const;

 private:
  db::Database& database_;
};

}  // namespace gyre::lineage
