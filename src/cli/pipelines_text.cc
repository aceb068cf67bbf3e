#include "cli/pipelines_text.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "cli/output.h"

namespace gyre::cli {
namespace {

std::string Mark(const Json& state, const Output& out) {
  const std::string& name = state.AsString();
  if (name == "succeeded") return std::string(out.Mark("ok"));
  if (name == "failed") return std::string(out.Mark("fail"));
  if (name == "running") return std::string(out.Mark("arrow"));
  return name == "waiting" ? std::string(out.Mark("dot")) : "-";
}

// Steps that wait for others stand deeper; each step as deep as its longest chain.
std::map<std::string, int> Depths(const Json& steps) {
  std::map<std::string, int> depths;
  for (std::size_t round = 0; round < steps.size(); ++round) {
    bool changed = false;
    for (const Json& step : steps.items()) {
      int depth = 0;
      for (const Json& need : step["needs"].items())
        depth = std::max(depth, depths[need.AsString()] + 1);
      int& known = depths[step["name"].AsString()];
      changed = changed || depth > known;
      known = std::max(known, depth);
    }
    if (!changed) break;
  }
  return depths;
}

std::string Facts(const Json& step) {
  std::string facts;
  const auto add = [&](const std::string& fact) { facts += (facts.empty() ? "" : ", ") + fact; };
  if (const Json& each = step["for_each"]; !each.is_null())
    add("for each of " + (each.is_string() ? each.AsString() : each.Dump().substr(0, 40)));
  if (!step["when"].AsString().empty()) add("when " + step["when"].AsString());
  if (step["always"].AsBool()) add("always");
  if (step["retries"]["max"].AsInt() > 0)
    add(fmt::format("{} retries", step["retries"]["max"].AsInt()));
  if (step["timeout_us"].AsInt() > 0)
    add("at most " + HumanSeconds(static_cast<double>(step["timeout_us"].AsInt()) / 1e6));
  if (!step["cache_us"].is_null()) add("cached");
  std::vector<std::string> outputs;
  for (const auto& [name, type] : step["outputs"].members())
    outputs.push_back(name + " " + type.AsString());
  if (!outputs.empty()) add("gives " + Join(outputs, ", "));
  return facts.empty() ? "" : "   " + facts;
}

std::string Attempts(std::size_t count) {
  return fmt::format("{} attempt{}", count, count == 1 ? "" : "s");
}

}  // namespace

std::string GraphText(const Json& spec, const Output& out) {
  std::map<std::string, int> depths = Depths(spec["steps"]);
  std::vector<const Json*> steps;
  for (const Json& step : spec["steps"].items()) steps.push_back(&step);
  std::ranges::stable_sort(steps, {},
                           [&](const Json* step) { return depths[(*step)["name"].AsString()]; });
  std::string text;
  for (const Json* step : steps) {
    std::vector<std::string> needs;
    for (const Json& need : (*step)["needs"].items()) needs.push_back(need.AsString());
    const std::string& name = (*step)["name"].AsString();
    const std::string after =
        needs.empty() ? "" : fmt::format(" {} {}", Join(needs, ", "), out.Mark("arrow"));
    text +=
        fmt::format("  {:{}}{}{} [{}]{}\n", "", 2 * depths[name], after.empty() ? "" : Trim(after),
                    after.empty() ? name : " " + name, (*step)["kind"].AsString(), Facts(*step));
  }
  return text;
}

std::string PipelineProgress(const Json& run) {
  std::size_t over = 0;
  std::string running;
  for (const Json& step : run["steps"].items()) {
    const std::string& state = step["state"].AsString();
    if (state == "running" && running.empty()) {
      running = step["step"].AsString();
      if (step["tasks"].AsInt() > 1)
        running +=
            fmt::format(" ({} of {})", step["counts"]["succeeded"].AsInt(), step["tasks"].AsInt());
    }
    over += state != "running" && state != "waiting" ? 1 : 0;
  }
  return fmt::format("{} of {} steps{}", over, run["steps"].size(),
                     running.empty() ? "" : ", " + running);
}

std::string PipelineRunText(const Json& run, const Output& out, bool why) {
  std::string text =
      fmt::format("{} {}   {}   {}\n", Mark(run["state"], out), run["pipeline"].AsString(),
                  run["id"].AsString().substr(0, 8), run["state"].AsString());
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {:<13} {}\n", label, value);
  };
  line("reason", run["reason"].AsString());
  line("triggered by",
       run["triggered_by"].AsString() +
           (run["created_by"].AsString().empty() ? "" : " (" + run["created_by"].AsString() + ")"));
  line("started", run["created_at"].AsString());
  if (!run["seconds"].is_null())
    line("took", fmt::format("{}, {} of CPU", HumanSeconds(run["seconds"].AsDouble()),
                             HumanSeconds(run["cpu_seconds"].AsDouble())));
  if (run["params"].size() > 0) line("parameters", run["params"].Dump().substr(0, 200));
  if (run["outputs"].size() > 0) line("outputs", run["outputs"].Dump().substr(0, 400));
  std::size_t width = 4;
  for (const Json& step : run["steps"].items())
    width = std::max(width, step["step"].AsString().size());
  for (const Json& step : run["steps"].items()) {
    std::string facts = step["state"].AsString();
    if (step["tasks"].AsInt() > 1)
      facts +=
          fmt::format(" ({} of {})", step["counts"]["succeeded"].AsInt(), step["tasks"].AsInt());
    if (!step["seconds"].is_null()) facts += "   " + HumanSeconds(step["seconds"].AsDouble());
    if (!step["reason"].AsString().empty()) facts += "   " + step["reason"].AsString();
    text += fmt::format("  {} {:<{}}  {}\n", Mark(step["state"], out), step["step"].AsString(),
                        width, facts);
  }
  for (const Json& approval : run["approvals"].items()) {
    const std::string &task = approval["task"].AsString(), &by = approval["decided_by"].AsString();
    if (approval["state"].AsString() == "asked")
      text += fmt::format("  ? {}: {}\n      gyre pipelines approve {} {}\n", task,
                          approval["message"].StringOr("may it go on?"),
                          run["id"].AsString().substr(0, 8), task);
    else if (!by.empty())
      text += fmt::format(
          "  {}: {} by {}{}\n", task, approval["state"].AsString(), by,
          approval["reason"].AsString().empty() ? "" : ": " + approval["reason"].AsString());
  }
  if (!why) return text;
  for (const Json& task : run["tasks"].items()) {
    text += fmt::format("  {} {}: {}, {}{}\n", Mark(task["state"], out), task["task"].AsString(),
                        task["state"].AsString(), Attempts(task["attempts"].size()),
                        task["reason"].AsString().empty() ? "" : "; " + task["reason"].AsString());
    for (const Json& attempt : task["attempts"].items()) {
      if (task["attempts"].size() < 2 && attempt["reference"].is_null()) continue;
      text += fmt::format(
          "      {}  {}{}{}\n", attempt["attempt"].AsInt(), attempt["state"].AsString(),
          attempt["reason"].AsString().empty() ? "" : ": " + attempt["reason"].AsString(),
          attempt["reference"].is_null()
              ? ""
              : "   works as " + attempt["reference"].AsString().substr(0, 8));
    }
  }
  return text;
}

}  // namespace gyre::cli
