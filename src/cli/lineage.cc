// gyre lineage: where a thing came from and what depends on it, as a tree.
#include <map>
#include <set>

#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

// The answer's edges as a tree from its start; a node that was shown already is not unfolded again.
class Tree {
 public:
  Tree(const Json& answer, bool up) : up_(up) {
    for (const Json& node : answer["nodes"].items()) nodes_[node["id"].AsString()] = &node;
    for (const Json& edge : answer["edges"].items()) {
      const std::string& from = edge["from"].AsString();
      const std::string& to = edge["to"].AsString();
      next_[up ? to : from].push_back({up ? from : to, edge["role"].AsString()});
    }
  }

  std::string Text(const std::string& id) {
    Add(id, "", 0);
    return text_;
  }

 private:
  void Add(const std::string& id, const std::string& role, int depth) {
    const Json& node = *nodes_.at(id);
    text_ += fmt::format("{:{}}{}{} {}  {}{}\n", "", depth * 2,
                         depth == 0 ? ""
                         : up_      ? "from "
                                    : "to ",
                         node["kind"].AsString(), node["label"].AsString(), id.substr(0, 12),
                         role.empty() ? "" : "  (" + role + ")");
    if (!shown_.insert(id).second) return;
    for (const auto& [neighbour, edge_role] : next_[id]) Add(neighbour, edge_role, depth + 1);
  }

  bool up_;
  std::map<std::string, const Json*> nodes_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> next_;
  std::set<std::string> shown_;
  std::string text_;
};

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const bool down = in.Has("down");
  GYRE_TRY(const std::int64_t depth, in.GetInt("depth"));
  GYRE_TRY(const Json answer,
           session->Get(fmt::format("/api/v1/projects/{}/lineage?id={}&direction={}&depth={}",
                                    PercentEncode(in.project()), PercentEncode(in.Get("ID")),
                                    down ? "down" : "up", depth)));
  in.out().Document(answer, Tree(answer, !down).Text(answer["start"]["id"].AsString()));
  for (const Json& other : answer["others"].items()) {
    in.out().Note(fmt::format("shown is {}; `{}` is the name of another thing too: gyre lineage {}",
                              answer["start"]["name"].AsString(), in.Get("ID"),
                              other["name"].AsString()));
  }
  if (answer["truncated"].AsBool())
    in.out().Note("there is more: raise --depth, or begin further along");
  return 0;
}

constexpr Positional kId[] = {
    {"ID",
     "an id, its first 6 digits, or a label: churn:v1, model:churn:v1, dataset:churn:v1, "
     "churn@champion"}};
constexpr Option kOptions[] = {
    {"--down", "", "what depends on it; without it: where it came from"},
    {"--depth", "N", "how many edges away", "100"},
};
constexpr Command kCommands[] = {
    {"lineage", "where a thing came from, and what depends on it",
     "gyre lineage churn@champion\ngyre lineage dataset:churn:v1 --down -o json", kId, kOptions,
     Show},
};

}  // namespace

std::span<const Command> LineageCommands() { return kCommands; }

}  // namespace gyre::cli
