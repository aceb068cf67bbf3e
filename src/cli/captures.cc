// gyre captures, gyre feedback: what endpoints answered, what turned out to be true, and both as a
// dataset.
#include <algorithm>

#include "base/text.h"
#include "cli/cell_rows.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

constexpr int kFindings = 5;  // exit code

std::string EndpointPath(const Invocation& in) {
  return fmt::format("/api/v1/projects/{}/endpoints/{}", PercentEncode(in.project()),
                     PercentEncode(in.Get("ENDPOINT")));
}
std::string CapturesPath(const Invocation& in) { return EndpointPath(in) + "/captures"; }

std::string RangeQuery(const Invocation& in) {
  std::string query;
  for (const std::string_view name : {"from", "to"}) {
    if (in.Has(name)) query += fmt::format("&{}={}", name, PercentEncode(in.Get(name)));
  }
  return query;
}

std::string Count(const Json& value) { return GroupDigits(value.AsInt()); }

std::string PolicyText(const Json& policy) {
  if (!policy["on"].AsBool()) return "off";
  std::string text = "on";
  if (policy["sample"].AsDouble() < 1)
    text += fmt::format(", {:g} % of the rows", 100 * policy["sample"].AsDouble());
  for (const auto& [column, keep] : policy["columns"].members())
    text += fmt::format(", {} {}", column, keep.AsString() == "hash" ? "hashed" : "dropped");
  if (!policy["key_column"].AsString().empty())
    text += fmt::format(", labels also by {}", policy["key_column"].AsString());
  return text + fmt::format(", kept {:g} days, labels late after {:g}",
                            policy["retention_days"].AsDouble(),
                            policy["lateness_days"].AsDouble());
}

std::string StatusText(const Json& status) {
  const Json& counts = status["counts"];
  std::string text = fmt::format("captures of   {}\npolicy        {}\n",
                                 status["endpoint"].AsString(), PolicyText(status["policy"]));
  text += fmt::format("rows          {} captured, {} dropped", Count(status["captured"]),
                      Count(status["dropped"]));
  if (status["pending"].AsInt() > 0) text += ", " + Count(status["pending"]) + " not written yet";
  if (status["left_out"].AsInt() > 0)
    text += ", " + Count(status["left_out"]) + " left out by sampling";
  if (status["expired"].AsInt() > 0) text += ", " + Count(status["expired"]) + " expired";
  if (status["ahead"].AsInt() > 0)
    text += fmt::format(
        "\nahead         {} with an event time ahead of the clock: their arrival "
        "counts",
        Count(status["ahead"]));
  const std::int64_t rows = counts["rows"].AsInt(), labelled = counts["labelled"].AsInt();
  text += fmt::format(
      "\nlabelled      {} ({:.1f} %)", GroupDigits(labelled),
      rows == 0 ? 0.0 : 100 * static_cast<double>(labelled) / static_cast<double>(rows));
  text += fmt::format(
      "\nlabels        {} received: {} repeated, {} corrected, {} of rows nobody "
      "knows; {} rows labelled late\n",
      Count(status["labels"]), Count(counts["duplicates"]), Count(counts["corrected"]),
      Count(counts["unknown"]), Count(counts["late"]));
  if (status["last_event"].is_string())
    text += fmt::format("events        {} to {}\n", status["first_event"].AsString(),
                        status["last_event"].AsString());
  text += fmt::format("stored        {} in {} segments\n", HumanBytes(status["bytes"].AsInt()),
                      Count(status["segments"]));
  return text;
}

void WarnOfDamage(const Json& problems, Output& out) {
  for (const Json& problem : problems.items()) out.Warn(problem.AsString());
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  if (in.Has("ENDPOINT")) {
    GYRE_TRY(const Json status, session->Get(CapturesPath(in) + "?labels=true"));
    in.out().Document(status, StatusText(status));
    WarnOfDamage(status["counts"]["problems"], in.out());
    return 0;
  }
  GYRE_TRY(const Json answer, session->Get(fmt::format("/api/v1/projects/{}/captures?labels=true",
                                                       PercentEncode(in.project()))));
  in.out().Table({{"ENDPOINT", "endpoint"},
                  {"ROWS", "captured", ColumnSpec::Format::kCount},
                  {"DROPPED", "dropped", ColumnSpec::Format::kCount},
                  {"LABELLED", "labelled", ColumnSpec::Format::kCount},
                  {"NEWEST", "last_event", ColumnSpec::Format::kTime},
                  {"SIZE", "bytes", ColumnSpec::Format::kBytes}},
                 answer["items"], "endpoint");
  if (answer["items"].size() == 0) {
    GYRE_TRY(const Json endpoints, session->Get(fmt::format("/api/v1/projects/{}/endpoints?limit=1",
                                                            PercentEncode(in.project()))));
    in.out().Hint(endpoints["items"].size() == 0 ? "gyre deploy MODEL@champion"
                                                 : "gyre endpoints    (ask one of them)");
  }
  return 0;
}

Result<int> Rows(Invocation& in) {
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(fmt::format("{}/rows?limit={}{}", CapturesPath(in),
                                                       limit, RangeQuery(in))));
  ShowRows(answer, in.out());
  WarnOfDamage(answer["problems"], in.out());
  return 0;
}

Result<int> Export(Invocation& in) {
  GYRE_TRY(const std::string file, OutFile(in));
  std::string format = in.Get("format");
  if (format.empty()) {
    format = "csv";
    for (const std::string_view known : {"jsonl", "parquet"}) {
      if (file.ends_with("." + std::string(known))) format = known;
    }
  }
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->Download(
      fmt::format("{}/export?format={}{}", CapturesPath(in), PercentEncode(format), RangeQuery(in)),
      file, in.out()));
  if (file != "-") in.out().Done(fmt::format("wrote {}", file));
  return 0;
}

Result<Json> PolicyChange(const Invocation& in) {
  Json change = Json::Obj(), columns = Json::Obj();
  if (in.Has("on") && in.Has("off"))
    return InvalidArgument("GY4002", "--on and --off cannot both hold").Fix("say one of them");
  if (in.Has("on") || in.Has("off")) change.Set("on", in.Has("on"));
  for (const std::string_view keep : {"keep", "hash", "drop"}) {
    for (const std::string& column : in.List(keep)) columns.Set(column, keep);
  }
  if (columns.size() > 0) change.Set("columns", std::move(columns));
  if (in.Has("key")) change.Set("key_column", in.Get("key"));
  for (const auto& [option, member] : {std::pair{"sample", "sample"},
                                       {"retention", "retention_days"},
                                       {"lateness", "lateness_days"}}) {
    if (!in.Has(option)) continue;
    GYRE_TRY(const double value, in.GetDouble(option));
    change.Set(member, value);
  }
  return change;
}

void WarnOfWithheld(const Json& policy, Invocation& in) {
  for (const Json& input : policy["withheld_inputs"].items())
    in.out().Warn(fmt::format(
        "the model reads `{}`: retraining from captures does not work while it is {}",
        input.AsString(),
        policy["columns"][input.AsString()].AsString() == "hash" ? "hashed" : "dropped"));
}

Result<int> Policy(Invocation& in) {
  GYRE_TRY(const Json change, PolicyChange(in));
  GYRE_TRY(Session* const session, in.session());
  const std::string path = CapturesPath(in) + "/policy";
  if (change.size() == 0) {
    GYRE_TRY(const Json policy, session->Get(path));
    in.out().Document(policy, PolicyText(policy) + "\n");
    WarnOfWithheld(policy, in);
    return 0;
  }
  GYRE_TRY(const Json policy, session->Patch(path, change));
  in.out().Done(fmt::format("captures of {}   {}", in.Get("ENDPOINT"), PolicyText(policy)));
  WarnOfWithheld(policy, in);
  if (in.out().json()) in.out().Document(policy, "");
  return 0;
}

Result<int> ToDataset(Invocation& in) {
  Json body = Json::Obj({{"dataset", in.Get("DATASET")}, {"labelled", in.Has("labelled")}});
  if (in.Has("new-classes")) body.Set("new_classes", true);
  for (const std::string_view name : {"from", "to"}) {
    if (in.Has(name)) body.Set(name, in.Get(name));
  }
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job, session->Post(CapturesPath(in) + "/dataset", body));
  GYRE_TRY(const Json done, session->WaitJob(job, in.out()));
  const Json& result = done["result"];
  in.out().Done(fmt::format(
      "dataset {}   {} rows{}", result["reference"].AsString(), Count(result["rows"]),
      result["unchanged"].AsBool() ? "   unchanged: the same content is there already" : ""));
  WarnOfDamage(result["problems"], in.out());
  if (in.out().json()) in.out().Document(result, "");
  in.out().Hint(fmt::format("gyre train {}", result["dataset"].AsString()));
  return 0;
}

// How all labels of an endpoint stand; null for who may only send them.
Json LabelCounts(const Invocation& in, Session& session) {
  const auto status = session.Get(CapturesPath(in) + "?labels=true");
  return status ? (*status)["counts"] : Json();
}

// What became of the labels of one file, from the counts before and after it.
void AddOutcome(const Json& before, const Json& after, Json* result) {
  if (!before.is_object() || !after.is_object()) return;
  std::int64_t fresh = (*result)["accepted"].AsInt();
  for (const auto& [member, counted] :
       {std::pair{"repeated", "duplicates"}, {"corrected", "corrected"}, {"unknown", "unknown"}}) {
    const std::int64_t more =
        std::clamp<std::int64_t>(after[counted].AsInt() - before[counted].AsInt(), 0, fresh);
    result->Set(member, more);
    fresh -= more;
  }
  result->Set("new", fresh);
}

// ": 2,400 repeated"; "taken" for who does not get to know.
std::string OutcomeText(const Json& result) {
  std::string text;
  for (const auto& [member, words] : {std::pair{"new", "new"},
                                      {"repeated", "repeated"},
                                      {"corrected", "corrected"},
                                      {"unknown", "of rows nobody knows"}}) {
    if (result[member].AsInt() == 0) continue;
    text += fmt::format("{} {} {}", text.empty() ? ":" : ",", Count(result[member]), words);
  }
  return text.empty() ? " taken" : text;
}

Result<int> Feedback(Invocation& in) {
  const std::string file = in.Get("FILE");
  const std::string shown = file == "-" ? "standard input" : file.substr(file.rfind('/') + 1);
  std::string path = EndpointPath(in) + "/feedback/file?filename=" + PercentEncode(shown);
  if (in.Has("format")) path += "&format=" + PercentEncode(in.Get("format"));
  GYRE_TRY(Session* const session, in.session());
  const Json before = LabelCounts(in, *session);
  GYRE_TRY(const Json job, session->Upload(path, file, in.out()));
  GYRE_TRY(const Json done, session->WaitJob(job, in.out()));
  Json result = done["result"];
  AddOutcome(before, LabelCounts(in, *session), &result);
  in.out().Done(fmt::format("{} labels of {}{}", Count(result["accepted"]), in.Get("ENDPOINT"),
                            OutcomeText(result)));
  for (const auto& [name, count] : result["unknown_classes"].members())
    in.out().Warn(
        fmt::format("{} labels say `{}`, which the model does not know", Count(count), name));
  for (const Json& note : result["notes"].items()) in.out().Note(note.AsString());
  if (in.out().json()) in.out().Document(result, "");
  in.out().Hint(fmt::format("gyre captures {}", in.Get("ENDPOINT")));
  return 0;
}

Result<int> Forget(Invocation& in) {
  Json body = Json::Obj();
  for (const std::string_view what : {"key", "id", "endpoint"})
    if (in.Has(what)) body.Set(what, in.Get(what));
  if (in.Has("key") == in.Has("id"))
    return InvalidArgument("GY4084", "say whose rows: --key or --id, and not both")
        .Fix("gyre captures forget --key VALUE");
  const std::string whose = in.Has("key") ? in.Get("key") : in.Get("id");
  GYRE_DO(in.Confirm("forget what was captured of " + whose + " for good", whose));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(
      const Json gone,
      session->Post("/api/v1/projects/" + PercentEncode(in.project()) + "/captures/forget", body));
  Output& out = in.out();
  if (out.json()) out.Document(gone, "");
  for (const Json& problem : gone["problems"].items()) out.Warn(problem.AsString());
  out.Done(fmt::format("forgot {} rows and {} labels; {} files were written anew",
                       GroupDigits(gone["rows"].AsInt()), GroupDigits(gone["labels"].AsInt()),
                       GroupDigits(gone["files"].AsInt())));
  if (gone["rows"].AsInt() + gone["labels"].AsInt() > 0)
    out.Note("  datasets made of captures, exports and backups may hold copies");
  return gone["problems"].size() == 0 ? 0 : kFindings;
}

constexpr Positional kEndpoint[] = {{"ENDPOINT", "an endpoint", true, false, "endpoints"}};
constexpr Positional kMaybeEndpoint[] = {
    {"ENDPOINT", "an endpoint; default: all of them", false, false, "endpoints"}};
constexpr Positional kToDataset[] = {
    {"ENDPOINT", "an endpoint", true, false, "endpoints"},
    {"DATASET", "name of the dataset; it gets a new version", true, false, "datasets"}};
constexpr Positional kFeedback[] = {
    {"ENDPOINT", "an endpoint", true, false, "endpoints"},
    {"FILE",
     "columns inference_id or key, label, maybe time and version; CSV, JSON lines or Parquet; - = "
     "standard input",
     true, false, "file"}};
constexpr Option kFrom = {"--from", "TIME", "only events not before it: 2026-11-21"};
constexpr Option kTo = {"--to", "TIME", "only events before it"};
constexpr Option kRowsOptions[] = {{"--limit", "N", "rows to show", "20"}, kFrom, kTo};
constexpr Option kExportOptions[] = {
    {"--out", "FILE", "where to write; - = standard output", "-", false, "file"},
    kForceOut,
    {"--format", "FORMAT", "csv, jsonl or parquet; default: by the name of --out"},
    kFrom,
    kTo,
};
constexpr Option kPolicyOptions[] = {
    {"--on", "", "capture answers"},
    {"--off", "", "capture nothing"},
    {"--sample", "SHARE", "of the rows that are kept: 0.1"},
    {"--keep", "COLUMN", "keep its values", "", true},
    {"--hash", "COLUMN", "keep a keyed hash of its values", "", true},
    {"--drop", "COLUMN", "keep nothing of it", "", true},
    {"--key", "COLUMN", "labels may come by its value; '' = by inference id only"},
    {"--retention", "DAYS", "rows and labels go after so many days"},
    {"--lateness", "DAYS", "labels count as late after so many days"},
};
constexpr Option kToDatasetOptions[] = {
    kFrom,
    kTo,
    {"--labelled", "", "only rows whose label has come"},
    {"--new-classes", "", "rows whose label is no class of the model, too"}};
constexpr Option kForgetOptions[] = {
    {"--key", "VALUE", "rows and labels whose key this is"},
    {"--id", "ID", "the answer with this inference id, and its labels"},
    {"--endpoint", "ENDPOINT", "only of this endpoint; default: of all of the project"}};
constexpr Option kFeedbackOptions[] = {
    {"--format", "FORMAT", "of the file; default: by its content"}};

constexpr Command kCommands[] = {
    {"captures ls",
     "rows that endpoints answered and labels that came; of one endpoint also its policy",
     "gyre captures\ngyre captures churn",
     kMaybeEndpoint,
     {},
     List},
    {"captures rows", "the newest answered rows with their labels",
     "gyre captures rows churn --limit 5", kEndpoint, kRowsOptions, Rows},
    {"captures export", "answered rows with their labels as a file",
     "gyre captures export churn --out churn.parquet --from 2026-11-01", kEndpoint, kExportOptions,
     Export},
    {"captures policy", "what is captured of an endpoint, and for how long",
     "gyre captures policy churn\ngyre captures policy churn --hash email --drop phone --key "
     "customer_id",
     kEndpoint, kPolicyOptions, Policy},
    {"captures to-dataset", "make a dataset version of inputs and labels, to train again",
     "gyre captures to-dataset churn churn-fresh --labelled --from 2026-11-01", kToDataset,
     kToDatasetOptions, ToDataset},
    {"captures forget",
     "remove one person's rows and labels, at once and for good",
     "gyre captures forget --key 4711 --yes\ngyre captures forget --key 4711 --endpoint churn\n"
     "gyre captures forget --id 7f3f0e8d78d9c7e044ac81f23f7b5ccd --yes",
     {},
     kForgetOptions,
     Forget},
    {"feedback", "tell an endpoint what turned out to be true",
     "gyre feedback churn labels.csv\ncat labels.jsonl | gyre feedback churn -", kFeedback,
     kFeedbackOptions, Feedback, false, true},
};

}  // namespace

std::span<const Command> CapturesCommands() { return kCommands; }

}  // namespace gyre::cli
