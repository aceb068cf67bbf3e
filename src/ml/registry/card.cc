// The model card: stored facts, arranged. The Markdown is made from the JSON alone.
#include <cmath>

#include "base/text.h"
#include "ml/registry/registry.h"

namespace gyre::registry {
namespace {

constexpr std::size_t kRowsShown = 10;

// Text that cannot start markup or break a table.
std::string Plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == '\t') {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_{}[]<>()#|!~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string Short(const Json& number) {
  return number.is_number() ? fmt::format("{:.4g}", number.AsDouble()) : "-";
}

std::string IntervalText(const Json& metric, std::string_view value_key) {
  if (!metric["lower"].is_number() || !metric["upper"].is_number()) return Short(metric[value_key]);
  return fmt::format("{} ({} to {})", Short(metric[value_key]), Short(metric["lower"]),
                     Short(metric["upper"]));
}

void Line(std::string* out, std::string_view key, const std::string& value) {
  if (!value.empty()) *out += fmt::format("- **{}**: {}\n", key, value);
}

// The registry knows ids; who knows the data adds its name.
std::string DataText(const Json& use) {
  if (!use.Has("name")) return use["id"].AsString();
  return fmt::format("{} (content {})", Plain(use["name"].AsString()),
                     use["content_hash"].AsString());
}

void GoalsSection(const Json& card, std::string* out) {
  if (card["goals"].size() == 0) return;
  *out += "\n## Goals\n\n";
  for (const Json& goal : card["goals"].items()) {
    *out += fmt::format("- {}: {}\n", Plain(goal["kpi"].AsString()),
                        goal.Has("of")          ? Plain(goal["text"].AsString())
                        : goal["met"].is_null() ? "not measured"
                        : goal["met"].AsBool()  ? "met"
                                                : "missed");
  }
}

void MetricsSection(const Json& evaluation, std::string* out) {
  if (!evaluation.is_object()) return;
  *out += fmt::format(
      "\n## Quality\n\nOn {} rows. Intervals: {:.0f} %, {}, {} "
      "resamples.\n\n"
      "| metric | value | over the best constant |\n|---|---|---|\n",
      GroupDigits(evaluation["rows"].AsInt()),
      evaluation["intervals"]["confidence"].AsDouble() * 100,
      evaluation["intervals"]["method"].AsString(), evaluation["intervals"]["resamples"].AsInt());
  for (const auto& [name, metric] : evaluation["metrics"].members()) {
    const Json& over = evaluation["over_baseline"]["metrics"][name];
    *out += fmt::format("| {} | {} | {} |\n", Plain(name), IntervalText(metric, "estimate"),
                        over.is_null() ? "-" : IntervalText(over, "gain"));
  }
  for (const Json& warning : evaluation["warnings"].items())
    *out += fmt::format("\n> {}\n", Plain(warning.AsString()));
}

void SlicesSection(const Json& evaluation, std::string* out) {
  std::string rows;
  std::size_t shown = 0;
  for (const Json& slice : evaluation["slices"].items()) {
    if (!slice["surely_worse"].AsBool() || shown == kRowsShown) continue;
    rows += fmt::format("| {} = {} | {} | {} {} |\n", Plain(slice["column"].AsString()),
                        Plain(slice["value"].AsString()), GroupDigits(slice["rows"].AsInt()),
                        Plain(slice["metric"].AsString()), IntervalText(slice, "estimate"));
    ++shown;
  }
  if (evaluation["slices_examined"].AsInt() == 0) return;
  *out += fmt::format("\n## Where it is weak\n\n{} slices were examined.",
                      evaluation["slices_examined"].AsInt());
  *out += rows.empty() ? " None is surely worse than the whole.\n"
                       : "\n\n| slice | rows | value |\n|---|---|---|\n" + rows;
}

void ImportanceSection(const Json& evaluation, std::string* out) {
  const Json::Array& items = evaluation["importance"].items();
  if (items.empty()) return;
  *out += fmt::format(
      "\n## What it looks at\n\nFall of {} when a column is shuffled.\n\n| column | fall "
      "|\n|---|---|\n",
      Plain(evaluation["primary"].AsString()));
  for (std::size_t i = 0; i < std::min(items.size(), kRowsShown); ++i) {
    *out +=
        fmt::format("| {} | {} |\n", Plain(items[i]["column"].AsString()), Short(items[i]["mean"]));
  }
}

void DecisionSection(const Json& card, std::string* out) {
  const Json& verdict = card["verdict"];
  if (verdict.is_object()) {
    *out += fmt::format("\n## Gate\n\n{} for @{}.\n\n",
                        verdict["pass"].AsBool() ? "Passed" : "Did not pass",
                        Plain(verdict["alias"].AsString()));
    for (const Json& reason : verdict["reasons"].items()) {
      *out += fmt::format("- {}: {}, {}\n", reason["pass"].AsBool() ? "yes" : "no",
                          Plain(reason["rule"].AsString()), Plain(reason["text"].AsString()));
    }
  }
  if (card["approvals"].size() > 0) *out += "\n## Approvals\n\n";
  for (const Json& approval : card["approvals"].items()) {
    *out += fmt::format(
        "- {} by {} at {}{}{}\n", approval["approved"].AsBool() ? "approved" : "rejected",
        Plain(approval["approver"].AsString()), approval["created_at"].AsString(),
        approval["comment"].AsString().empty() ? "" : ": ", Plain(approval["comment"].AsString()));
  }
  if (card["history"].size() > 0)
    *out +=
        "\n## In production\n\n| when | alias | from | to | basis | by | reason "
        "|\n|---|---|---|---|---|---|---|\n";
  for (const Json& move : card["history"].items()) {
    *out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", move["moved_at"].AsString(),
                        Plain(move["alias"].AsString()), move["previous"].StringOr("-"),
                        move["version"].StringOr("-"), move["basis"].AsString(),
                        Plain(move["by"].AsString()), Plain(move["reason"].AsString()));
  }
}

}  // namespace

Json MakeCard(const CardFacts& facts) {
  Json card = Json::Obj({{"schema", "gyre.card.v1"}, {"version", VersionToJson(facts.version)}});
  card.Set("problem", facts.problem);
  card.Set("goals", facts.goals);
  // The card shows the numbers; curves are for drawing and stay with the evaluation.
  Json evaluation = facts.evaluation;
  if (evaluation.is_object()) evaluation.Set("curves", Json());
  card.Set("evaluation", std::move(evaluation));
  if (facts.verdict) {
    Json verdict = facts.verdict->verdict.ToJson();
    verdict.Set("alias", facts.verdict->alias);
    verdict.Set("judged_at", FormatTime(facts.verdict->created_us));
    card.Set("verdict", std::move(verdict));
  }
  Json approvals = Json::Arr(), history = Json::Arr();
  for (const Approval& approval : facts.approvals) approvals.Push(ApprovalToJson(approval));
  for (const AliasMove& move : facts.history) history.Push(MoveToJson(move));
  card.Set("approvals", std::move(approvals));
  card.Set("history", std::move(history));
  return card;
}

std::string CardMarkdown(const Json& card) {
  const Json& version = card["version"];
  std::string out = fmt::format("# {}\n\n", Plain(version["name"].AsString()));
  Line(&out, "Problem", Plain(card["problem"]["statement"].AsString()));
  // A file that is only kept does not say.
  if (!version["task"].AsString().empty()) {
    Line(
        &out, "Task",
        fmt::format("{} of `{}`", version["task"].AsString(), Plain(version["target"].AsString())));
  }
  Line(&out, "Positive class", Plain(version["positive"].AsString()));
  Line(&out, "Learner", Plain(version["learner"].AsString()));
  Line(&out, "Made",
       fmt::format("{} by {}", version["created_at"].AsString(),
                   Plain(version["created_by"].AsString())));
  Line(&out, "Run", version["run"].AsString());
  for (const Json& use : version["datasets"].items())
    Line(&out, fmt::format("Data ({})", Plain(use["role"].AsString())), DataText(use));
  Line(&out, "Recipe", version["recipe_hash"].AsString());
  Line(&out, "Package", fmt::format("sha256 {}", version["package"]["digest"].AsString()));
  Line(&out, "Inputs", fmt::format("{} columns", version["signature"]["inputs"].size()));
  Line(&out, "Notes", Plain(version["notes"].AsString()));
  GoalsSection(card, &out);
  MetricsSection(card["evaluation"], &out);
  SlicesSection(card["evaluation"], &out);
  ImportanceSection(card["evaluation"], &out);
  DecisionSection(card, &out);
  return out;
}

}  // namespace gyre::registry
