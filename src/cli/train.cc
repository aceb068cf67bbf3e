// gyre train: from a file or a dataset to a model that a gate has judged.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/command.h"
#include "cli/cost_text.h"
#include "cli/datasets_text.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/small_file.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

constexpr std::array kTextOptions = {
    std::pair{"target", "target"},           std::pair{"model", "model"},
    std::pair{"metric", "metric"},           std::pair{"task", "task"},
    std::pair{"time-column", "time_column"}, std::pair{"group-column", "group_column"},
    std::pair{"experiment", "experiment"},   std::pair{"gate", "gate"},
    std::pair{"positive", "positive"},       std::pair{"split", "split"}};

constexpr std::array<std::string_view, 9> kFileEndings = {
    ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".zst"};

std::string ProjectPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project());
}

// Few datasets have such a name.
bool LooksLikeFile(std::string_view data) {
  const std::string lower = ToLower(data.substr(0, data.rfind(':')));
  return data.starts_with('.') || data.starts_with('/') || data.starts_with('~') ||
         std::ranges::any_of(kFileEndings,
                             [&](std::string_view ending) { return lower.ends_with(ending); });
}

// A local file is added first; anything else is a reference.
Result<std::string> DatasetOf(Invocation& in, Session& session, const std::string& project) {
  const std::string data = in.Get("DATA");
  if (!exec::FileExists(data)) {
    const std::string known =
        project + "/datasets/" + PercentEncode(data.substr(0, data.rfind(':')));
    if (!LooksLikeFile(data) || session.Get(known)) return data;
    return NotFound("GY4061", "there is no file {}", data)
        .Where(config::AbsolutePath(data))
        .Fix("give the path of a file, or the name of a dataset: gyre datasets");
  }
  const std::string name = DatasetNameOf(data);
  GYRE_TRY(const Json job,
           session.Upload(
               fmt::format("{}/datasets/{}/versions?filename={}", project, PercentEncode(name),
                           PercentEncode(data.substr(data.rfind('/') + 1))),
               data, in.out()));
  GYRE_TRY(const Json ended, session.WaitJob(job, in.out()));
  const Json& result = ended["result"];
  const std::string line = fmt::format(
      "dataset {}:{}   {} rows {} {} columns{}", name, result["version"].AsString(),
      GroupDigits(result["rows"].AsInt()), in.out().Mark("times"), result["columns"].AsInt(),
      result["unchanged"].AsBool() ? " (was there already)" : "");
  if (in.Has("detach")) {
    in.out().Note(line);  // stdout is for the job's id
  } else {
    in.out().Done(line);
  }
  if (const std::int64_t aside = result["rows_quarantined"].AsInt();
      aside > 0 && !result["unchanged"].AsBool()) {
    in.out().Warn(fmt::format("{} of its rows were set aside: gyre datasets quarantine {}",
                              GroupDigits(aside), result["reference"].AsString()));
  }
  return fmt::format("{}:{}", name, result["version"].AsString());
}

Result<Json> RequestOf(Invocation& in, const std::string& dataset) {
  Json body = Json::Obj({{"dataset", dataset}});
  for (const auto& [option, member] : kTextOptions) {
    if (in.Has(option)) body.Set(member, in.Get(option));
  }
  if (in.Has("budget")) {
    GYRE_TRY(const double seconds, in.GetSeconds("budget"));
    body.Set("budget_seconds", seconds);
  }
  for (const char* key : {"trials", "seed"}) {
    if (!in.Has(key)) continue;
    GYRE_TRY(const std::int64_t number, in.GetInt(key));
    body.Set(key, number);
  }
  if (in.Has("test-share")) {
    GYRE_TRY(const double share, in.GetDouble("test-share"));
    body.Set("test_share", share);
  }
  if (in.Has("keep-leaks")) body.Set("keep_leaks", true);
  if (in.Has("recipe")) {
    GYRE_TRY(std::string text, ReadRecipe(in.Get("recipe")));
    body.Set("recipe", std::move(text));
  }
  return body;
}

std::string Number(const Json& value) {
  return value.is_number() ? fmt::format("{:.4g}", value.AsDouble()) : "-";
}

void ShowFindings(const Json& findings, Output& out) {
  for (const Json& f : findings.items()) {
    if (f["kind"].AsString() == "group") continue;
    out.Warn(
        fmt::format("{}{}", f["text"].AsString(), f["left_out"].AsBool() ? " (left out)" : ""));
  }
}

std::string PositiveText(const Json& answer) {
  return fmt::format("{} ({})", answer["positive"].AsString(),
                     answer["positive_reason"].AsString());
}

void ShowLeaderboard(const Json& result, Output& out) {
  Json rows = Json::Arr();
  for (const Json& entry : result["leaderboard"].items()) rows.Push(entry);
  out.Print(fmt::format("  {} on validation and test rows:\n", result["metric"].AsString()));
  for (const Json& entry : rows.items()) {
    out.Print(fmt::format("  {:>2}  {:<24} {:>10} {:>10}\n", entry["rank"].AsInt(),
                          entry["name"].AsString(), Number(entry["valid"]), Number(entry["test"])));
  }
}

void ShowGate(const Json& result, Output& out) {
  for (const Json& reason : result["verdict"]["reasons"].items()) {
    const std::string line =
        fmt::format("gate {}: {}", reason["rule"].AsString(), reason["text"].AsString());
    if (reason["pass"].AsBool()) {
      out.Done(line);
    } else {
      out.Print(fmt::format("{} {}\n", out.Mark("fail"), line));
    }
  }
  if (const std::string& target = result["kpis_of"].AsString(); !target.empty()) {
    out.Note(
        fmt::format("  the project's KPIs are for {}: they say nothing of this model", target));
  }
  for (const Json& kpi : result["kpis"].items()) {
    if (!kpi["pass"].AsBool() && !kpi["binding"].AsBool()) {
      out.Warn(fmt::format("KPI missed: {} ({})", kpi["kpi"].AsString(), kpi["text"].AsString()));
    }
  }
}

int Show(const Json& result, Output& out) {
  const bool promoted = result["promoted"].AsBool();
  const Json& verdict = result["verdict"];
  const bool judged_only = result["gate"].AsString() == "judge" && verdict["pass"].AsBool();
  const int code = promoted || judged_only || verdict.is_null() ? 0 : 5;
  if (out.json()) {
    out.Document(result, "");
    return code;
  }
  ShowFindings(result["findings"], out);
  const Json& split = result["split"];
  const Json& interval = result["interval"];
  std::string between;
  if (interval["lower"].is_number())
    between = fmt::format(" (95 % interval {} to {})", Number(interval["lower"]),
                          Number(interval["upper"]));
  out.Done(fmt::format(
      "run {} candidates in {}, {} split, {} + {} test rows", result["candidates"].AsInt(),
      HumanSeconds(result["wall_seconds"].AsDouble()), split["kind"].AsString(),
      GroupDigits(split["train_rows"].AsInt()), GroupDigits(split["test_rows"].AsInt())));
  if (result["positive"].is_string())
    out.Print(fmt::format("  positive class {}\n", PositiveText(result)));
  ShowLeaderboard(result, out);
  out.Done(fmt::format("best {}   test {} {}{}", result["best"].AsString(),
                       result["metric"].AsString(), Number(interval["estimate"]), between));
  for (const Json& warning : result["warnings"].items()) out.Warn(warning.AsString());
  ShowGate(result, out);
  if (promoted) {
    out.Done(fmt::format("model {} {} @champion", result["model"].AsString(), out.Mark("arrow")));
  } else {
    out.Done(fmt::format("model {} registered", result["model"].AsString()));
    out.Print(
        fmt::format("  not promoted: {}\n  to deploy it anyway:\n", result["reason"].AsString()));
    for (const Json& command : result["next"].items())
      out.Print(fmt::format("    {}\n", command.AsString()));
  }
  if (promoted)
    out.Hint(result["next"].items().empty() ? "" : result["next"].items()[0].AsString());
  return code;
}

std::string PlanText(const Json& plan, const Output& out) {
  std::string text =
      fmt::format("would train {} on {}\n", plan["model"].AsString(), plan["dataset"].AsString());
  const auto line = [&](std::string_view label, const std::string& value) {
    text += fmt::format("  {:<11} {}\n", label, value);
  };
  const auto list = [](const Json& names) {
    std::vector<std::string> texts;
    for (const Json& name : names.items()) texts.push_back(name.AsString());
    return Join(texts, ", ");
  };
  const Json& split = plan["split"];
  line("target", plan["target"].AsString());
  line("task",
       plan["task"].AsString() + (plan["classes"].size() > 0 ? ": " + list(plan["classes"]) : ""));
  if (plan["positive"].is_string()) line("positive", PositiveText(plan));
  line("metric", plan["metric"].AsString());
  line("split", fmt::format("{}, {} rows to learn from in {} fold{}, {} test",
                            split["kind"].AsString(), GroupDigits(split["train_rows"].AsInt()),
                            split["folds"].AsInt(), split["folds"].AsInt() == 1 ? "" : "s",
                            GroupDigits(split["test_rows"].AsInt())));
  line("candidates", list(plan["candidates"]));
  const Json &trials = plan["trials"], &budget = plan["budget_seconds"];
  std::string time = trials.is_null() ? "" : fmt::format("{} trials", trials.AsInt());
  if (budget.is_number())
    time += fmt::format("{}{}", time.empty() ? "" : ", at most ", HumanSeconds(budget.AsDouble()));
  line("time", time);
  line("expected", ExpectedText(plan["expected"]));
  line("columns", list(plan["columns"]));
  if (const std::string& hash = plan["recipe"].AsString(); !hash.empty())
    line("recipe", "as given, hash " + hash.substr(0, 12));
  for (const Json& f : plan["findings"].items()) {
    line(f["left_out"].AsBool() ? "left out" : "note",
         fmt::format("{} {} {}", f["column"].AsString(), out.Mark("dash"), f["text"].AsString()));
  }
  line("to beat", plan["champion"].is_null() ? "the baseline" : plan["champion"].AsString());
  return text;
}

// A local file is read into an empty data directory first.
Result<int> TrainDryRun(Invocation& in) {
  const bool is_file = exec::FileExists(in.Get("DATA"));
  GYRE_TRY(Session* const session, is_file ? in.scratch_session() : in.session());
  const std::string project = is_file ? "/api/v1/projects/default" : ProjectPath(in);
  GYRE_TRY(const std::string dataset, DatasetOf(in, *session, project));
  GYRE_TRY(const Json body, RequestOf(in, dataset));
  const auto plan = session->Post(project + "/train/plan", body);
  if (!plan) return OfRecipe(plan.error(), in.Get("recipe"));
  in.out().Document(*plan, PlanText(*plan, in.out()));
  return 0;
}

Result<int> Train(Invocation& in) {
  if (in.dry_run()) return TrainDryRun(in);
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string dataset, DatasetOf(in, *session, ProjectPath(in)));
  GYRE_TRY(const Json body, RequestOf(in, dataset));
  const auto begun = session->Post(ProjectPath(in) + "/train", body);
  if (!begun) return OfRecipe(begun.error(), in.Get("recipe"));
  const Json& job = *begun;
  if (in.Has("detach")) {
    GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
    const std::string& id = job["id"].AsString();
    in.out().Document(job, id);
    in.out().Note(
        fmt::format("  it trains in the background; its end: gyre wait {}", id.substr(0, 8)));
    return 0;
  }
  GYRE_TRY(const Json ended, session->WaitJob(job, in.out()));
  return Show(ended["result"], in.out());
}

constexpr Positional kData[] = {
    {.name = "DATA",
     .help = "dataset (NAME or NAME:vN), or a local file, which is added first",
     .completes = "datasets"}};
constexpr Option kOptions[] = {
    {.name = "-t,--target",
     .value_name = "COLUMN",
     .help = "column to predict (default: that of the project's problem)"},
    {.name = "--budget",
     .value_name = "TIME",
     .help = "time from reading the data to the verdict (default: training.budget of the server, "
             "40s; none with --trials)"},
    {.name = "--trials",
     .value_name = "N",
     .help = "so many LightGBM settings; alone: no clock, repeatable to the byte; with --budget: "
             "whichever ends first, and then bytes may differ"},
    {.name = "--seed",
     .value_name = "N",
     .help = "seed of splits and searches",
     .default_value = "0"},
    {.name = "-m,--model",
     .value_name = "NAME",
     .help = "name of the model (default: the dataset's name)"},
    {.name = "--metric",
     .value_name = "NAME",
     .help = "auc, log_loss, rmse, f1, mae, ... (default: by task)"},
    {.name = "--task",
     .value_name = "TASK",
     .help = "binary, multiclass or regression (default: from the column)"},
    {.name = "--positive",
     .value_name = "CLASS",
     .help = "the class of two that is to be found (default: the champion's; else the one that "
             "says yes, else the rarer)"},
    {.name = "--split",
     .value_name = "KIND",
     .help = "auto: by a column of time or of people when that is clear, and it is said; random"},
    {.name = "--time-column",
     .value_name = "COLUMN",
     .help = "split by time: the newest rows test"},
    {.name = "--group-column", .value_name = "COLUMN", .help = "rows of one group stay together"},
    {.name = "--test-share",
     .value_name = "X",
     .help = "share of rows that only test (default: by size)"},
    {.name = "--keep-leaks", .help = "do not leave out columns that seem to know the answer"},
    {.name = "--recipe",
     .value_name = "FILE",
     .help = "how columns become numbers (gyre recipes suggest prints one; default: made to suit)",
     .completes = "file"},
    {.name = "--gate",
     .value_name = "KIND",
     .help =
         "default; kpi: the project's KPIs bind too; judge: @champion stays; none: only register"},
    {.name = "--experiment",
     .value_name = "NAME",
     .help = "experiment of the runs (default: the model's name)"},
    {.name = "--detach", .help = "do not wait; print the id of the job"},
};
constexpr Command kCommands[] = {
    {.path = "train",
     .summary = "Train models on a dataset and let the gate decide on @champion",
     .examples = "gyre train sales --target qty\n"
                 "gyre train customers.csv --target Churn --budget 30s\n"
                 "gyre train customers:v3 --target Churn --trials 20 --seed 7\n"
                 "gyre train sales --target qty --dry-run\n"
                 "gyre train rides --target cnt --time-column day --metric mae",
     .positionals = kData,
     .options = kOptions,
     .run = Train,
     .may_be_left = true},
};

}  // namespace

std::span<const Command> TrainCommands() { return kCommands; }

}  // namespace gyre::cli
