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

std::string Short(const Json& hash) { return hash.AsString().substr(0, 12); }

// Lines with a label; what is empty is left out.
class Lines {
 public:
  void Add(std::string_view label, const std::string& value) {
    if (!value.empty()) text_ += fmt::format("{:<12} {}\n", label, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string ValueText(const Json& value) {
  return value.is_string() ? value.AsString() : value.is_null() ? std::string() : value.Dump();
}

std::string ByAndWhen(const Json& by, const Json& at) {
  return fmt::format("{}{}{}", by.AsString(), by.AsString().empty() ? "" : ", ", at.AsString());
}

void AddAnswer(const Json& p, Lines* lines) {
  lines->Add("prediction",
             p["id"].AsString() +
                 (p["prediction"].is_null() ? std::string() : "   " + ValueText(p["prediction"])));
  if (!p["label"].is_null())
    lines->Add("truth",
               fmt::format("{}   since {}", ValueText(p["label"]), p["label_time"].AsString()));
  if (p["captured"].AsBool()) {
    lines->Add("answered", fmt::format("{} by endpoint {} ({}) in {:.3g} ms",
                                       p["received_at"].AsString(), p["endpoint"].AsString(),
                                       p["role"].AsString(), p["latency_us"].AsDouble() / 1000));
    if (p["event_time"] != p["received_at"]) lines->Add("event", p["event_time"].AsString());
    return;
  }
  std::string when;
  if (!p["after"].AsString().empty()) when += " not before " + p["after"].AsString();
  if (!p["before"].AsString().empty())
    when += (when.empty() ? "" : ",") + std::string(" not after ") + p["before"].AsString();
  if (!when.empty()) lines->Add("answered", when.substr(1));
  if (p["candidates"].size() > 1)
    for (const Json& one : p["candidates"].items())
      lines->Add("perhaps", fmt::format("endpoint {}, {} ({}), since {}",
                                        one["endpoint"].AsString(), one["model"].AsString(),
                                        one["variant"].AsString(), one["created"].AsString()));
}

void AddModel(const Json& p, Lines* lines) {
  if (const Json& d = p["deployment"]; d.is_object())
    lines->Add("deployment",
               fmt::format("{} of {} as {} ({}): {}{}{}", d["number"].AsInt(),
                           d["model"].AsString(), d["variant"].AsString(), d["basis"].AsString(),
                           ByAndWhen(d["deployed_by"], d["created"]),
                           d["reason"].AsString().empty() ? "" : ", ", d["reason"].AsString()));
  if (const Json& m = p["model"]; m.is_object())
    lines->Add("model", fmt::format("{}, {}, package {}: {}", m["name"].AsString(),
                                    m["learner"].AsString(), Short(m["package"]["digest"]),
                                    ByAndWhen(m["created_by"], m["created_at"])));
  if (const Json& gate = p["gate"]; gate.is_object()) {
    lines->Add("gate", fmt::format("{}: {}", gate["pass"].AsBool() ? "passed" : "failed",
                                   ByAndWhen(gate["by"], gate["at"])));
    for (const Json& reason : gate["reasons"].items()) lines->Add("", reason["text"].AsString());
  }
  if (const Json& move = p["promoted"]; move.is_object())
    lines->Add("promoted", fmt::format("@champion by {}: {}{}{}", move["basis"].AsString(),
                                       ByAndWhen(move["by"], move["moved_at"]),
                                       move["reason"].AsString().empty() ? "" : ", ",
                                       move["reason"].AsString()));
}

void AddOrigin(const Json& p, Lines* lines) {
  if (const Json& run = p["run"]; run.is_object()) {
    lines->Add("run", fmt::format("{} {} ({}): {}", run["name"].AsString(), Short(run["id"]),
                                  run["kind"].AsString(),
                                  ByAndWhen(run["created_by"], run["started_at"])));
    const Json& code = run["code"];
    if (code.is_object())
      lines->Add("code", fmt::format("{} {} {}{}", Short(code["commit"]), code["branch"].AsString(),
                                     code["remote"].AsString(),
                                     code["diff"].is_null() ? std::string()
                                                            : "   and " + code["diff"].AsString() +
                                                                  " of the run's artifacts"));
    else if (run["kind"].AsString() != "program")
      lines->Add("code",
                 "gyre's own training, LightGBM " + run["environment"]["lightgbm"].AsString());
  }
  for (const Json& run : p["pipeline_runs"].items()) {
    lines->Add("pipeline", fmt::format("{} {}, begun by {}: {}", run["pipeline"].AsString(),
                                       Short(run["id"]), run["triggered_by"].AsString(),
                                       ByAndWhen(run["created_by"], run["created_at"])));
    for (const Json& code : run["code"].items())
      lines->Add("code", fmt::format("{} {}   {}", Short(code["commit"]), code["remote"].AsString(),
                                     code["task"].AsString()));
  }
  lines->Add("recipe", Short(p["model"]["recipe_hash"]));
  for (const Json& data : p["datasets"].items()) {
    lines->Add("data", fmt::format("{} ({}), content {}: {}", data["reference"].AsString(),
                                   data["role"].AsString(), Short(data["content_hash"]),
                                   ByAndWhen(data["created_by"], data["created_at"])));
    lines->Add("source", fmt::format("{}{}{}", data["source_name"].AsString(),
                                     data["source_sha256"].AsString().empty() ? "" : "   sha256 ",
                                     data["source_sha256"].AsString()));
  }
}

std::string PredictionText(const Json& p) {
  Lines lines;
  AddAnswer(p, &lines);
  AddModel(p, &lines);
  AddOrigin(p, &lines);
  for (const Json& unknown : p["unknown"].items()) lines.Add("not known", unknown.AsString());
  return lines.Take() + "\n";
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const bool down = in.Has("down");
  GYRE_TRY(const std::int64_t depth, in.GetInt("depth"));
  GYRE_TRY(const Json answer,
           session->Get(fmt::format("/api/v1/projects/{}/lineage?id={}&direction={}&depth={}",
                                    PercentEncode(in.project()), PercentEncode(in.Get("ID")),
                                    down ? "down" : "up", depth)));
  const Json& prediction = answer["prediction"];
  in.out().Document(answer, (prediction.is_object() ? PredictionText(prediction) : "") +
                                Tree(answer, !down).Text(answer["start"]["id"].AsString()));
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
     "churn@champion, prediction:INFERENCE-ID"}};
constexpr Option kOptions[] = {
    {"--down", "", "what depends on it; without it: where it came from"},
    {"--depth", "N", "how many edges away", "100"},
};
constexpr Command kCommands[] = {
    {"lineage", "where a thing came from, and what depends on it",
     "gyre lineage churn@champion\ngyre lineage prediction:5f0e5c1b9a7c4f2e8d3b6a1c0e9f7d24\ngyre "
     "lineage dataset:churn:v1 --down -o json",
     kId, kOptions, Show},
};

}  // namespace

std::span<const Command> LineageCommands() { return kCommands; }

}  // namespace gyre::cli
