// gyre datasets: tables, their versions, what they look like and what they must be like.
#include "base/text.h"
#include "cli/cell_rows.h"
#include "cli/command.h"
#include "cli/dataset_name.h"
#include "cli/datasets_text.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "cli/small_file.h"
#include "cli/table_text.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get("/api/v1/projects/" + PercentEncode(in.project()) +
                                           "/datasets?limit=1000"));
  in.out().Table({{"NAME", "name"},
                  {"VERSION", "latest.version"},
                  {"ROWS", "latest.rows", ColumnSpec::Format::kCount},
                  {"COLUMNS", "latest.columns", ColumnSpec::Format::kCount},
                  {"SIZE", "latest.bytes", ColumnSpec::Format::kBytes},
                  {"ADDED", "latest.created_at", ColumnSpec::Format::kTime},
                  {"SOURCE", "latest.source_name", ColumnSpec::Format::kText, true},
                  {"CONTENT", "latest.content_hash", ColumnSpec::Format::kText, true}},
                 answer["items"]);
  return 0;
}

Result<int> Show(Invocation& in) {
  const DatasetName target = NameDataset(in);
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json version, session->Get(target.version_path()));
  GYRE_TRY(const Json profile, session->Get(target.version_path() + "/profile"));
  in.out().Document(version, VersionText(version, profile, in.out()));
  return 0;
}

Result<int> Profile(Invocation& in) {
  const DatasetName target = NameDataset(in);
  GYRE_TRY(Session* const session, in.session());
  const std::string query = in.Has("target") ? "?target=" + PercentEncode(in.Get("target")) : "";
  GYRE_TRY(const Json profile, session->Get(target.version_path() + "/profile" + query));
  in.out().Document(profile, ProfileText(profile, in.out()));
  return 0;
}

Result<int> Versions(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(NameDataset(in).path() + "/versions?limit=1000"));
  in.out().Table({{"VERSION", "version"},
                  {"ROWS", "rows", ColumnSpec::Format::kCount},
                  {"COLUMNS", "columns", ColumnSpec::Format::kCount},
                  {"SIZE", "bytes", ColumnSpec::Format::kBytes},
                  {"SOURCE", "source_name"},
                  {"BY", "created_by"},
                  {"ADDED", "created_at", ColumnSpec::Format::kTime},
                  {"SET ASIDE", "rows_quarantined", ColumnSpec::Format::kCount, true},
                  {"CONTENT", "content_hash", ColumnSpec::Format::kText, true}},
                 answer["items"], "reference");
  return 0;
}

Result<int> Diff(Invocation& in) {
  const DatasetName target = NameDataset(in);
  std::string from = in.Has("FROM") ? in.Get("FROM") : "";
  std::string to = in.Has("TO") ? in.Get("TO") : target.version;
  // Two references: from the first one to the second.
  if (from.find(':') != std::string::npos && !in.Has("TO") && target.version != "latest") {
    to = from;
    from = target.version;
  }
  for (std::string* const version : {&from, &to}) {
    const std::size_t colon = version->find(':');
    if (colon == std::string::npos) continue;
    const std::string name = version->substr(0, colon);
    if (name != target.dataset && name != target.project + "/" + target.dataset) {
      return InvalidArgument("GY4065", "`{}` is a version of another dataset than `{}`", *version,
                             target.dataset)
          .Fix(fmt::format("gyre datasets diff {} v1 v2", target.dataset));
    }
    version->erase(0, colon + 1);
  }
  GYRE_TRY(Session* const session, in.session());
  std::string query = "?to=" + PercentEncode(to);
  if (!from.empty()) query += "&from=" + PercentEncode(from);
  GYRE_TRY(const Json diff, session->Get(target.path() + "/diff" + query));
  in.out().Document(diff, DiffText(diff));
  return 0;
}

Result<int> Rows(Invocation& in) {
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer,
           session->Get(fmt::format("{}/rows?limit={}", NameDataset(in).version_path(), limit)));
  ShowRows(answer, in.out());
  return 0;
}

Result<int> Export(Invocation& in) {
  const DatasetName target = NameDataset(in);
  GYRE_TRY(const std::string file, OutFile(in));
  const std::string format = TableFormatOf(in, file);
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->Download(target.version_path() + "/export?format=" + PercentEncode(format), file,
                            in.out()));
  if (file != "-") in.out().Done(fmt::format("wrote {}", file));
  return 0;
}

Result<int> Check(Invocation& in) {
  const DatasetName target = NameDataset(in);
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job, session->Post(target.version_path() + "/check", Json::Obj()));
  GYRE_TRY(const Json done, session->WaitJob(job, in.out()));
  const Json& result = done["result"];
  in.out().Document(result, CheckText(result, in.out()));
  return result["success"].AsBool() ? 0 : kFindingsExit;
}

Result<int> Expectations(Invocation& in) {
  const DatasetName target = NameDataset(in);
  GYRE_TRY(Session* const session, in.session());
  if (!in.Has("set")) {
    GYRE_TRY(const Json suite, session->Get(target.path() + "/expectations"));
    in.out().Document(suite, suite.DumpPretty() + "\n");
    return 0;
  }
  GYRE_TRY(const std::string text, ReadNamedFile(in.Get("set")));
  GYRE_TRY(const Json suite, Json::Parse(text));
  GYRE_TRY(const Json stored, session->Put(target.path() + "/expectations",
                                           Json::Obj({{"expectations", suite["expectations"]}})));
  for (const Json& warning : stored["warnings"].items()) in.out().Warn(warning.AsString());
  in.out().Done(fmt::format("dataset {}   {} expectations, suite {}", target.dataset,
                            stored["expectations"].size(), stored["number"].AsInt()));
  return 0;
}

Result<int> Quarantine(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer,
           session->Get(NameDataset(in).version_path() + "/quarantine?limit=1000"));
  in.out().Table({{"FILE", "file"}, {"LINE", "line"}, {"REASON", "reason"}, {"ROW", "text"}},
                 answer["items"], "line");
  const auto shown = static_cast<std::int64_t>(answer["items"].size());
  if (answer["rows_quarantined"].AsInt() > shown)
    in.out().Note(fmt::format("{} in all", GroupDigits(answer["rows_quarantined"].AsInt())));
  return 0;
}

Result<int> Tag(Invocation& in) {
  Json tags = Json::Obj();
  for (const std::string& tag : in.List("TAG")) {
    const std::size_t at = tag.find('=');
    if (at == std::string::npos)
      return InvalidArgument("GY4060", "`{}` lacks a value", tag)
          .Fix("source=crm, or source= to remove it");
    tags.Set(tag.substr(0, at), tag.substr(at + 1));
  }
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json version, session->Put(NameDataset(in).version_path() + "/tags", tags));
  in.out().Done(
      fmt::format("dataset {}   {}", version["reference"].AsString(), version["tags"].Dump()));
  return 0;
}

Result<int> Remove(Invocation& in) {
  const DatasetName target = NameDataset(in);
  const bool whole = in.Get("DATASET").find(':') == std::string::npos;
  const std::string what =
      whole ? target.dataset + " with all its versions" : target.dataset + ":" + target.version;
  GYRE_DO(in.Confirm("remove dataset " + what, target.dataset));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Delete((whole ? target.path() : target.version_path()) +
                                            (in.Has("force") ? "?force=true" : "")));
  SayRemoved(in.out(), "dataset " + what, gone);
  return 0;
}

constexpr Positional kDataset[] = {{"DATASET", "name, or name:v3", true, false, "datasets"}};
constexpr Positional kDiff[] = {{"DATASET", "name of the dataset", true, false, "datasets"},
                                {"FROM", "v1; default: the one before", false},
                                {"TO", "v2; default: the latest", false}};
constexpr Positional kTags[] = {{"DATASET", "name, or name:v3", true, false, "datasets"},
                                {"TAG", "key=value; key= removes it", true, true}};
constexpr Option kTarget[] = {
    {"--target", "COLUMN", "association of each column with it, and leaks"}};
constexpr Option kFewRows[] = {{"-n,--limit", "N", "rows at most", "20"}};
constexpr Option kExport[] = {
    {"--format", "FORMAT", "csv, jsonl or parquet; default: by the file's name, else csv"},
    {"--out", "FILE", "where to; default, and -: standard output", {}, false, "file"},
    kForceOut};
constexpr Option kRemove[] = {kForce};
constexpr Option kSet[] = {{"--set", "FILE", "a suite as JSON", {}, false, "file"}};

constexpr Command kCommands[] = {
    {"datasets ls", "List datasets", "gyre datasets\ngyre datasets ls -o json", {}, {}, List},
    {"datasets show",
     "Show one version: schema, size, warnings",
     "gyre datasets show sales\ngyre datasets show sales:v2",
     kDataset,
     {},
     Show},
    {"datasets profile", "Statistics of each column",
     "gyre datasets profile sales\ngyre datasets profile sales --target churn", kDataset, kTarget,
     Profile},
    {"datasets rows", "The first rows of a version", "gyre datasets rows sales -n 5", kDataset,
     kFewRows, Rows},
    {"datasets versions",
     "List the versions of a dataset",
     "gyre datasets versions sales",
     kDataset,
     {},
     Versions},
    {"datasets diff",
     "What changed between two versions",
     "gyre datasets diff sales v1 v2\ngyre datasets diff sales",
     kDiff,
     {},
     Diff},
    {"datasets export", "Write a version as csv, jsonl or parquet",
     "gyre datasets export sales --out sales.parquet\ngyre datasets export sales:v2 --format jsonl",
     kDataset, kExport, Export, false, true},
    {"datasets check",
     "Check a version against its expectations; exit code 5 when it fails",
     "gyre datasets check sales\ngyre datasets check sales:v2 -o json",
     kDataset,
     {},
     Check,
     false,
     true},
    {"datasets expectations", "Show or set what a dataset must be like",
     "gyre datasets expectations sales > suite.json\ngyre datasets expectations sales --set "
     "suite.json",
     kDataset, kSet, Expectations},
    {"datasets quarantine",
     "Rows that were set aside, with reasons",
     "gyre datasets quarantine sales:v2",
     kDataset,
     {},
     Quarantine},
    {"datasets tag",
     "Set tags of a version",
     "gyre datasets tag sales:v2 source=crm",
     kTags,
     {},
     Tag},
    {"datasets rm", "Remove a dataset, or one version; gyre undelete brings it back",
     "gyre datasets rm sales:v1 --yes\ngyre datasets rm sales --yes", kDataset, kRemove, Remove},
};

}  // namespace

std::span<const Command> DatasetsCommands() { return kCommands; }

}  // namespace gyre::cli
