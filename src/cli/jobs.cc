// gyre jobs, gyre wait: long work.
#include "base/text.h"
#include "cli/command.h"
#include "cli/cost_text.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

// A job's id, also as its path spells it: jobs/3f2a.
std::string JobPath(std::string_view id) {
  if (const std::size_t slash = id.rfind('/'); slash != std::string_view::npos)
    id.remove_prefix(slash + 1);
  return "/api/v1/jobs/" + PercentEncode(id);
}

Json Shortened(const Json& job) {
  Json row = job;
  row.Set("short", job["id"].AsString().substr(0, 8));
  return row;
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  std::string path = fmt::format("/api/v1/jobs?limit={}", limit);
  if (!in.Has("all")) path += "&project=" + PercentEncode(in.project());
  GYRE_TRY(const Json answer, session->Get(path));
  Json rows = Json::Arr();
  for (const Json& job : answer["items"].items()) rows.Push(Shortened(job));
  in.out().Table({{"JOB", "short"},
                  {"STATE", "state"},
                  {"TITLE", "title"},
                  {"PROGRESS", "progress", ColumnSpec::Format::kPercent},
                  {"CREATED", "created_at", ColumnSpec::Format::kTime},
                  {"CPU", "cpu_seconds", ColumnSpec::Format::kSeconds, true},
                  {"MEMORY", "memory_bytes_peak", ColumnSpec::Format::kBytes, true},
                  {"BY", "created_by", ColumnSpec::Format::kText, true}},
                 rows, "id");
  if (!answer["next_page_token"].AsString().empty() && !in.out().json())
    in.out().Note(fmt::format("the newest {} are shown; more: --limit N", rows.size()));
  return 0;
}

std::string StateText(const Json& job) {
  const std::string &state = job["state"].AsString(), &by = job["cancelled_by"].AsString();
  if (by.empty()) return state;
  if (state == "cancelled") return "cancelled by " + by;
  return job["ended_at"].is_null() ? fmt::format("{}, told to stop by {}", state, by) : state;
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job, session->Get(JobPath(in.Get("JOB"))));
  std::string text;
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<9} {}\n", label, value);
  };
  line("job", job["id"].AsString());
  line("title", job["title"].AsString());
  line("state", StateText(job));
  line("progress", job["progress_text"].AsString());
  line("created", job["created_at"].AsString() + " by " + job["created_by"].AsString());
  line("started", job["started_at"].AsString());
  line("ended", job["ended_at"].AsString());
  line("used", fmt::format("{} of CPU, {} at most", HumanSeconds(job["cpu_seconds"].AsDouble()),
                           HumanBytes(job["memory_bytes_peak"].AsInt())));
  const std::string run = job["result"]["run"].AsString();
  line("cost", CostOf(*session, (run.empty() ? "id=" + job["id"].AsString() : "run=" + run)));
  const Json& error = job["error"];
  if (!error.is_null())
    line("error", fmt::format("{} {}", error["code"].AsString(), error["message"].AsString()));
  in.out().Document(job, text);
  return 0;
}

Result<int> Log(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->Download(JobPath(in.Get("JOB")) + "/log", "-", in.out()));
  return 0;
}

Result<int> FetchOutput(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job, session->Get(JobPath(in.Get("JOB"))));
  GYRE_TRY(const std::string file, OutFile(in));
  const std::string_view noun = job["kind"].AsString() == "dataset.query" ? "query" : "predict";
  GYRE_DO(session->Download(
      fmt::format("/api/v1/projects/{}/{}/{}", PercentEncode(job["project"].AsString()), noun,
                  PercentEncode(job["id"].AsString())),
      file, in.out()));
  if (file != "-")
    in.out().Done(fmt::format("{}: {} rows into {}", job["title"].AsString(),
                              GroupDigits(job["result"]["rows"].AsInt()), file));
  return 0;
}

Result<int> Cancel(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  for (const std::string& id : in.List("JOB")) {
    GYRE_TRY(const Json job, session->Post(JobPath(id) + "/cancel", Json::Obj()));
    in.out().Done(fmt::format(
        "job {} {}", job["id"].AsString().substr(0, 8),
        job["ended_at"].is_null() ? "was told to stop" : "is " + job["state"].AsString()));
  }
  return 0;
}

Result<int> Wait(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job, session->Get(JobPath(in.Get("JOB"))));
  GYRE_TRY(const Json ended, session->WaitJob(job, in.out()));
  in.out().Document(ended,
                    fmt::format("{} {}\n", ended["title"].AsString(), ended["state"].AsString()));
  return 0;
}

constexpr Positional kJob[] = {
    {.name = "JOB", .help = "id of a job, or its beginning", .completes = "jobs"}};
constexpr Positional kJobs[] = {{.name = "JOB",
                                 .help = "id of a job, or its beginning",
                                 .repeated = true,
                                 .completes = "jobs"}};
constexpr Option kListOptions[] = {
    {.name = "-n,--limit", .value_name = "N", .help = "at most so many", .default_value = "50"},
    {.name = "--all", .help = "of every project"},
};
constexpr Option kOutputOptions[] = {
    {.name = "--out",
     .value_name = "FILE",
     .help = "where to; - = standard output",
     .default_value = "-",
     .completes = "file"},
    kForceOut,
};
constexpr Command kCommands[] = {
    {.path = "jobs ls",
     .summary = "List jobs, newest first",
     .examples = "gyre jobs\ngyre jobs ls --all -o json",
     .positionals = {},
     .options = kListOptions,
     .run = List},
    {.path = "jobs show",
     .summary = "Show one job",
     .examples = "gyre jobs show 3f2a",
     .positionals = kJob,
     .options = {},
     .run = Show},
    {.path = "jobs log",
     .summary = "Print the log of a job",
     .examples = "gyre jobs log 3f2a",
     .positionals = kJob,
     .options = {},
     .run = Log},
    {.path = "jobs output",
     .summary = "Fetch what `gyre predict`, `explain` or `query` has made; it is kept for a day",
     .examples =
         "gyre jobs output 3f2a --out scored.csv\ngyre jobs output 3f2a    (of a query: JSON)",
     .positionals = kJob,
     .options = kOutputOptions,
     .run = FetchOutput},
    {.path = "jobs cancel",
     .summary = "Ask jobs to stop",
     .examples = "gyre jobs cancel 3f2a",
     .positionals = kJobs,
     .options = {},
     .run = Cancel},
    {.path = "wait",
     .summary = "Wait for a job to end",
     .examples = "gyre wait 3f2a",
     .positionals = kJob,
     .options = {},
     .run = Wait,
     .may_be_left = true},
};

}  // namespace

std::span<const Command> JobsCommands() { return kCommands; }

}  // namespace gyre::cli
