// gyre pipelines: graphs of steps, and their runs.
#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/cost_text.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/pipelines_text.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "cli/small_file.h"
#include "platform/exec/signals.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kLookMicros = 150'000;

std::string ProjectPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project());
}
std::string PipelinePath(const Invocation& in, const std::string& reference) {
  return ProjectPath(in) + "/pipelines/" + PercentEncode(reference);
}
std::string RunPath(const std::string& run) {
  return "/api/v1/pipeline_runs/" + PercentEncode(run);
}

bool IsFile(const std::string& name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.find('/') != std::string::npos;
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(ProjectPath(in) + "/pipelines?limit=1000"));
  in.out().Table({{"NAME", "name"},
                  {"VERSION", "version", ColumnSpec::Format::kCount},
                  {"IS A", "noun"},
                  {"STEPS", "steps", ColumnSpec::Format::kCount},
                  {"ADDED", "created_at", ColumnSpec::Format::kTime},
                  {"BY", "created_by"},
                  {"DESCRIPTION", "description", ColumnSpec::Format::kText, true}},
                 answer["items"]);
  if (answer["items"].size() == 0) in.out().Hint("gyre pipelines add FILE.yaml");
  return 0;
}

Result<int> Add(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  for (const std::string& file : in.List("FILE")) {
    GYRE_TRY(const std::string source, ReadNamedFile(file));
    GYRE_TRY(const Json version,
             session->Post(ProjectPath(in) + "/pipelines",
                           Json::Obj({{"source", source}, {"source_name", file}})));
    in.out().Document(
        version,
        fmt::format("{} {} {}: {} steps\n", in.out().Mark("ok"), version["noun"].AsString(),
                    version["reference"].AsString(), version["steps"].AsInt()));
  }
  return 0;
}

Result<Json> GraphOf(Invocation& in, Session& session, const std::string& name) {
  if (!IsFile(name)) return session.Get(PipelinePath(in, name));
  GYRE_TRY(const std::string source, ReadNamedFile(name));
  return session.Post(ProjectPath(in) + "/pipelines/check",
                      Json::Obj({{"source", source}, {"source_name", name}}));
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json document, session->Get(PipelinePath(in, in.Get("PIPELINE"))));
  in.out().Document(document, document["source"].AsString());
  in.out().Note(fmt::format("{} by {}, {}", document["reference"].AsString(),
                            document["created_by"].AsString(), document["created_at"].AsString()));
  return 0;
}

Result<int> Graph(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json document, GraphOf(in, *session, in.Get("PIPELINE")));
  in.out().Document(document, GraphText(document["spec"], in.out()));
  return 0;
}

Result<int> Remove(Invocation& in) {
  const std::string name = in.Get("PIPELINE");
  GYRE_DO(in.Confirm("remove pipeline " + name, name));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone,
           session->Delete(PipelinePath(in, name) + (in.Has("force") ? "?force=true" : "")));
  SayRemoved(in.out(), "pipeline " + name, gone);
  return 0;
}

// Follows a run to its end. Ctrl-C leaves it; it goes on.
Result<int> Follow(Invocation& in, Session& session, const std::string& id) {
  const exec::InterruptCounter interrupts;
  const std::string shortened = id.substr(0, 8);
  while (true) {
    GYRE_TRY(const Json run, session.Get(RunPath(id) + "?tasks=0&wait_ms=400"));
    if (!run["ended_at"].is_null()) {
      in.out().EndProgress();
      in.out().Document(run, PipelineRunText(run, in.out(), false));
      return run["state"].AsString() == "succeeded" ? 0 : 1;
    }
    in.out().Progress(-1, PipelineProgress(run));
    if (exec::InterruptCounter::count() > 0) {
      in.out().EndProgress();
      return MakeError(Code::kCancelled, "GY4731", "left run {}; it goes on", shortened)
          .Fix(session.Repeatable("gyre pipelines status " + shortened))
          .Fix(session.Repeatable("gyre pipelines cancel " + shortened));
    }
  }
}

// What runs of that name came to; a file says its name once it is read.
Result<> AddExpected(Invocation& in, Session& session, Json* body) {
  GYRE_TRY(const Json graph, GraphOf(in, session, in.Get("PIPELINE")));
  const auto expected = session.Get(PipelinePath(in, graph["name"].AsString()) + "/expected");
  if (expected) body->Set("expected", ExpectedText(*expected));
  return {};
}

Result<int> Run(Invocation& in) {
  const std::string name = in.Get("PIPELINE");
  Json body = Json::Obj();
  if (IsFile(name)) {
    GYRE_TRY(const std::string source, ReadNamedFile(name));
    body.Set("source", source).Set("source_name", name);
  } else {
    body.Set("pipeline", name);
  }
  Json params = Json::Arr();
  for (const std::string& param : in.List("param")) params.Push(param);
  body.Set("param_texts", std::move(params));
  if (in.Has("key")) body.Set("key", in.Get("key"));
  if (in.Has("no-cache")) body.Set("no_cache", true);
  GYRE_TRY(Session* const session, in.session());
  if (in.dry_run()) GYRE_DO(AddExpected(in, *session, &body));
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  GYRE_TRY(const Json run, session->Post(ProjectPath(in) + "/pipeline_runs", body));
  const std::string& id = run["id"].AsString();
  if (in.Has("wait")) return Follow(in, *session, id);
  in.out().Document(run, fmt::format("{} run {} of {}\n", in.out().Mark("ok"), id.substr(0, 8),
                                     run["pipeline"].AsString()));
  in.out().Hint(session->Repeatable("gyre pipelines status " + id.substr(0, 8)));
  return 0;
}

Result<int> ListRuns(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  std::string path = fmt::format("/api/v1/pipeline_runs?limit={}", limit);
  if (!in.Has("all")) path += "&project=" + PercentEncode(in.project());
  if (in.Has("state")) path += "&state=" + PercentEncode(in.Get("state"));
  if (in.Has("PIPELINE")) path += "&pipeline=" + PercentEncode(in.Get("PIPELINE"));
  GYRE_TRY(const Json answer, session->Get(path));
  in.out().Table({{"RUN", "short"},
                  {"PIPELINE", "pipeline"},
                  {"STATE", "state"},
                  {"STARTED", "created_at", ColumnSpec::Format::kTime},
                  {"TOOK", "seconds", ColumnSpec::Format::kSeconds},
                  {"CPU", "cpu_seconds", ColumnSpec::Format::kSeconds},
                  {"TRIGGERED BY", "triggered_by"},
                  {"BY", "created_by", ColumnSpec::Format::kText, true},
                  {"REASON", "reason", ColumnSpec::Format::kText, true}},
                 answer["items"], "id");
  if (answer["items"].size() == 0) in.out().Hint("gyre pipelines run FILE.yaml");
  return 0;
}

std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

// The items of a loop, one row each: outputs that differ are columns, the others are told once.
Result<int> Compare(Invocation& in, Session& session) {
  std::string path = fmt::format("{}/comparison?step={}", RunPath(in.Get("RUN")),
                                 PercentEncode(in.Get("compare")));
  if (in.Has("by")) path += "&by=" + PercentEncode(in.Get("by"));
  if (in.Has("ascending")) path += "&ascending=true";
  GYRE_TRY(const Json answer, session.Get(path));
  const std::size_t outputs = answer["columns"].size();
  std::vector<std::string> headers, keys;
  for (const Json& name : answer["columns"].items()) {
    headers.push_back(Upper(name.AsString()));
    keys.push_back("outputs." + name.AsString());
  }
  std::vector<ColumnSpec> columns = {{"ITEM", "item"},
                                     {"STATE", "state"},
                                     {"TOOK", "seconds", ColumnSpec::Format::kSeconds},
                                     {"CPU", "cpu_seconds", ColumnSpec::Format::kSeconds}};
  for (std::size_t i = 0; i < outputs; ++i) {
    const bool is_text = std::ranges::any_of(answer["items"].items(), [&](const Json& row) {
      return row["outputs"][answer["columns"].items()[i].AsString()].is_string();
    });
    columns.push_back(
        {headers[i], keys[i], is_text ? ColumnSpec::Format::kText : ColumnSpec::Format::kNumber});
  }
  const bool any_failed = std::ranges::any_of(
      answer["items"].items(), [](const Json& row) { return row["state"].AsString() == "failed"; });
  columns.push_back({"REASON", "reason", ColumnSpec::Format::kText, !any_failed});
  in.out().Table(columns, answer["items"], "task");
  if (in.out().json()) return 0;
  std::vector<std::string> same;
  for (const auto& [name, value] : answer["same"].members())
    same.push_back(name + " " + (value.is_string() ? value.AsString() : value.Dump()));
  if (!same.empty()) in.out().Note("the same for all: " + Join(same, ", "));
  const auto shown = static_cast<std::int64_t>(answer["items"].size());
  if (const std::int64_t all = answer["items_in_all"].AsInt(); all > shown)
    in.out().Note(fmt::format("{} of {} items", shown, all));
  return 0;
}

Result<int> Status(Invocation& in) {
  if (!in.Has("compare") && (in.Has("by") || in.Has("ascending")))
    return InvalidArgument("GY4002", "--by and --ascending sort what --compare prints")
        .Fix("gyre pipelines status RUN --compare STEP --by OUTPUT");
  GYRE_TRY(Session* const session, in.session());
  if (in.Has("compare")) return Compare(in, *session);
  if (in.Has("wait")) return Follow(in, *session, in.Get("RUN"));
  GYRE_TRY(const Json run, session->Get(RunPath(in.Get("RUN"))));
  std::string text = PipelineRunText(run, in.out(), in.Has("explain"));
  if (!in.out().json()) {
    const std::string cost = CostOf(*session, "group=run&run=" + run["id"].AsString());
    if (!cost.empty()) text += fmt::format("cost {}\n", cost);
  }
  in.out().Document(run, text);
  return 0;
}

// A log from where it was read; nothing when there is no more for now.
Result<bool> PrintLog(Invocation& in, Session& session, const std::string& path,
                      std::int64_t* offset) {
  GYRE_TRY(const Json part, session.Get(fmt::format("{}&offset={}&format=json", path, *offset)));
  const std::string& text = part["text"].AsString();
  in.out().Print(text);
  *offset = part["next_offset"].AsInt();
  return part["ended"].AsBool();
}

Result<int> OneLog(Invocation& in, Session& session, const std::string& run,
                   const std::string& task) {
  std::string path = fmt::format("{}/log?step={}", RunPath(run), PercentEncode(task));
  if (in.Has("attempt")) path += "&attempt=" + PercentEncode(in.Get("attempt"));
  std::int64_t offset = 0;
  const exec::InterruptCounter interrupts;
  while (true) {
    const std::int64_t before = offset;
    GYRE_TRY(const bool ended, PrintLog(in, session, path, &offset));
    if (offset > before) continue;
    if (ended || !in.Has("follow")) return 0;
    if (exec::InterruptCounter::SleepMicros(kLookMicros / 3)) return 0;
  }
}

Result<int> Logs(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string run = in.Get("RUN");
  if (in.Has("STEP")) return OneLog(in, *session, run, in.Get("STEP"));
  GYRE_TRY(const Json document, session->Get(RunPath(run)));
  for (const Json& task : document["tasks"].items()) {
    if (task["attempts"].size() == 0) continue;
    in.out().Note(fmt::format("--- {}", task["task"].AsString()));
    GYRE_TRY([[maybe_unused]] const int code, OneLog(in, *session, run, task["task"].AsString()));
  }
  return 0;
}

Result<int> Cancel(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  for (const std::string& id : in.List("RUN")) {
    GYRE_TRY(const Json run, session->Post(RunPath(id) + "/cancel", Json::Obj()));
    in.out().Done(fmt::format("run {} {}", run["short"].AsString(),
                              run["state"].AsString() == "running"
                                  ? "was told to stop"
                                  : "is " + run["state"].AsString()));
  }
  return 0;
}

Result<int> Decide(Invocation& in, bool agreed) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  GYRE_TRY(const Json approval, session->Post(RunPath(in.Get("RUN")) + "/approvals",
                                              Json::Obj({{"step", in.Get("STEP")},
                                                         {"approved", agreed},
                                                         {"reason", in.Get("reason")}})));
  in.out().Document(
      approval, fmt::format("{} step {} of run {} {} by {}\n", in.out().Mark("ok"),
                            approval["task"].AsString(), approval["run"].AsString().substr(0, 8),
                            approval["state"].AsString(), approval["decided_by"].AsString()));
  return 0;
}

Result<int> Approve(Invocation& in) { return Decide(in, true); }
Result<int> Reject(Invocation& in) { return Decide(in, false); }

Result<int> RemoveRun(Invocation& in) {
  for (const std::string& id : in.List("RUN")) {
    GYRE_DO(in.Confirm("remove pipeline run " + id, id));
    GYRE_TRY(Session* const session, in.session());
    GYRE_TRY(const Json gone, session->Delete(RunPath(id)));
    SayRemoved(in.out(), "pipeline run " + id, gone);
  }
  return 0;
}

Result<int> Retry(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  Json body = Json::Obj();
  if (in.Has("from")) body.Set("from", in.Get("from"));
  GYRE_TRY(const Json run, session->Post(RunPath(in.Get("RUN")) + "/retry", body));
  if (in.Has("wait")) return Follow(in, *session, run["id"].AsString());
  in.out().Document(
      run, fmt::format("{} run {} goes on\n", in.out().Mark("ok"), run["short"].AsString()));
  return 0;
}

// Each as the pipeline declares it: a number for a text parameter is a text.
Result<Json> ParamsAsDeclared(const Invocation& in, const Json& spec) {
  Json params = Json::Obj();
  for (const std::string& given : in.List("param")) {
    const std::size_t sign = given.find('=');
    if (sign == std::string::npos || sign == 0)
      return InvalidArgument("GY4073", "`{}` is no parameter", given).Fix("-p NAME=VALUE");
    const std::string name = given.substr(0, sign), text = given.substr(sign + 1);
    const auto declared = std::ranges::find_if(
        spec["params"].items(), [&](const Json& param) { return param["name"] == Json(name); });
    const bool is_text =
        declared != spec["params"].items().end() &&
        ((*declared)["type"] == Json("text") || (*declared)["type"] == Json("file"));
    const auto parsed = Json::Parse(text);
    params.Set(name, is_text || !parsed ? Json(text) : *parsed);
  }
  return params;
}

// A trigger on a schedule, without the guards that are for alerts.
Result<int> Schedule(Invocation& in) {
  const std::string pipeline = in.Get("PIPELINE");
  if (!in.Has("cron"))
    return InvalidArgument("GY4002", "a schedule must say when")
        .Fix(fmt::format("gyre pipelines schedule {} --cron '0 3 * * *'", pipeline));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json graph, session->Get(PipelinePath(in, pipeline)));
  GYRE_TRY(Json params, ParamsAsDeclared(in, graph["spec"]));
  const std::string name = in.Has("name") ? in.Get("name") : graph["name"].AsString() + "-schedule";
  const Json guards = Json::Obj({{"cooldown_s", 0}, {"runs_per_day_max", 0}, {"failures_max", 0}});
  const Json spec =
      Json::Obj({{"name", name},
                 {"on", Json::Obj({{"kind", "schedule"},
                                   {"at", in.Get("cron")},
                                   {"zone", in.Get("tz")},
                                   {"catch_up", in.Get("catch-up")},
                                   {"overlap", in.Get("overlap")}})},
                 {"run", Json::Obj({{"pipeline", pipeline}, {"params", std::move(params)}})},
                 {"guards", guards}});
  GYRE_TRY(const Json trigger, session->Post(ProjectPath(in) + "/triggers", spec));
  in.out().Document(trigger, "");
  in.out().Done(fmt::format("{} runs at `{}` {}: trigger {}", trigger["run"]["pipeline"].AsString(),
                            in.Get("cron"), in.Get("tz"), name));
  in.out().Hint(fmt::format("gyre triggers rm {}    (when it is no longer to run)", name));
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  return 0;
}

constexpr Positional kFiles[] = {{.name = "FILE",
                                  .help = "YAML of a pipeline or a component",
                                  .repeated = true,
                                  .completes = "file"}};
constexpr Positional kPipeline[] = {
    {.name = "PIPELINE", .help = "NAME or NAME:v2", .completes = "pipelines"}};
constexpr Positional kPipelineOrFile[] = {
    {.name = "PIPELINE", .help = "NAME, NAME:v2, or a YAML file", .completes = "file"}};
constexpr Positional kPerhapsPipeline[] = {
    {.name = "PIPELINE", .help = "only of this one", .required = false, .completes = "pipelines"}};
constexpr Positional kRun[] = {{.name = "RUN", .help = "id of a run, or its beginning"}};
constexpr Positional kRuns[] = {
    {.name = "RUN", .help = "id of a run, or its beginning", .repeated = true}};
constexpr Positional kRunAndStep[] = {
    {.name = "RUN", .help = "id of a run, or its beginning"},
    {.name = "STEP", .help = "train, or train[3] of a loop; all when left out", .required = false}};
constexpr Option kWait{.name = "--wait", .help = "follow it to its end; 1 when it did not succeed"};
constexpr Option kRunOptions[] = {
    {.name = "-p,--param", .value_name = "NAME=VALUE", .help = "a parameter", .repeated = true},
    kWait,
    {.name = "--no-cache", .help = "every step runs; what it makes is kept for others"},
    {.name = "--key", .value_name = "KEY", .help = "two runs with one key are one"}};
constexpr Option kScheduleOptions[] = {
    {.name = "--cron", .value_name = "WHEN", .help = "'0 3 * * MON-FRI', @daily, or 'every 6h'"},
    {.name = "--tz", .value_name = "ZONE", .help = "Europe/Zurich", .default_value = "UTC"},
    {.name = "--catch-up",
     .value_name = "RULE",
     .help = "of the times missed while no server ran: none, last or all",
     .default_value = "last"},
    {.name = "--overlap",
     .value_name = "RULE",
     .help = "while its last run goes on: skip, queue or cancel that one",
     .default_value = "queue"},
    {.name = "-p,--param", .value_name = "NAME=VALUE", .help = "a parameter", .repeated = true},
    {.name = "--name", .value_name = "NAME", .help = "of the trigger; else PIPELINE-schedule"}};
constexpr Option kListRunsOptions[] = {
    {.name = "-n,--limit", .value_name = "N", .help = "at most so many", .default_value = "50"},
    {.name = "--state", .value_name = "STATE", .help = "running, succeeded, failed or cancelled"},
    {.name = "--all", .help = "of every project"}};
constexpr Option kStatusOptions[] = {
    {.name = "--explain", .help = "each task: why it ran, was skipped, or came from the cache"},
    {.name = "--compare", .value_name = "STEP", .help = "the items of a loop side by side"},
    {.name = "--by", .value_name = "OUTPUT", .help = "with --compare: the largest first"},
    {.name = "--ascending", .help = "with --by: the smallest first"},
    kWait};
constexpr Option kLogOptions[] = {
    {.name = "-f,--follow", .help = "go on as it is written"},
    {.name = "--attempt", .value_name = "N", .help = "of a step that was tried again; the last"}};
constexpr Positional kRunAndAsking[] = {{"RUN", "id of a run, or the beginning of it"},
                                        {"STEP", "that asks: ask, or ask[3] of a loop"}};
constexpr Option kDecideOptions[] = {{"--reason", "TEXT", "kept with the run"}};
constexpr Option kRetryOptions[] = {
    {.name = "--from", .value_name = "STEP", .help = "it and all that needs it run again"}, kWait};
constexpr Option kForced[] = {kForce};
constexpr Command kCommands[] = {
    {.path = "pipelines ls",
     .summary = "List pipelines and components",
     .examples = "gyre pipelines\ngyre pipelines ls -o json",
     .positionals = {},
     .options = {},
     .run = List},
    {.path = "pipelines add",
     .summary = "Add a version of a pipeline or a component",
     .examples = "gyre pipelines add nightly.yaml\ngyre pipelines add notify.yaml nightly.yaml",
     .positionals = kFiles,
     .options = {},
     .run = Add},
    {.path = "pipelines show",
     .summary = "Print the YAML of a pipeline",
     .examples = "gyre pipelines show nightly\ngyre pipelines show nightly:v2 -o json",
     .positionals = kPipeline,
     .options = {},
     .run = Show},
    {.path = "pipelines graph",
     .summary = "Check a pipeline and draw its graph as text",
     .examples = "gyre pipelines graph nightly\ngyre pipelines graph nightly.yaml",
     .positionals = kPipelineOrFile,
     .options = {},
     .run = Graph},
    {.path = "pipelines rm",
     .summary = "Remove a pipeline or one of its versions; its runs stay",
     .examples = "gyre pipelines rm nightly:v1 --yes",
     .positionals = kPipeline,
     .options = kForced,
     .run = Remove},
    {.path = "pipelines run",
     .summary = "Run a pipeline",
     .examples = "gyre pipelines run nightly -p url=https://example.org/rows.csv --wait\ngyre "
                 "pipelines run nightly.yaml",
     .positionals = kPipelineOrFile,
     .options = kRunOptions,
     .run = Run,
     .may_be_left = true},
    {.path = "pipelines schedule",
     .summary = "Run a pipeline at certain times",
     .examples = "gyre pipelines schedule nightly --cron '0 3 * * *' --tz Europe/Zurich\n"
                 "gyre pipelines schedule refresh --cron 'every 15m' --overlap skip -p source=eu",
     .positionals = kPipeline,
     .options = kScheduleOptions,
     .run = Schedule},
    {.path = "pipelines runs",
     .summary = "List runs of pipelines, newest first",
     .examples = "gyre pipelines runs\ngyre pipelines runs nightly --state failed",
     .positionals = kPerhapsPipeline,
     .options = kListRunsOptions,
     .run = ListRuns},
    {.path = "pipelines status",
     .summary = "Show a run and its steps",
     .examples = "gyre pipelines status 3f2a\ngyre pipelines status 3f2a --explain\ngyre "
                 "pipelines status 3f2a --compare train --by accuracy",
     .positionals = kRun,
     .options = kStatusOptions,
     .run = Status},
    {.path = "pipelines logs",
     .summary = "Print what the steps of a run wrote",
     .examples = "gyre pipelines logs 3f2a\ngyre pipelines logs 3f2a train[2] --follow",
     .positionals = kRunAndStep,
     .options = kLogOptions,
     .run = Logs},
    {.path = "pipelines cancel",
     .summary = "Stop runs; their exit handlers still run",
     .examples = "gyre pipelines cancel 3f2a",
     .positionals = kRuns,
     .options = {},
     .run = Cancel},
    {.path = "pipelines approve",
     .summary = "Agree that a run goes on behind a step that asks",
     .examples = "gyre pipelines approve 3f2a ask --reason 'checked the slices'",
     .positionals = kRunAndAsking,
     .options = kDecideOptions,
     .run = Approve},
    {.path = "pipelines reject",
     .summary = "Say no to a run that asks: its step fails",
     .examples = "gyre pipelines reject 3f2a ask --reason 'not in December'",
     .positionals = kRunAndAsking,
     .options = kDecideOptions,
     .run = Reject},
    {.path = "pipelines rm-run",
     .summary = "Remove runs that have ended, with what their steps made; gyre undelete "
                "pipeline-run brings one back",
     .examples = "gyre pipelines rm-run 3f2a --yes",
     .positionals = kRuns,
     .options = {},
     .run = RemoveRun},
    {.path = "pipelines retry",
     .summary = "Go on with a run from what did not succeed, or from a step",
     .examples = "gyre pipelines retry 3f2a --wait\ngyre pipelines retry 3f2a --from train",
     .positionals = kRun,
     .options = kRetryOptions,
     .run = Retry,
     .may_be_left = true},
};

}  // namespace

std::span<const Command> PipelinesCommands() { return kCommands; }

}  // namespace gyre::cli
