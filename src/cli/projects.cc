// gyre init, gyre projects: what is to be solved, for whom, and when it counts as solved.
#include "base/text.h"
#include "cli/apply/template.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"

namespace gyre::cli {
namespace {

std::string ProjectPath(std::string_view name) { return "/api/v1/projects/" + PercentEncode(name); }

std::string KpiText(const Json& kpis, const Output& out) {
  std::vector<std::string> texts;
  for (const Json& kpi : kpis.items()) {
    std::string text = kpi["text"].AsString();
    if (const std::size_t at = text.find(">="); at != std::string::npos)
      text.replace(at, 2, out.Mark("ge"));
    if (const std::size_t at = text.find("<="); at != std::string::npos)
      text.replace(at, 2, out.Mark("le"));
    texts.push_back(std::move(text));
  }
  return Join(texts, ", ");
}

std::string Human(const Json& project, const Output& out) {
  const Json& problem = project["problem"];
  std::string text = fmt::format("project    {}\n", project["name"].AsString());
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<10} {}\n", label, value);
  };
  line("statement", problem["statement"].AsString());
  line("target", problem["target"].AsString());
  line("goal", KpiText(problem["kpis"], out));
  line("owner", problem["owner"].AsString());
  line("version", problem.is_null()
                      ? ""
                      : fmt::format("{} of the problem, {}", problem["version"].AsInt(),
                                    problem["created_at"].AsString()));
  return text;
}

// The folder then belongs to the project: `gyre add` and the rest need no --project there. A
// gyre.yaml that is there is the user's: it is kept, and what that means is said.
Result<> WriteProjectFile(const std::string& name, const std::string& in_project, Output& out) {
  GYRE_TRY(const auto existing, config::ReadSmallFile("gyre.yaml"));
  if (!existing) {
    GYRE_DO(config::WriteSmallFile("gyre.yaml", config::DumpYaml(Json::Obj({{"project", name}}))));
    out.Note("wrote gyre.yaml: commands in this folder now belong to the project");
    return {};
  }
  GYRE_TRY(const Json file, config::ParseYaml(*existing, "gyre.yaml"));
  const std::string& owner = file["project"].AsString();
  if (owner == name) return {};
  out.Warn(fmt::format("kept gyre.yaml, which names {}: commands in this folder still belong to {}",
                       owner.empty() ? "no project" : "project " + owner, in_project));
  out.Note(
      fmt::format("  fix: write `project: {}` into gyre.yaml, or give --project {}", name, name));
  return {};
}

Json ProblemOf(const Invocation& in) {
  Json problem = Json::Obj();
  for (std::string_view key : {"statement", "target", "owner"}) {
    if (in.Has(key)) problem.Set(key, in.Get(key));
  }
  if (in.Has("kpi")) {
    Json kpis = Json::Arr();
    for (const std::string& kpi : in.List("kpi")) kpis.Push(kpi);
    problem.Set("kpis", std::move(kpis));
  }
  return problem;
}

// What a second `gyre init` has made of the problem: it is a change, and must not look like none.
void ShowChanges(const Json& before, const Json& after, Output& out) {
  if (before["version"] == after["version"]) return;
  const auto text = [&](const Json& problem, std::string_view key) {
    const std::string value =
        key == "kpis" ? KpiText(problem[key], out) : problem[key].StringOr("");
    return value.empty() ? std::string("(none)") : value;
  };
  out.Warn(fmt::format("the problem was changed; it is version {} now: gyre projects history",
                       after["version"].AsInt()));
  for (const auto& [key, label] :
       {std::pair{"statement", "statement"}, std::pair{"target", "target"},
        std::pair{"owner", "owner"}, std::pair{"kpis", "goal"}}) {
    const std::string old = text(before, key), now = text(after, key);
    if (old != now)
      out.Note(
          fmt::format("  {} {}: {} {} {}", out.Mark("dot"), label, old, out.Mark("arrow"), now));
  }
}

Result<int> Init(Invocation& in) {
  const std::string name = in.Get("NAME");
  if (in.Has("template")) return apply::WriteTemplate(in, in.Get("template"), name);
  GYRE_DO(CheckName("project", name));
  GYRE_TRY(Session* const session, in.session());
  const Json problem = ProblemOf(in);
  bool created = true;
  Json before;
  auto project =
      session->Post("/api/v1/projects", Json::Obj({{"name", name}, {"problem", problem}}));
  if (!project && project.error().code() == Code::kAlreadyExists) {
    created = false;
    GYRE_TRY(before, session->Get(ProjectPath(name)));
    if (problem.size() > 0) {
      GYRE_TRY(const Json stored, session->Put(ProjectPath(name) + "/problem", problem));
    }
    project = session->Get(ProjectPath(name));
  }
  if (!project) return std::move(project).error();
  Output& out = in.out();
  const std::string goal = KpiText((*project)["problem"]["kpis"], out);
  out.Done(fmt::format("project {}{}{}", name, created ? "" : " (was there already)",
                       goal.empty() ? "" : "   goal: " + goal));
  if (!created) ShowChanges(before["problem"], (*project)["problem"], out);
  if (out.json()) out.Document(*project, "");
  GYRE_DO(WriteProjectFile(name, in.project(), out));
  out.Hint("gyre add FILE");
  return 0;
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json answer, session->Get("/api/v1/projects?limit=1000"));
  Json rows = Json::Arr();
  for (const Json& item : answer["items"].items()) {
    Json row = item;
    row.Set("goal", KpiText(item["problem"]["kpis"], in.out()));
    rows.Push(std::move(row));
  }
  in.out().Table({{"NAME", "name"},
                  {"GOAL", "goal"},
                  {"OWNER", "problem.owner"},
                  {"TARGET", "problem.target"},
                  {"CREATED", "created_at", ColumnSpec::Format::kTime},
                  {"STATEMENT", "problem.statement", ColumnSpec::Format::kText, true}},
                 in.out().json() ? answer["items"] : rows);
  return 0;
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string name = in.Has("PROJECT") ? in.Get("PROJECT") : in.project();
  GYRE_TRY(const Json project, session->Get(ProjectPath(name)));
  in.out().Document(project, Human(project, in.out()));
  return 0;
}

Result<int> Edit(Invocation& in) {
  const std::string name = in.Has("PROJECT") ? in.Get("PROJECT") : in.project();
  const Json problem = ProblemOf(in);
  if (problem.size() == 0)
    return InvalidArgument("GY4014", "nothing to change")
        .Fix("gyre projects edit " + name + " --kpi 'auc >= 0.86'");
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json stored, session->Put(ProjectPath(name) + "/problem", problem));
  GYRE_TRY(const Json project, session->Get(ProjectPath(name)));
  in.out().Document(project, Human(project, in.out()));
  return 0;
}

// What goes, line by line, before anybody is asked.
std::string Loss(const Json& plan) {
  std::string text;
  for (const Json& one : plan["answers"].items())
    text += fmt::format("  endpoint {} answers with {}: {} requests since the server began\n",
                        one["endpoint"].AsString(), one["model"].AsString(),
                        GroupDigits(one["requests"].AsInt()));
  return text;
}

Result<int> Remove(Invocation& in) {
  const std::string name = in.Get("PROJECT");
  GYRE_TRY(Session* const session, in.session());
  if (!in.dry_run()) {
    GYRE_TRY(const Json plan, session->Delete(ProjectPath(name) + "?dry_run=true"));
    const std::string what = plan["what"].AsString();
    in.out().Note(fmt::format("project {} holds {}", name, what.empty() ? "nothing" : what));
    if (const std::string loss = Loss(plan); !loss.empty())
      in.out().Note(loss.substr(0, loss.size() - 1));
    GYRE_DO(in.Confirm(
        fmt::format("remove project {} with all of it; its endpoints answer no more", name), name));
  }
  GYRE_TRY(const Json gone, session->Delete(ProjectPath(name)));
  SayRemoved(in.out(), "project " + name, gone);
  return 0;
}

Result<int> History(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string name = in.Has("PROJECT") ? in.Get("PROJECT") : in.project();
  GYRE_TRY(const Json answer, session->Get(ProjectPath(name) + "/problem/history"));
  Json rows = Json::Arr();
  for (const Json& item : answer["items"].items()) {
    Json row = item;
    row.Set("goal", KpiText(item["kpis"], in.out()));
    rows.Push(std::move(row));
  }
  in.out().Table({{"VERSION", "version", ColumnSpec::Format::kCount},
                  {"GOAL", "goal"},
                  {"TARGET", "target"},
                  {"OWNER", "owner"},
                  {"BY", "created_by"},
                  {"CREATED", "created_at", ColumnSpec::Format::kTime},
                  {"STATEMENT", "statement", ColumnSpec::Format::kText, true}},
                 in.out().json() ? answer["items"] : rows, "version");
  return 0;
}

constexpr Positional kName[] = {
    {"NAME", "the project's name; with --template the folder that is made"}};
constexpr Positional kTheProject[] = {{"PROJECT", "a project", true, false, "projects"}};
constexpr Positional kProject[] = {
    {"PROJECT", "a project; default: the current one", false, false, "projects"}};
constexpr Option kInit[] = {
    {"--target", "COLUMN", "what is to be predicted"},
    {"--kpi", "EXPR", "a goal such as 'auc >= 0.84'; repeat it for more", {}, true},
    {"--statement", "TEXT", "the problem in a sentence"},
    {"--owner", "NAME", "who answers for it"},
    {"--template", "TEMPLATE",
     "write a folder of that name, a project to begin with: tabular (then gyre apply there)"},
};
constexpr Option kProblem[] = {
    {"--target", "COLUMN", "what is to be predicted"},
    {"--kpi", "EXPR", "a goal such as 'auc >= 0.84'; repeat it for more", {}, true},
    {"--statement", "TEXT", "the problem in a sentence"},
    {"--owner", "NAME", "who answers for it"},
};
constexpr Command kCommands[] = {
    {"init", "begin a project: the problem, its owner and its goals",
     "gyre init churn --target Churn --kpi 'auc >= 0.84'\ngyre init churn --kpi 'auc >= 0.84' "
     "--kpi 'recall >= 0.7' --owner ana --statement 'who leaves?'\n"
     "gyre init --template tabular churn",
     kName, kInit, Init},
    {"projects ls",
     "every project with its goal",
     "gyre projects\ngyre projects -o json",
     {},
     {},
     List},
    {"projects show",
     "one project: statement, goal, owner",
     "gyre projects show churn",
     kProject,
     {},
     Show},
    {"projects edit", "state the problem anew; the earlier version stays in its history",
     "gyre projects edit churn --kpi 'auc >= 0.86' --owner ben", kProject, kProblem, Edit},
    {"projects rm",
     "remove a project with all that it holds; gyre undelete brings it back",
     "gyre projects rm churn --dry-run\ngyre projects rm churn",
     kTheProject,
     {},
     Remove},
    {"projects history",
     "every version of the problem",
     "gyre projects history churn",
     kProject,
     {},
     History},
};

}  // namespace

std::span<const Command> ProjectsCommands() { return kCommands; }

}  // namespace gyre::cli
