// gyre predict, gyre explain: a model and a file of rows. `gyre explain` is also the long text of
// an error code.
#include <algorithm>

#include "base/shell.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/error_guide.h"
#include "cli/model_name.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kColumnsShown = 20;

std::string FormatOfFile(const std::string& file) {
  if (file.ends_with(".parquet")) return "parquet";
  if (file.ends_with(".jsonl") || file.ends_with(".ndjson")) return "jsonl";
  return "csv";
}

std::string ShownName(const std::string& file) {
  return file == "-" ? "standard input" : file.substr(file.rfind('/') + 1);
}

// Sends --in to a route that starts a job and waits for it; the job.
Result<Json> RunFileJob(Invocation& in, Session& session, const std::string& model,
                        std::string path, bool makes_file) {
  if (in.dry_run()) GYRE_DO(CheckModel(in, session, model));
  const std::string input = in.Get("in"), output = in.Get("out");
  path += "&filename=" + PercentEncode(ShownName(input));
  if (in.Has("bad")) path += "&bad=" + PercentEncode(in.Get("bad"));
  if (makes_file) session.WillWrite(output == "-" ? "standard output" : output);
  GYRE_TRY(const Json job, session.Upload(path, input, in.out()));
  auto ended = session.WaitJob(job, in.out());
  if (!ended && ended.error().gy() == "GY4026" && makes_file) {
    return Error(ended.error())
        .Fix(session.Repeatable(fmt::format("gyre jobs output {} --out {}",
                                            job["id"].AsString().substr(0, 8),
                                            output == "-" ? "FILE" : ShellWord(output))) +
             "   (fetch what it has made, within a day)");
  }
  if (!ended) return ended.error();
  for (const Json& note : (*ended)["result"]["notes"].items()) in.out().Note(note.AsString());
  for (const auto& [from, to] : (*ended)["result"]["renamed"].members())
    in.out().Note(fmt::format("the file's own `{}` stands under `{}`", from, to.AsString()));
  return ended;
}

Result<> Fetch(Invocation& in, Session& session, const Json& job) {
  return session.Download(fmt::format("/api/v1/projects/{}/predict/{}", PercentEncode(in.project()),
                                      job["id"].AsString()),
                          in.Get("out"), in.out());
}

Result<int> Predict(Invocation& in) {
  GYRE_TRY(const std::string output, OutFile(in));
  std::string format = FormatOfFile(output);
  if (in.out().json() && output == "-") format = "jsonl";  // -o json: an object a row
  if (in.Has("format")) format = in.Get("format");
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(
      const Json job,
      RunFileJob(in, *session, in.Get("MODEL"),
                 fmt::format("/api/v1/projects/{}/predict?model={}&output_format={}",
                             PercentEncode(in.project()), PercentEncode(in.Get("MODEL")), format),
                 true));
  GYRE_DO(Fetch(in, *session, job));
  if (output != "-")
    in.out().Done(
        fmt::format("scored {} with {} into {}", ShownName(in.Get("in")), in.Get("MODEL"), output));
  return 0;
}

// --- explain -------------------------------------------------------------------------------------

bool IsCode(std::string_view text) {
  return text.size() == 6 && (text.starts_with("GY") || text.starts_with("gy")) &&
         std::ranges::all_of(text.substr(2), [](char c) { return c >= '0' && c <= '9'; });
}

Result<int> ExplainCode(Invocation& in) {
  std::string code = in.Get("WHAT");
  for (char& c : code) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  const std::string_view text = ErrorGuide(code);
  if (text.empty())
    return NotFound("GY4012", "there is no error code `{}`", code).Fix("codes look like GY2041");
  in.out().Print(std::string(text) + "\n");
  return 0;
}

// Columns by what they add to all outputs together, with their share of it.
Json ShownColumns(const Json& outputs, std::size_t* all) {
  Json rows = Json::Arr();
  double total = 0;
  for (const Json& output : outputs.items()) {
    for (const Json& column : output["columns"].items()) total += column["mean_abs"].AsDouble();
  }
  std::vector<std::pair<double, Json>> sorted;
  for (const Json& first : outputs.items()[0]["columns"].items()) {
    double size = 0;
    for (const Json& output : outputs.items()) {
      for (const Json& column : output["columns"].items()) {
        if (column["column"] == first["column"]) size += column["mean_abs"].AsDouble();
      }
    }
    Json row = Json::Obj(
        {{"column", first["column"]}, {"mean_abs", size}, {"share", total > 0 ? size / total : 0}});
    if (outputs.size() == 1) row.Set("mean", first["mean"]);
    sorted.emplace_back(size, std::move(row));
  }
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) { return a.first > b.first; });
  *all = sorted.size();
  for (auto& [size, row] : sorted) {
    if (rows.size() < kColumnsShown) rows.Push(std::move(row));
  }
  return rows;
}

void ShowSummary(Output& out, const Json& result) {
  const Json& outputs = result["outputs"];
  std::string text =
      fmt::format("{} over {} rows; contributions count in {}\n", result["model"].AsString(),
                  GroupDigits(result["rows"].AsInt()), result["scale"].AsString());
  for (const Json& output : outputs.items())
    text +=
        fmt::format("base of {}: {:.4g}\n", output["output"].AsString(), output["base"].AsDouble());
  out.Print(text + "\n");
  std::size_t all = 0;
  const Json rows = ShownColumns(outputs, &all);
  std::vector<ColumnSpec> columns = {{"COLUMN", "column"},
                                     {"MEAN SIZE", "mean_abs", ColumnSpec::Format::kNumber},
                                     {"SHARE", "share", ColumnSpec::Format::kPercent}};
  if (outputs.size() == 1) columns.push_back({"MEAN", "mean", ColumnSpec::Format::kNumber});
  out.Table(columns, rows, "column");
  if (all > rows.size()) out.Note(fmt::format("{} more with -o json", all - rows.size()));
}

Result<int> Explain(Invocation& in) {
  if (IsCode(in.Get("WHAT"))) return ExplainCode(in);
  if (!in.Has("in")) {
    return InvalidArgument("GY4070", "`{}` is no error code, and a model is explained for rows",
                           in.Get("WHAT"))
        .Fix(fmt::format("gyre explain {} --in rows.csv", ShellWord(in.Get("WHAT"))))
        .Fix("gyre explain GY2041");
  }
  const bool makes_file = in.Has("out");
  GYRE_TRY(const std::string output, OutFile(in));
  NamedModel named = NameModel(in, in.Get("WHAT"));
  if (named.version.empty()) named.version = "champion";
  std::string path =
      fmt::format("/api/v1/projects/{}/models/{}/explain?version={}", PercentEncode(named.project),
                  PercentEncode(named.model), PercentEncode(named.version));
  if (makes_file)
    path += "&output_format=" + (in.Has("format") ? in.Get("format") : FormatOfFile(output));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job, RunFileJob(in, *session, in.Get("WHAT"), std::move(path), makes_file));
  const Json& result = job["result"];
  if (makes_file) {
    GYRE_DO(Fetch(in, *session, job));
    if (output == "-") return 0;
  }
  if (in.out().json())
    in.out().Document(result, "");
  else
    ShowSummary(in.out(), result);
  if (makes_file)
    in.out().Done(fmt::format("what each column added to each of {} rows is in {}",
                              GroupDigits(result["rows"].AsInt()), output));
  return 0;
}

constexpr Positional kModel[] = {
    {"MODEL", "a model: churn@champion, churn:v3, shop/churn@champion", true, false, "models"}};
constexpr Positional kWhat[] = {
    {"WHAT", "a model, or an error code as in error[GY2041]", true, false, "models"}};
constexpr Option kPredictOptions[] = {
    {"--in", "FILE", "rows to score: CSV, JSON lines or Parquet; - = standard input", "-", false,
     "file"},
    {"--out", "FILE", "where to write them with prediction and probability_*; - = standard output",
     "-", false, "file"},
    kForceOut,
    {"--format", "FORMAT", "of the answer: csv, jsonl or parquet; default: by the name of --out"},
    {"--bad", "HOW", "cells that cannot be read: error, or null to count them as missing"},
};
constexpr Option kExplainOptions[] = {
    {"--in",
     "FILE",
     "rows to explain: CSV, JSON lines or Parquet; - = standard input",
     {},
     false,
     "file"},
    {"--out",
     "FILE",
     "where to write them with what each column added; - = standard output",
     {},
     false,
     "file"},
    kForceOut,
    {"--format", "FORMAT", "of --out: csv, jsonl or parquet; default: by its name"},
    {"--bad", "HOW", "cells that cannot be read: error, or null to count them as missing"},
};
constexpr Command kCommands[] = {
    {"predict", "score a file with a model",
     "gyre predict churn@champion --in new.csv --out scored.csv\ncat new.csv | gyre predict "
     "churn:v3 > scored.csv",
     kModel, kPredictOptions, Predict, false, true},
    {"explain", "what each column adds to a model's answers, or what an error code means",
     "gyre explain churn@champion --in new.csv\ngyre explain churn:v3 --in new.csv --out "
     "why.parquet\ngyre explain GY2041",
     kWhat, kExplainOptions, Explain, false, true},
};

}  // namespace

std::span<const Command> PredictCommands() { return kCommands; }

}  // namespace gyre::cli
