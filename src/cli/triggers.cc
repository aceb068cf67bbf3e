// gyre triggers: what happens in the world starts guarded runs.
#include "base/text.h"
#include "cli/command.h"
#include "cli/cost_text.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/release_text.h"
#include "cli/removed.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

using Format = ColumnSpec::Format;

std::string ProjectPath(const Invocation& in, std::string_view rest) {
  return fmt::format("/api/v1/projects/{}/{}", PercentEncode(in.project()), rest);
}
std::string TriggerPath(const Invocation& in, std::string_view rest = "") {
  return ProjectPath(in, fmt::format("triggers/{}{}", PercentEncode(in.Get("TRIGGER")), rest));
}

// --- what a trigger is made of
// ---------------------------------------------------------------------

// Options that say what a trigger listens for, and the member of `on` that each becomes.
struct OnOption {
  std::string_view option, member;
};
constexpr OnOption kOnOptions[] = {
    {"dataset", "dataset"}, {"folder", "folder"},         {"pattern", "pattern"},
    {"branch", "branch"},   {"repository", "repository"}, {"alias", "alias"},
    {"model", "model"},     {"columns", "columns"},       {"at", "at"},
    {"zone", "zone"},       {"catch-up", "catch_up"},     {"overlap", "overlap"}};

bool HearsAnEndpoint(std::string_view kind) {
  return kind == "drift" || kind == "performance" || kind == "kpi" || kind == "quality";
}

Json OnOf(const Invocation& in) {
  const std::string kind = in.Get("on");
  Json on = Json::Obj({{"kind", kind}});
  if (HearsAnEndpoint(kind)) on.Set("endpoint", in.Get("SUBJECT"));
  for (const auto& [option, member] : kOnOptions) {
    if (in.Has(option)) on.Set(member, in.Get(option));
  }
  return on;
}

// "k=v": what is JSON as such ('n="5"' is a text), anything else as text.
Result<Json> ParamsOf(const Invocation& in) {
  Json params = Json::Obj();
  for (const std::string& given : in.List("param")) {
    const std::size_t at = given.find('=');
    if (at == std::string::npos || at == 0) {
      return InvalidArgument("GY4073", "`{}` is no parameter", given)
          .Why("a parameter is NAME=VALUE")
          .Fix("--param budget=60s");
    }
    const std::string value = given.substr(at + 1);
    const auto parsed = Json::Parse(value);
    params.Set(given.substr(0, at), !parsed || parsed->is_null() ? Json(value) : *parsed);
  }
  // The preset asks for it; other pipelines take what they declare.
  if (in.Get("run") == "retrain" || in.Get("run").starts_with("retrain:"))
    params.Set("endpoint", in.Get("SUBJECT"));
  return params;
}

// "22:00-06:00" or "22:00-06:00@Europe/Zurich".
Result<Json> QuietOf(const std::string& text) {
  const std::size_t zone = text.find('@'), dash = text.find('-');
  if (dash == std::string::npos || dash > zone) {
    return InvalidArgument("GY4074", "`{}` are no quiet hours", text)
        .Fix("--quiet-hours 22:00-06:00@Europe/Zurich");
  }
  Json quiet =
      Json::Obj({{"from", text.substr(0, dash)}, {"to", text.substr(dash + 1, zone - dash - 1)}});
  if (zone != std::string::npos) quiet.Set("zone", text.substr(zone + 1));
  return quiet;
}

Result<Json> GuardsOf(const Invocation& in) {
  Json guards = Json::Obj();
  if (in.Has("cooldown")) {
    GYRE_TRY(const double seconds, in.GetSeconds("cooldown"));
    guards.Set("cooldown_s", static_cast<std::int64_t>(seconds));
  }
  if (in.Has("runs-per-day")) {
    GYRE_TRY(const std::int64_t runs, in.GetInt("runs-per-day"));
    guards.Set("runs_per_day_max", runs);
  }
  if (in.Has("cpu-per-month")) {
    GYRE_TRY(const double seconds, in.GetSeconds("cpu-per-month"));
    guards.Set("cpu_seconds_per_month", seconds);
  }
  if (in.Has("labels-wait")) {
    GYRE_TRY(const double seconds, in.GetSeconds("labels-wait"));
    guards.Set("labels_wait_s", static_cast<std::int64_t>(seconds));
  }
  if (in.Has("quiet-hours")) {
    GYRE_TRY(Json quiet, QuietOf(in.Get("quiet-hours")));
    guards.Set("quiet_hours", std::move(quiet));
  }
  return guards;
}

// --- verbs
// -----------------------------------------------------------------------------------------

Result<int> ListTriggers(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(ProjectPath(in, "triggers")));
  in.out().Table({{"NAME", "name"},
                  {"ON", "on.kind"},
                  {"RUNS", "run.pipeline"},
                  {"APPROVAL", "approval"},
                  {"ON/OFF", "enabled"},
                  {"CREATED", "created_at", Format::kTime},
                  {"BY", "created_by"}},
                 answer["items"]);
  if (answer["items"].size() == 0)
    in.out().Hint("gyre triggers add ENDPOINT --on drift --run retrain");
  return 0;
}

std::string Human(const Json& trigger) {
  std::string on;
  for (const auto& [key, value] : trigger["on"].members()) {
    if (key == "kind") continue;
    on += fmt::format(" {} {}", key, value.AsString());
  }
  std::string text = fmt::format("trigger    {}{}\n", trigger["name"].AsString(),
                                 trigger["enabled"].AsBool() ? "" : "   (switched off)");
  text += fmt::format("on         {}{}\n", trigger["on"]["kind"].AsString(), on);
  text += fmt::format("runs       {} {}\n", trigger["run"]["pipeline"].AsString(),
                      trigger["run"]["params"].is_null() ? "" : trigger["run"]["params"].Dump());
  for (const auto& [name, value] : trigger["guards"].members())
    text += fmt::format("  {:<22} {}\n", name, value.Dump());
  if (const std::string& role = trigger["approval"].AsString(); !role.empty())
    text += fmt::format("approval   by an {}\n", role);
  return text;
}

// What its run came to, or why it stands where it does.
const std::string& CameTo(const Json& firing) {
  const std::string& outcome = firing["outcome"]["text"].AsString();
  return outcome.empty() ? firing["reason"].AsString() : outcome;
}

std::string HumanJoined(const Json& joined, std::string_view label) {
  std::string text;
  for (const Json& cause : joined.items())
    text += fmt::format("{}{}\n", label, cause["text"].AsString());
  return text;
}

std::string HumanAnswered(const Json& answered) {
  if (answered.is_null()) return "";
  return fmt::format("answered   incident {} by firing {}\n  {}\n",
                     answered["incident"].AsString().substr(0, 8),
                     answered["firing"].AsString().substr(0, 8), answered["next"].AsString());
}

// What it heard last, and what came of it: a run that failed says why.
std::string HumanLately(const Json& firings) {
  if (firings.size() == 0) return "lately     nothing was heard\n";
  std::string text = "lately\n";
  for (const Json& firing : firings.items()) {
    text += fmt::format("  {}  {}  {:<9} {}\n", firing["created_at"].AsString(),
                        firing["id"].AsString().substr(0, 8), firing["state"].AsString(),
                        firing["text"].AsString());
    if (const std::string& reason = CameTo(firing); !reason.empty())
      text += fmt::format("    {}\n", reason);
    text += HumanJoined(firing["joined"], "    and because ");
  }
  return text;
}

// Where a program calls, and how; "" for what is no webhook.
std::string WebhookText(const Invocation& in, const Session& session, const Json& trigger) {
  if (trigger["on"]["kind"].AsString() != "webhook") return {};
  const std::string& name = trigger["name"].AsString();
  const std::string path = ProjectPath(in, fmt::format("triggers/{}/fire", PercentEncode(name)));
  if (session.url().empty())
    return fmt::format("url        {}    (once a server runs: gyre server)\n", path);
  return fmt::format(
      "url        {0}{1}\n"
      "  try: curl -H 'Content-Type: application/json' -d '{{\"webhook\": true}}' {0}{1}\n"
      "  from elsewhere also -H 'Authorization: Bearer TOKEN'    (gyre tokens add)\n",
      session.url(), path);
}

Result<int> ShowTrigger(Invocation& in) {
  constexpr int kLately = 5;
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json trigger, session->Get(TriggerPath(in)));
  GYRE_TRY(const Json lately,
           session->Get(ProjectPath(in, fmt::format("firings?limit={}&trigger={}", kLately,
                                                    PercentEncode(in.Get("TRIGGER"))))));
  trigger.Set("firings", lately["items"]);
  in.out().Document(trigger, Human(trigger) + WebhookText(in, *session, trigger) +
                                 HumanAnswered(trigger["answered"]) + HumanLately(lately["items"]));
  return 0;
}

Result<int> AddTrigger(Invocation& in) {
  GYRE_TRY(Json params, ParamsOf(in));
  GYRE_TRY(Json guards, GuardsOf(in));
  const std::string name =
      in.Has("name") ? in.Get("name") : fmt::format("{}-{}", in.Get("SUBJECT"), in.Get("on"));
  const Json spec =
      Json::Obj({{"name", name},
                 {"on", OnOf(in)},
                 {"run", Json::Obj({{"pipeline", in.Get("run")}, {"params", std::move(params)}})},
                 {"guards", std::move(guards)},
                 {"approval", in.Get("approval")}});
  GYRE_TRY(Session * session, in.session());
  GYRE_TRY(const Json trigger, session->Post(ProjectPath(in, "triggers"), spec));
  in.out().Document(trigger, "");
  in.out().Done(fmt::format("trigger {}: on {}, run {}", name, in.Get("on"), in.Get("run")));
  // What is in its way is worth a word now, and no reason to fail: the trigger is there.
  if (const auto check =
          session->Get(ProjectPath(in, fmt::format("triggers/{}/check", PercentEncode(name)))))
    for (const Json& obstacle : (*check)["obstacles"].items()) in.out().Warn(obstacle.AsString());
  in.out().Hint(fmt::format("gyre triggers check {}    (what would happen now)", name));
  if (in.Get("on") == "push")
    in.out().Hint("gyre triggers hook > .git/hooks/post-commit    (tells of pushes)");
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  GYRE_TRY(session, in.session());
  if (!in.out().json()) in.out().Print(WebhookText(in, *session, trigger));
  return 0;
}

Result<int> SwitchTrigger(Invocation& in, bool enabled) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json trigger, session->Get(TriggerPath(in)));
  const Json spec = Json::Obj({{"name", trigger["name"]},
                               {"on", trigger["on"]},
                               {"run", trigger["run"]},
                               {"guards", trigger["guards"]},
                               {"approval", trigger["approval"]},
                               {"enabled", enabled}});
  GYRE_TRY(const Json changed, session->Put(TriggerPath(in), spec));
  in.out().Document(changed, "");
  in.out().Done(
      fmt::format("trigger {} is switched {}", in.Get("TRIGGER"), enabled ? "on" : "off"));
  return 0;
}
Result<int> EnableTrigger(Invocation& in) { return SwitchTrigger(in, true); }
Result<int> DisableTrigger(Invocation& in) { return SwitchTrigger(in, false); }

Result<int> RemoveTrigger(Invocation& in) {
  GYRE_DO(in.Confirm("remove trigger " + in.Get("TRIGGER"), in.Get("TRIGGER")));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Delete(TriggerPath(in)));
  SayRemoved(in.out(), "trigger " + in.Get("TRIGGER"), gone);
  return 0;
}

std::string HumanChecks(const Json& checks) {
  std::string text;
  for (const Json& check : checks.items()) text += "  " + check.AsString() + "\n";
  return text;
}

// A retraining is judged against what answers: that the alias names another is said beforehand.
void AddApart(Invocation& in, Session& session, Json* check) {
  const std::string& name = (*check)["endpoint"].AsString();
  if (name.empty()) return;
  const auto endpoint = session.Get(ProjectPath(in, "endpoints/" + PercentEncode(name)));
  if (!endpoint || !endpoint->Has("apart")) return;
  check->Set("apart",
             fmt::format("{}, and {} answers at {}: that one is to be beaten",
                         (*endpoint)["apart"].AsString(), (*endpoint)["model"].AsString(), name));
}

// Exit 5 when it would not start: for scripts.
Result<int> CheckTrigger(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json check, session->Get(TriggerPath(in, "/check")));
  AddApart(in, *session, &check);
  const std::string action = check["action"].AsString();
  std::string text = fmt::format("now it would {}: {}\n{}", action, check["reason"].AsString(),
                                 HumanChecks(check["checks"]));
  text += fmt::format("  runs {}", check["pipeline"].AsString());
  if (check["cpu_seconds_per_run"].is_number())
    text += fmt::format(", {} of CPU each on average of the {}'s last {}",
                        HumanSeconds(check["cpu_seconds_per_run"].AsDouble()),
                        check["past_runs_of"].AsString(), check["past_runs"].AsInt());
  else
    text += "; none has ended yet, so its cost is not known";
  if (check["expected"]["known"].AsBool())
    text += "\n  expected " + ExpectedText(check["expected"]);
  if (const std::string& role = check["approval"].AsString(); action == "start" && !role.empty())
    text += fmt::format("\n  first an {} is asked", role);
  if (check.Has("apart")) text += fmt::format("\n  ! {}", check["apart"].AsString());
  for (const Json& alert : check["alerts"].items())
    text += fmt::format("\n  fires now  {}\n    {}", alert["alert"].AsString(),
                        alert["says"].AsString());
  for (const Json& obstacle : check["obstacles"].items())
    text += fmt::format("\n  ! {}", obstacle.AsString());
  in.out().Document(check, text + "\n");
  return action == "start" ? 0 : 5;
}

std::string HumanFiring(const Json& firing) {
  std::string text = fmt::format(
      "firing     {} of {}\nbecause    {}\n{}state      {}\n", firing["id"].AsString().substr(0, 8),
      firing["trigger"].AsString(), firing["text"].AsString(),
      HumanJoined(firing["joined"], "and        "), firing["state"].AsString());
  if (const std::string& outcome = firing["outcome"]["text"].AsString(); !outcome.empty())
    text += fmt::format("outcome    {}\n", outcome);
  text += fmt::format("reason     {}\n", firing["reason"].AsString());
  text += HumanChecks(firing["checks"]);
  if (const std::string& run = firing["run"].AsString(); !run.empty())
    text += fmt::format("run        {}    (gyre pipelines status {})\n", run, run.substr(0, 8));
  return text + ReleaseText(firing["release"]);
}

int ExitOf(const Json& firing) {
  const std::string& state = firing["state"].AsString();
  return state == "skipped" || state == "failed" || state == "expired" ? 5 : 0;
}

Result<int> FireTrigger(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  Json body = Json::Obj();
  if (in.Has("key")) body.Set("key", in.Get("key"));
  if (in.Has("text")) body.Set("text", in.Get("text"));
  if (in.Has("webhook")) body.Set("webhook", true);
  GYRE_TRY(const Json firing, session->Post(TriggerPath(in, "/fire"), body));
  in.out().Document(firing, HumanFiring(firing));
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  return ExitOf(firing);
}

Result<int> ListFirings(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  std::string path = ProjectPath(in, fmt::format("firings?limit={}", in.Get("limit")));
  if (in.Has("TRIGGER")) path += "&trigger=" + PercentEncode(in.Get("TRIGGER"));
  if (in.Has("state")) path += "&state=" + PercentEncode(in.Get("state"));
  GYRE_TRY(const Json answer, session->Get(path));
  in.out().Table({{"FIRING", "id"},
                  {"TRIGGER", "trigger"},
                  {"STATE", "state"},
                  {"BECAUSE", "text"},
                  {"OUTCOME", "outcome.text"},
                  {"REASON", "reason"},
                  {"RUN", "run"},
                  {"AT", "created_at", Format::kTime}},
                 answer["items"], "id");
  if (answer["items"].size() == 0) in.out().Hint("gyre triggers fire TRIGGER");
  return 0;
}

Result<int> ShowFiring(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json firing,
           session->Get(ProjectPath(in, "firings/" + PercentEncode(in.Get("FIRING")))));
  in.out().Document(firing, HumanFiring(firing));
  return 0;
}

Result<int> ApproveFiring(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json firing,
           session->Post(
               ProjectPath(in, fmt::format("firings/{}/approval", PercentEncode(in.Get("FIRING")))),
               Json::Obj({{"approved", !in.Has("reject")}, {"comment", in.Get("comment")}})));
  in.out().Document(firing, HumanFiring(firing));
  return in.Has("reject") ? 0 : ExitOf(firing);
}

// A hook is a program of the user's repository: it tells of the push and never holds it up.
Result<int> PrintHook(Invocation& in) {
  in.out().Print(fmt::format(
      "#!/bin/sh\n"
      "# .git/hooks/post-receive (or post-commit): tells gyre of a push\n"
      "repository=$(basename \"$(git rev-parse --show-toplevel 2>/dev/null || pwd)\" .git)\n"
      "branch=$(git rev-parse --abbrev-ref HEAD)\n"
      "commit=$(git rev-parse HEAD)\n"
      "gyre api POST /api/v1/projects/{}/pushes --body \\\n"
      "  \"{{\\\"repository\\\": \\\"$repository\\\", \\\"branch\\\": \\\"$branch\\\", "
      "\\\"commit\\\": "
      "\\\"$commit\\\"}}\" >/dev/null || echo \"gyre was not told of the push\" >&2\n",
      PercentEncode(in.project())));
  return 0;
}

constexpr Positional kTrigger[] = {{"TRIGGER", "the trigger's name", true, false, "triggers"}};
constexpr Positional kMaybeTrigger[] = {
    {"TRIGGER", "only of this trigger", false, false, "triggers"}};
constexpr Positional kSubject[] = {
    {"SUBJECT", "the endpoint that it is about", true, false, "endpoints"}};
constexpr Positional kFiring[] = {{"FIRING", "its id, or the beginning of it"}};
constexpr Option kAddOptions[] = {
    {"--on", "KIND",
     "drift, performance, kpi, quality, schedule, dataset, file, push, registry, webhook or hand"},
    {"--run", "PIPELINE", "what it starts", "retrain"},
    {"--name", "NAME", "of the trigger; else SUBJECT-KIND"},
    {"--param", "NAME=VALUE", "of the pipeline", {}, true},
    {"--approval", "ROLE", "approver: one must agree first"},
    {"--cooldown", "TIME", "between two runs (6h)"},
    {"--runs-per-day", "N", "at most (4)"},
    {"--cpu-per-month", "TIME", "CPU time of all its runs in 30 days (no limit)"},
    {"--labels-wait", "TIME", "for rows with labels since an alert's trouble began (7d)"},
    {"--quiet-hours", "FROM-TO", "hours in which nothing starts: 22:00-06:00@Europe/Zurich"},
    {"--at", "CRON", "schedule: '0 3 * * *', or 'every 6h'"},
    {"--zone", "ZONE", "schedule: time zone (UTC)"},
    {"--catch-up", "RULE", "schedule: of times missed, none, last or all (last)"},
    {"--overlap", "RULE", "schedule: while a run goes on, skip, queue or cancel (queue)"},
    {"--dataset", "NAME", "dataset: whose new versions", {}, false, "datasets"},
    {"--folder", "DIR", "file: the folder that is watched, on the server", {}, false, "file"},
    {"--pattern", "GLOB", "file: only such names: '*.csv'"},
    {"--repository", "NAME", "push: only of this repository"},
    {"--branch", "NAME", "push: only to this branch"},
    {"--model", "NAME", "registry: only of this model", {}, false, "models"},
    {"--alias", "NAME", "registry: only moves of this alias"},
    {"--columns", "A,B", "drift: only when one of these has drifted"}};
constexpr Option kFireOptions[] = {
    {"--key", "KEY", "of what has happened: the same key again is the same firing"},
    {"--text", "TEXT", "what has happened"},
    {"--webhook", "", "as a program: all guards hold"}};
constexpr Option kFiringsOptions[] = {
    {"--state", "STATE",
     "open, waiting, approval, starting, running, succeeded, failed, skipped or expired"},
    {"-n,--limit", "N", "how many", "50"}};
constexpr Option kApproveOptions[] = {{"--reject", "", "say no"}, {"--comment", "TEXT", "why"}};

constexpr Command kCommands[] = {
    {"triggers ls", "what starts runs", "gyre triggers", {}, {}, ListTriggers},
    {"triggers show",
     "one trigger with its guards, and what it heard last",
     "gyre triggers show churn-drift",
     kTrigger,
     {},
     ShowTrigger},
    {"triggers add", "start a pipeline when something happens",
     "gyre triggers add churn --on drift --run retrain --approval approver\n"
     "gyre triggers add churn --on schedule --at '0 3 * * 1' --zone Europe/Zurich\n"
     "gyre triggers add churn --on dataset --dataset customers --cooldown 1h",
     kSubject, kAddOptions, AddTrigger},
    {"triggers check",
     "what would happen if it fired now (exit 5 when nothing would start)",
     "gyre triggers check churn-drift",
     kTrigger,
     {},
     CheckTrigger},
    {"triggers fire", "fire a trigger by hand",
     "gyre triggers fire churn-drift --text 'new prices'", kTrigger, kFireOptions, FireTrigger},
    {"triggers firings", "what triggers have heard and done, newest first",
     "gyre triggers firings\ngyre triggers firings churn-drift --state skipped", kMaybeTrigger,
     kFiringsOptions, ListFirings},
    {"triggers firing",
     "one firing with what each guard said",
     "gyre triggers firing 7f3a",
     kFiring,
     {},
     ShowFiring},
    {"triggers approve", "agree that a firing may start its run, or say no",
     "gyre triggers approve 7f3a\ngyre triggers approve 7f3a --reject --comment 'not in December'",
     kFiring, kApproveOptions, ApproveFiring},
    {"triggers enable",
     "switch a trigger on",
     "gyre triggers enable churn-drift",
     kTrigger,
     {},
     EnableTrigger},
    {"triggers disable",
     "switch a trigger off; its firings stay",
     "gyre triggers disable churn-drift",
     kTrigger,
     {},
     DisableTrigger},
    {"triggers rm",
     "remove a trigger and its firings; gyre undelete brings them back",
     "gyre triggers rm churn-drift --yes",
     kTrigger,
     {},
     RemoveTrigger},
    {"triggers hook",
     "a git hook that tells of pushes",
     "gyre triggers hook > .git/hooks/post-commit",
     {},
     {},
     PrintHook},
};

}  // namespace

std::span<const Command> TriggersCommands() { return kCommands; }

}  // namespace gyre::cli
