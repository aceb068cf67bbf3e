// gyre runs: what was tried and what came out.
#include <set>

#include "base/shell.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/cost_text.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/runs_watch.h"
#include "cli/session.h"
#include "cli/table_text.h"
#include "cli/tag_options.h"

namespace gyre::cli {
namespace {

constexpr std::string_view kNoteTag = "mlflow.note.content";

std::string RunsPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project()) + "/runs";
}
std::string RunPath(const Invocation& in, std::string_view run) {
  return RunsPath(in) + "/" + PercentEncode(run);
}

std::string Value(const Json& value) {
  if (value.is_string()) return value.AsString();
  return value.is_number() ? fmt::format("{:.6g}", value.AsDouble()) : value.Dump();
}

// The number that people look for first: the test metric, else the validation one.
std::string Headline(const Json& run) {
  const Json& metrics = run["metrics"];
  for (const std::string_view prefix : {"test_", "valid_", ""}) {
    for (const std::string_view name : {"auc", "log_loss", "rmse", "accuracy"}) {
      const Json& value = metrics[fmt::format("{}{}", prefix, name)];
      if (value.is_number()) return fmt::format("{}{} {:.4g}", prefix, name, value.AsDouble());
    }
  }
  if (metrics.members().empty()) return "";
  return fmt::format("{} {}", metrics.members()[0].first, Value(metrics.members()[0].second));
}

std::string ListPath(const Invocation& in, std::int64_t limit) {
  std::string path = fmt::format("{}?limit={}", RunsPath(in), limit);
  const auto add = [&](std::string_view name, const std::string& value) {
    path += fmt::format("&{}={}", name, PercentEncode(value));
  };
  for (const char* key : {"folder", "kind", "status", "parent", "filter"}) {
    if (in.Has(key)) add(key, in.Get(key));
  }
  for (const std::string& experiment : in.List("experiment")) add("experiment", experiment);
  if (in.Has("sort")) {
    add("order_by", in.Get("sort"));
    if (in.Has("ascending")) add("ascending", "true");
  }
  for (const std::string& field : in.List("order-by")) add("sort", field);
  for (const std::string& tag : in.List("tag")) add("tag", tag);
  if (in.Has("deleted")) add("view", "deleted");
  if (in.Has("page-token")) add("page_token", in.Get("page-token"));
  return path;
}

// --show metrics.auc,best.loss: columns beside the usual ones.
std::vector<std::string> ShownFields(const Invocation& in) {
  std::vector<std::string> fields;
  for (const std::string& list : in.List("show")) {
    for (const std::string_view field : Split(list, ',')) fields.emplace_back(Trim(field));
  }
  return fields;
}

// "params.lr", whatever word of the filters stands before the dot.
Json FieldOf(const Json& run, const std::string& field) {
  for (const char* member : {"params", "tags", "metrics", "min", "max", "best"}) {
    const std::string_view word = member;
    const std::string_view one = word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
    for (const std::string_view said : {word, one}) {
      if (!field.starts_with(std::string(said) + ".")) continue;
      const Json& value = run[word][field.substr(said.size() + 1)];
      return value.is_null() ? value : Json(Value(value));
    }
  }
  return run[field];
}

Json RowsOf(const Invocation& in, const Json& runs, const std::vector<std::string>& fields) {
  Json rows = Json::Arr();
  for (const Json& run : runs.items()) {
    Json row = run;
    row.Set("short", run["id"].AsString().substr(0, 8));
    row.Set("result", in.Has("sort") ? Value(run["metrics"][in.Get("sort")]) : Headline(run));
    for (const std::string& field : fields) row.Set(field, FieldOf(run, field));
    rows.Push(std::move(row));
  }
  return rows;
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  const std::vector<std::string> fields = ShownFields(in);
  std::string path = ListPath(in, limit);
  for (const std::string& field : fields) {
    if (field.contains('.')) path += "&columns=" + PercentEncode(field);
  }
  if (!fields.empty() && in.Has("sort"))
    path += "&columns=" + PercentEncode("metrics.`" + in.Get("sort") + "`");
  GYRE_TRY(const Json answer, session->Get(path));
  const Json rows = RowsOf(in, answer["items"], fields);
  std::vector<ColumnSpec> columns = {
      {"RUN", "short"}, {"NAME", "name"}, {"KIND", "kind"}, {"STATUS", "status"}};
  if (fields.empty() || in.Has("sort")) columns.push_back({"RESULT", "result"});
  for (const std::string& field : fields) columns.push_back({field, field});
  columns.push_back({"EXPERIMENT", "experiment"});
  columns.push_back({"STARTED", "started_at", ColumnSpec::Format::kTime});
  columns.push_back({"BY", "created_by", ColumnSpec::Format::kText, true});
  in.out().Table(columns, rows, "id");
  const std::string& more = answer["next_page_token"].AsString();
  const bool ordered = in.Has("sort") || in.Has("order-by");
  if (!more.empty() && !in.out().json())
    in.out().Note(fmt::format("the {} {} are shown; more: --limit N, or --page-token '{}'",
                              ordered ? "first" : "newest", rows.size(), more));
  if (rows.size() == 0) in.out().Hint("gyre train DATA --target COLUMN   or   gyre run CMD...");
  return 0;
}

void Section(std::string_view title, const Json& object, std::string* text) {
  if (object.members().empty()) return;
  *text += fmt::format("{}\n", title);
  for (const auto& [key, value] : object.members())
    *text += fmt::format("  {:<28} {}\n", key, Value(value));
}

// "cpu_seconds" 0.002 -> "2 ms".
std::string Amount(const std::string& key, const Json& value) {
  if (!value.is_number()) return Value(value);
  if (key.ends_with("_seconds")) return HumanSeconds(value.AsDouble());
  if (key.find("bytes") != std::string::npos)
    return HumanBytes(static_cast<std::int64_t>(value.AsDouble()));
  return Value(value);
}

std::string CommandText(const Json& command) {
  std::string text;
  for (const Json& word : command.items())
    text += (text.empty() ? "" : " ") + ShellWord(word.AsString());
  return OneLineText(text);
}

// What was asked for, and what it took.
void Effort(const Json& run, std::string* text) {
  const Json &source = run["source"], &resources = run["resources"];
  if (source["command"].size() > 0) {
    *text += fmt::format("command    {}\nfolder     {}\n", CommandText(source["command"]),
                         source["directory"].AsString());
  }
  if (resources.Has("exit_code")) {
    const std::int64_t signal = resources["signal"].AsInt();
    *text += signal == 0 ? fmt::format("exit code  {}\n", resources["exit_code"].AsInt())
                         : fmt::format("signal     {}\n", signal);
  }
  Json rest = Json::Obj();
  for (const auto& [key, value] : resources.members()) {
    if (key != "exit_code" && key != "signal") rest.Set(key, Amount(key, value));
  }
  Section("resources", rest, text);
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json run, session->Get(RunPath(in, in.Get("RUN"))));
  GYRE_TRY(const Json artifacts, session->Get(RunPath(in, run["id"].AsString()) + "/artifacts"));
  run.Set("artifacts", artifacts["items"]);
  std::string text =
      fmt::format("run        {}  {}\nkind       {}\nstatus     {}\n", run["id"].AsString(),
                  run["name"].AsString(), run["kind"].AsString(), run["status"].AsString());
  if (!run["error"].AsString().empty())
    text += fmt::format("error      {}\n", run["error"].AsString());
  text += fmt::format("started    {} by {}\n", run["started_at"].AsString(),
                      run["created_by"].AsString());
  if (const Json& from = run["source"]["copied_from"]; from.is_object())
    text += fmt::format("copy of    {} of project {}\n", from["run"].AsString(),
                        from["project"].AsString());
  if (const std::string& note = run["tags"][kNoteTag].AsString(); !note.empty())
    text += fmt::format("note       {}\n", note);
  Effort(run, &text);
  if (const std::string cost = CostOf(*session, "run=" + run["id"].AsString()); !cost.empty())
    text += fmt::format("cost       {}\n", cost);
  Section("params", run["params"], &text);
  Section("metrics", run["metrics"], &text);
  Section("tags", run["tags"], &text);
  Section("code", run["code"], &text);
  for (const Json& input : run["inputs"].items())
    text += fmt::format("input      {}\n", input["name"].AsString());
  for (const Json& output : run["outputs"].items())
    text += fmt::format("made       {} {}\n", output["kind"].AsString(), output["name"].AsString());
  for (const Json& artifact : run["artifacts"].items()) {
    text += fmt::format("artifact   {:<40} {}\n", artifact["path"].AsString(),
                        HumanBytes(artifact["size_bytes"].AsInt()));
  }
  in.out().Document(run, text);
  return 0;
}

// Rows of what differs between runs: params and tags with other values, and every metric.
Result<int> Compare(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  std::vector<Json> runs;
  for (const std::string& reference : in.List("RUN")) {
    GYRE_TRY(Json run, session->Get(RunPath(in, reference)));
    runs.push_back(std::move(run));
  }
  if (runs.size() < 2)
    return InvalidArgument("GY4020", "one run cannot be compared").Fix("gyre runs compare RUN RUN");
  Json rows = Json::Arr();
  for (const char* part : {"params", "tags", "metrics"}) {
    std::set<std::string> keys;
    for (const Json& run : runs) {
      for (const auto& [key, value] : run[part].members()) keys.insert(key);
    }
    for (const std::string& key : keys) {
      Json row = Json::Obj(
          {{"what", std::string(part).substr(0, std::string_view(part).size() - 1)}, {"key", key}});
      bool differs = false;
      for (std::size_t i = 0; i < runs.size(); ++i) {
        row.Set(fmt::format("run{}", i),
                runs[i][part][key].is_null() ? Json("-") : Json(Value(runs[i][part][key])));
        differs = differs || !(runs[i][part][key] == runs[0][part][key]);
      }
      if (differs || std::string_view(part) == "metrics" || in.Has("all"))
        rows.Push(std::move(row));
    }
  }
  std::vector<std::string> headers, keys;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    headers.push_back(runs[i]["name"].AsString());
    keys.push_back(fmt::format("run{}", i));
  }
  std::vector<ColumnSpec> columns = {{"WHAT", "what"}, {"KEY", "key"}};
  for (std::size_t i = 0; i < runs.size(); ++i) columns.push_back({headers[i], keys[i]});
  in.out().Table(columns, rows, "key");
  return 0;
}

Result<int> Logs(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->Download(RunPath(in, in.Get("RUN")) + "/log", "-", in.out()));
  return 0;
}

Result<int> Get(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string path = in.Get("PATH");
  GYRE_TRY(const std::string file, OutFile(in, path.substr(path.rfind('/') + 1)));
  std::string encoded;
  for (const std::string_view part : Split(path, '/')) encoded += "/" + PercentEncode(part);
  GYRE_DO(session->Download(RunPath(in, in.Get("RUN")) + "/artifacts" + encoded, file, in.out()));
  return 0;
}

Result<int> Remove(Invocation& in) {
  const std::string all = Join(in.List("RUN"), " ");
  GYRE_DO(in.Confirm("remove " + all + " with what was logged and kept", all));
  GYRE_TRY(Session* const session, in.session());
  for (const std::string& reference : in.List("RUN")) {
    GYRE_TRY(const Json gone,
             session->Delete(RunPath(in, reference) + (in.Has("force") ? "?force=true" : "")));
    SayRemoved(in.out(), "run " + reference, gone);
  }
  return 0;
}

std::string Counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// What clients of MLflow have deleted has no row of its own in the trash: it goes here.
Result<int> Purge(Invocation& in) {
  double seconds = 0;
  if (in.Has("older-than")) {
    GYRE_TRY(seconds, in.GetSeconds("older-than"));
  }
  Json runs = Json::Arr(), experiments = Json::Arr();
  for (const std::string& run : in.List("RUN")) runs.Push(run);
  for (const std::string& experiment : in.List("experiment")) experiments.Push(experiment);
  if (!in.dry_run()) GYRE_DO(in.Confirm("end what clients have deleted, for good", "deleted"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json ended,
           session->Post(
               fmt::format("{}/purge?older_than_seconds={:.0f}{}", RunsPath(in), seconds,
                           in.dry_run() ? "&dry_run=true" : ""),
               Json::Obj({{"runs", std::move(runs)}, {"experiments", std::move(experiments)}})));
  Output& out = in.out();
  if (out.json()) {
    out.Document(ended, "");
    return 0;
  }
  const std::string what = fmt::format(
      "{}, {} and {} ({} of files)", Counted(ended["runs"].size(), "run"),
      Counted(ended["experiments"].size(), "experiment"),
      Counted(ended["logged_models"].size(), "logged model"), HumanBytes(ended["bytes"].AsInt()));
  for (const Json& kept : ended["kept"].items())
    out.Print(fmt::format("kept: {}; {} is made of its files\n", kept["id"].AsString(),
                          kept["needed_by"].AsString()));
  if (in.dry_run()) {
    out.Print(fmt::format("would: end {}\n", what));
  } else {
    out.Done(fmt::format("ended {}; gyre gc gives their space back", what));
  }
  return 0;
}

Result<int> Edit(Invocation& in) {
  GYRE_TRY(Json tags, TagsToSet(in));
  Json body = Json::Obj();
  if (tags.size() > 0) body.Set("tags", std::move(tags));
  for (const char* member : {"note", "name"}) {
    if (in.Has(member)) body.Set(member, in.Get(member));
  }
  if (body.size() == 0)
    return InvalidArgument("GY4020", "nothing is to be changed")
        .Fix("gyre runs edit - --note 'the best so far' --tag keep=yes");
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->Patch(RunPath(in, in.Get("RUN")), body));
  in.out().Done("changed run " + in.Get("RUN"));
  return 0;
}

Result<> CheckTo(const Invocation& in, std::string_view verb) {
  if (in.Has("to")) return {};
  return InvalidArgument("GY4020", "--to says which experiment")
      .Fix(fmt::format("gyre runs {} RUN --to EXPERIMENT", verb));
}

Result<int> Move(Invocation& in) {
  GYRE_DO(CheckTo(in, "move"));
  GYRE_TRY(Session* const session, in.session());
  const Json body = Json::Obj({{"experiment", in.Get("to")}});
  for (const std::string& reference : in.List("RUN")) {
    GYRE_TRY(const Json run, session->Post(RunPath(in, reference) + "/move", body));
    in.out().Done(fmt::format("run {} is in experiment {} now", run["id"].AsString().substr(0, 8),
                              in.Get("to")));
  }
  return 0;
}

Result<int> Copy(Invocation& in) {
  GYRE_DO(CheckTo(in, "copy"));
  GYRE_TRY(Session* const session, in.session());
  Json body = Json::Obj({{"experiment", in.Get("to")}});
  if (in.Has("to-project")) body.Set("project", in.Get("to-project"));
  for (const std::string& reference : in.List("RUN")) {
    GYRE_TRY(const Json run, session->Post(RunPath(in, reference) + "/copy", body));
    in.out().Document(run, fmt::format("{} run {}   copy of {}\n", in.out().Mark("ok"),
                                       run["id"].AsString().substr(0, 8), reference));
  }
  return 0;
}

Result<int> Undelete(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  for (const std::string& reference : in.List("RUN")) {
    GYRE_DO(session->Post(RunPath(in, reference) + "/restore", Json::Obj()));
    in.out().Done("run " + reference + " is back");
  }
  return 0;
}

constexpr Positional kRun[] = {
    {.name = "RUN", .help = "id, its beginning, a name, or - for the newest", .completes = "runs"}};
constexpr Positional kRuns[] = {{.name = "RUN",
                                 .help = "id, its beginning, a name, or - for the newest",
                                 .repeated = true,
                                 .completes = "runs"}};
constexpr Positional kArtifact[] = {{.name = "RUN", .help = "the run", .completes = "runs"},
                                    {.name = "PATH", .help = "path of the artifact"}};
constexpr Option kListOptions[] = {
    {.name = "-n,--limit", .value_name = "N", .help = "at most so many", .default_value = "50"},
    {.name = "--filter",
     .value_name = "TEXT",
     .help = "metrics.auc > 0.9 AND (params.model = 'gbm' OR NOT tags.team LIKE 'a%')"},
    {.name = "--order-by",
     .value_name = "FIELD",
     .help = "metrics.auc DESC, best.loss, min.loss, params.lr; repeat it for more",
     .repeated = true},
    {.name = "--show",
     .value_name = "FIELDS",
     .help = "columns beside the usual ones: params.lr,best.loss",
     .repeated = true},
    {.name = "--experiment",
     .value_name = "NAME",
     .help = "of an experiment; repeat it for more",
     .repeated = true,
     .completes = "experiments"},
    {.name = "--folder", .value_name = "FOLDER", .help = "of the experiments below it"},
    {.name = "--kind", .value_name = "KIND", .help = "training, candidate, program or run"},
    {.name = "--status", .value_name = "STATUS", .help = "running, finished, failed or killed"},
    {.name = "--parent", .value_name = "RUN", .help = "candidates of one training (its full id)"},
    {.name = "--tag", .value_name = "KEY:VALUE", .help = "only with this tag", .repeated = true},
    {.name = "--sort", .value_name = "METRIC", .help = "best first by a metric, such as valid_auc"},
    {.name = "--ascending", .help = "with --sort: the smallest first"},
    {.name = "--deleted", .help = "those that a client deleted, instead"},
    {.name = "--page-token", .value_name = "TOKEN", .help = "of the page before"},
};
constexpr Option kTo = {.name = "--to",
                        .value_name = "EXPERIMENT",
                        .help = "number, title or name",
                        .completes = "experiments"};
constexpr Option kMoveOptions[] = {kTo};
constexpr Option kCopyOptions[] = {
    kTo,
    {.name = "--to-project", .value_name = "NAME", .help = "another project, with its experiment"}};
constexpr Option kEditOptions[] = {
    {.name = "--note", .value_name = "TEXT", .help = "what is to be said of it"},
    {.name = "--name", .value_name = "NAME", .help = "another name"},
    kSetTag,
    kUntag};
constexpr Positional kWatched[] = {{.name = "RUN",
                                    .help = "until these have ended; else every run",
                                    .required = false,
                                    .repeated = true,
                                    .completes = "runs"}};
constexpr Option kWatchOptions[] = {{.name = "--experiment",
                                     .value_name = "NAME",
                                     .help = "runs of it, also new ones; repeat it for more",
                                     .repeated = true,
                                     .completes = "experiments"}};
constexpr Option kCompareOptions[] = {{.name = "--all", .help = "also what is equal"}};
constexpr Option kRemoveOptions[] = {
    {.name = "--force", .help = "although a registered model was made by it; the model stays"}};
constexpr Positional kDeletedRuns[] = {{.name = "RUN",
                                        .help = "only these; their ids or how they begin",
                                        .required = false,
                                        .repeated = true}};
constexpr Option kPurgeOptions[] = {
    {.name = "--experiment",
     .value_name = "NAME",
     .help = "only what was deleted with this experiment; repeat it",
     .repeated = true},
    {.name = "--older-than", .value_name = "TIME", .help = "only what was deleted longer ago: 7d"}};
constexpr Option kGetOptions[] = {
    {.name = "--out", .value_name = "FILE", .help = "where to (default: its own name; - prints)"},
    kForceOut};
constexpr Command kCommands[] = {
    {.path = "runs ls",
     .summary = "List runs, newest first",
     .examples = "gyre runs\ngyre runs ls --sort valid_auc -n 5\ngyre runs ls --filter "
                 "'metrics.auc > 0.9' --order-by best.loss --show params.lr,best.loss",
     .positionals = {},
     .options = kListOptions,
     .run = List},
    {.path = "runs show",
     .summary = "Show one run",
     .examples = "gyre runs show -\ngyre runs show 3f2a -o json",
     .positionals = kRun,
     .options = {},
     .run = Show},
    {.path = "runs compare",
     .summary = "Put runs side by side",
     .examples = "gyre runs compare 3f2a 77bc",
     .positionals = kRuns,
     .options = kCompareOptions,
     .run = Compare},
    {.path = "runs logs",
     .summary = "Print what a run wrote",
     .examples = "gyre runs logs -",
     .positionals = kRun,
     .options = {},
     .run = Logs},
    {.path = "runs get",
     .summary = "Fetch an artifact of a run",
     .examples = "gyre runs get 3f2a outputs/model.bin",
     .positionals = kArtifact,
     .options = kGetOptions,
     .run = Get},
    {.path = "runs watch",
     .summary = "Show runs as they change: status, latest metrics, new ones",
     .examples = "gyre runs watch -\ngyre runs watch --experiment team/churn/v2",
     .positionals = kWatched,
     .options = kWatchOptions,
     .run = WatchRuns},
    {.path = "runs edit",
     .summary = "Describe, rename or tag a run",
     .examples = "gyre runs edit - --note 'the best so far' --tag keep=yes",
     .positionals = kRun,
     .options = kEditOptions,
     .run = Edit},
    {.path = "runs move",
     .summary = "Move runs to another experiment; their ids and files stay",
     .examples = "gyre runs move 3f2a 77bc --to team/churn/v2",
     .positionals = kRuns,
     .options = kMoveOptions,
     .run = Move},
    {.path = "runs copy",
     .summary = "Copy runs to an experiment, also of another project",
     .examples = "gyre runs copy 3f2a --to best\ngyre runs copy 3f2a --to-project shop --to best",
     .positionals = kRuns,
     .options = kCopyOptions,
     .run = Copy},
    {.path = "runs undelete",
     .summary = "Bring runs back that a client deleted; gyre undelete run: those of the trash",
     .examples = "gyre runs ls --deleted\ngyre runs undelete 3f2a",
     .positionals = kRuns,
     .options = {},
     .run = Undelete},
    {.path = "runs rm",
     .summary = "Remove runs with their artifacts; gyre undelete brings them back",
     .examples = "gyre runs rm 3f2a --yes",
     .positionals = kRuns,
     .options = kRemoveOptions,
     .run = Remove},
    {.path = "runs purge",
     .summary = "End runs, experiments and logged models that MLflow's clients deleted, for good",
     .examples = "gyre runs purge --older-than 7d --yes\ngyre runs purge 3f2a --yes\n"
                 "gyre runs purge --experiment old --dry-run",
     .positionals = kDeletedRuns,
     .options = kPurgeOptions,
     .run = Purge},
};

}  // namespace

std::span<const Command> RunsCommands() { return kCommands; }

}  // namespace gyre::cli
