// gyre add, gyre datasets, gyre query: tables, their versions, what they look like and what they
// must be like.
#include <unistd.h>

#include <algorithm>

#include "base/shell.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cell_rows.h"
#include "cli/command.h"
#include "cli/datasets_text.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/small_file.h"
#include "cli/table_text.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;
constexpr std::size_t kWarningsShown = 8;

// A temporary file that goes with the command.
struct TemporaryFile {
  std::string path;
  ~TemporaryFile() {
    if (!path.empty()) (void)exec::RemoveTree(path).has_value();
  }
};

// "[project/]name[:vN]" as a path of the API.
struct Target {
  std::string project, dataset, version = "latest";
  std::string path() const {
    return fmt::format("/api/v1/projects/{}/datasets/{}", PercentEncode(project),
                       PercentEncode(dataset));
  }
  std::string version_path() const { return path() + "/versions/" + PercentEncode(version); }
};

Target TargetOf(const Invocation& in, std::string_view name = "DATASET") {
  Target target;
  target.project = in.project();
  target.dataset = in.Get(name);
  if (const std::size_t slash = target.dataset.find('/'); slash != std::string::npos) {
    target.project = target.dataset.substr(0, slash);
    target.dataset.erase(0, slash + 1);
  }
  if (const std::size_t colon = target.dataset.find(':'); colon != std::string::npos) {
    target.version = target.dataset.substr(colon + 1);
    target.dataset.resize(colon);
  }
  return target;
}

Result<std::string> UploadPath(const Invocation& in, const std::string& project,
                               const std::string& file, const std::string& format) {
  Target target;
  target.project = project;
  target.dataset = in.Has("name") ? in.Get("name") : DatasetNameOf(file);
  GYRE_DO(CheckName("dataset", target.dataset));
  std::string query =
      "?filename=" + PercentEncode(file == "-" ? target.dataset : file.substr(file.rfind('/') + 1));
  if (in.Has("bad")) query += "&bad=" + PercentEncode(in.Get("bad"));
  if (!format.empty()) query += "&format=" + PercentEncode(format);
  if (in.Has("target")) query += "&target=" + PercentEncode(in.Get("target"));
  for (const std::string& type : in.List("type")) query += "&type=" + PercentEncode(type);
  for (const std::string& tag : in.List("tag")) {
    const std::size_t at = tag.find('=');
    if (at == std::string::npos)
      return InvalidArgument("GY4060", "`--tag {}` lacks a value", tag).Fix("--tag source=crm");
    query += "&tag=" + PercentEncode(tag.substr(0, at) + ":" + tag.substr(at + 1));
  }
  return target.path() + "/versions" + query;
}

void ShowWarnings(const Json& warnings, Output& out) {
  std::size_t shown = 0;
  for (const Json& warning : warnings.items()) {
    if (shown++ == kWarningsShown) break;
    if (warning["severity"].AsString() == "high") {
      out.Warn(OneLineText(warning["message"].AsString()));
    } else {
      out.Note(fmt::format("  {} {}", out.Mark("dot"), OneLineText(warning["message"].AsString())));
    }
  }
  if (warnings.size() > kWarningsShown)
    out.Note(fmt::format("  {} {} more: gyre datasets profile", out.Mark("dot"),
                         warnings.size() - kWarningsShown));
}

// What the expectations made of the rows, and how to have it otherwise. `again`: gyre add ... of
// the same file.
void ShowChecked(const Json& result, const std::string& again, Output& out) {
  const std::string reference = result["reference"].AsString();
  const auto rows = [](std::int64_t count) {
    return fmt::format("{} row{}", GroupDigits(count), count == 1 ? "" : "s");
  };
  const std::int64_t aside = result["rows_quarantined"].AsInt();
  if (aside > 0 && result["unchanged"].AsBool()) {
    out.Warn(fmt::format("{} of the file {} set aside: the others are those of {}", rows(aside),
                         aside == 1 ? "was" : "were", reference));
    for (const Json& row : result["quarantine"].items()) {
      out.Note(fmt::format("  {} {}:{} {}", out.Mark("dot"), row["file"].AsString(),
                           row["line"].AsInt(), OneLineText(row["reason"].AsString())));
    }
  } else if (aside > 0) {
    out.Warn(fmt::format("{} {} set aside: gyre datasets quarantine {}", rows(aside),
                         aside == 1 ? "was" : "were", reference));
  }
  const Json& check = result["check"];
  if (result["unchanged"].AsBool() || !check.is_object() || check["success"].AsBool()) return;
  const std::int64_t broken = check["rows_broken"].AsInt(), failed = check["failed"].AsInt();
  out.Warn(fmt::format("{} expectation{} of {} ({}) fail{}: gyre datasets check {}", failed,
                       failed == 1 ? "" : "s", result["dataset"].AsString(),
                       check["origin"].AsString(), failed == 1 ? "s" : "", reference));
  if (broken == 0) return;
  out.Note(fmt::format("  {} {} that break{} one {} kept; to set such rows aside: {}",
                       out.Mark("dot"), rows(broken), broken == 1 ? "s" : "",
                       broken == 1 ? "was" : "were", again));
}

void ShowAdded(const Json& result, double seconds, Output& out) {
  const std::string reference = result["reference"].AsString();
  const std::string size =
      fmt::format("{} rows {} {} columns", GroupDigits(result["rows"].AsInt()),
                  out.Mark("dot") == "·" ? "×" : "x", result["columns"].AsInt());
  if (result["unchanged"].AsBool()) {
    out.Done(fmt::format("dataset {}   {}   unchanged: the same content is there already",
                         reference, size));
    for (const auto& [name, value] : result["tags_set"].members())
      out.Note(fmt::format("  {} tag {}={} was set", out.Mark("dot"), name, value.AsString()));
    return;
  }
  const Json& warnings = result["warnings"];
  std::string line = fmt::format("dataset {}   {}   {}", reference, size, HumanSeconds(seconds));
  if (warnings.size() > 0)
    line += fmt::format("   {} warning{}", warnings.size(), warnings.size() == 1 ? "" : "s");
  out.Done(line);
  for (const Json& note : result["notes"].items())
    out.Note(fmt::format("  {} {}", out.Mark("dot"), note.AsString()));
  ShowWarnings(warnings, out);
}

// What a version is, as an empty data directory says that has only just taken it.
Result<Json> TriedVersion(Session& scratch, const std::string& path, const std::string& upload,
                          Output& out, Json* profile) {
  GYRE_TRY(const Json job, scratch.Upload(path, upload, out));
  GYRE_TRY(const Json done, scratch.WaitJob(job, out));
  const std::string version = fmt::format("/api/v1/projects/default/datasets/{}/versions/latest",
                                          PercentEncode(done["result"]["dataset"].AsString()));
  GYRE_TRY(*profile, scratch.Get(version + "/profile"));
  return scratch.Get(version);
}

// How the version in `scratch` does by the expectations that the dataset has; null without any.
Result<Json> TriedSuite(Session& session, Session& scratch, const std::string& dataset_path,
                        const Json& version, Output& out) {
  const auto suite = session.Get(dataset_path + "/expectations");
  if (!suite && suite.error().code() == Code::kNotFound) return Json();
  if (!suite) return suite.error();
  const std::string path =
      "/api/v1/projects/default/datasets/" + PercentEncode(version["dataset"].AsString());
  const Json body = Json::Obj({{"expectations", (*suite)["expectations"]}});
  GYRE_TRY(const Json stored, scratch.Put(path + "/expectations", body));
  GYRE_TRY(const Json job, scratch.Post(path + "/versions/latest/check", Json::Obj()));
  GYRE_TRY(Json done, scratch.WaitJob(job, out));
  Json check = done["result"];
  check.Set("origin", (*suite)["origin"]);
  return check;
}

// The file is read into a directory of its own, and compared with the versions that are there.
Result<int> AddDryRun(Invocation& in, const std::string& file, const std::string& upload,
                      const std::string& format) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Session* const scratch, in.scratch_session());
  GYRE_TRY(const std::string path, UploadPath(in, in.project(), file, format));
  GYRE_TRY(const std::string scratch_path, UploadPath(in, "default", file, format));
  Json profile;
  GYRE_TRY(Json version, TriedVersion(*scratch, scratch_path, upload, in.out(), &profile));
  const std::string versions = path.substr(0, path.find('?'));
  const auto there = session->Get(versions + "?limit=1000");
  std::int64_t newest = 0;
  std::string same;
  if (!there && there.error().code() != Code::kNotFound) return there.error();
  for (const Json& known : there ? (*there)["items"].items() : Json::Array()) {
    newest = std::max(newest, ParseInt(known["version"].AsString().substr(1)).value_or(0));
    if (known["content_hash"] == version["content_hash"]) same = known["reference"].AsString();
  }
  const std::string& name = version["dataset"].AsString();
  const std::string reference = same.empty() ? fmt::format("{}:v{}", name, newest + 1) : same;
  version.Set("reference", reference).Set("version", reference.substr(reference.rfind(':') + 1));
  profile.Set("version", version["version"]);
  const std::string verdict =
      same.empty() ? fmt::format("would add {}, a new version\n", reference)
                   : fmt::format("would add nothing: the same content is {} already\n", reference);
  GYRE_TRY(Json check, TriedSuite(*session, *scratch, versions.substr(0, versions.rfind('/')),
                                  version, in.out()));
  version.Set("check", check);
  std::string text = verdict + VersionText(version, profile, in.out());
  if (check.is_object()) text += CheckText(check.Set("reference", reference), in.out());
  const bool aside =
      in.Has("bad") ? in.Get("bad") == "quarantine" : check["origin"].AsString().starts_with("set");
  if (aside && check["rows_broken"].AsInt() > 0)
    text += "  rows that break an expectation would be set aside; --bad error keeps them\n";
  in.out().Document(
      Json::Obj({{"dry_run", true}, {"unchanged", !same.empty()}, {"version", version}}), text);
  return 0;
}

Result<int> Add(Invocation& in) {
  const std::string given = in.Get("FILE");
  std::string file = given;
  while (file.size() > 1 && file.ends_with('/')) file.pop_back();
  std::string format = in.Get("format"), upload = file;
  TemporaryFile archive;
  if (file != "-" && exec::FolderExists(file)) {
    GYRE_TRY(const auto files, table::ListTables(file));
    archive.path =
        fmt::format("{}/gyre-add-{}.tar", config::Environment("TMPDIR").value_or("/tmp"), getpid());
    in.out().Note(fmt::format("{} files", GroupDigits(static_cast<std::int64_t>(files.size()))));
    GYRE_DO(table::WriteTar(files, archive.path));
    upload = archive.path;
    format = "tar";
  } else if (file != "-" && !exec::FileExists(file)) {
    return NotFound("GY4061", "there is no file {}", given)
        .Fix("gyre add PATH_OF_A_FILE_OR_FOLDER");
  }
  if (in.dry_run()) return AddDryRun(in, file, upload, format);
  const std::int64_t start_us = SystemClock().MonotonicMicros();
  GYRE_TRY(const std::string path, UploadPath(in, in.project(), file, format));
  GYRE_TRY(Session* const session, in.session());
  const auto job = session->Upload(path, upload, in.out());
  if (!job && job.error().gy() == "GY4066")
    return Error(Code::kCancelled, "GY4067", "stopped; nothing was added");
  if (!job) return job.error();
  GYRE_TRY(const Json done, session->WaitJob(*job, in.out()));
  const Json& result = done["result"];
  const double seconds =
      static_cast<double>(SystemClock().MonotonicMicros() - start_us) / kMicrosPerSecond;
  ShowAdded(result, seconds, in.out());
  ShowChecked(result,
              session->Repeatable(fmt::format("gyre add {} --name {} --bad quarantine",
                                              ShellWord(file), result["dataset"].AsString())),
              in.out());
  if (in.out().json()) in.out().Document(result, "");
  in.out().Hint(fmt::format("gyre train {} --target COLUMN", result["dataset"].AsString()));
  return 0;
}

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
  const Target target = TargetOf(in);
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json version, session->Get(target.version_path()));
  GYRE_TRY(const Json profile, session->Get(target.version_path() + "/profile"));
  in.out().Document(version, VersionText(version, profile, in.out()));
  return 0;
}

Result<int> Profile(Invocation& in) {
  const Target target = TargetOf(in);
  GYRE_TRY(Session* const session, in.session());
  const std::string query = in.Has("target") ? "?target=" + PercentEncode(in.Get("target")) : "";
  GYRE_TRY(const Json profile, session->Get(target.version_path() + "/profile" + query));
  in.out().Document(profile, ProfileText(profile, in.out()));
  return 0;
}

Result<int> Versions(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(TargetOf(in).path() + "/versions?limit=1000"));
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
  const Target target = TargetOf(in);
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

// --format, else what the name of the file says.
std::string FormatOf(const Invocation& in, const std::string& file) {
  if (in.Has("format")) return in.Get("format");
  for (const std::string_view known : {"csv", "jsonl", "parquet"}) {
    if (file.ends_with("." + std::string(known))) return std::string(known);
  }
  return "csv";
}

Result<int> Query(Invocation& in) {
  Json body = Json::Obj({{"sql", in.Get("SQL")}});
  const bool to_file = in.Has("out") || in.Has("format");
  GYRE_TRY(const std::string file, OutFile(in));
  if (to_file) body.Set("format", FormatOf(in, file));
  if (!to_file || in.Has("limit")) {
    GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
    body.Set("limit", limit);
  }
  GYRE_TRY(Session* const session, in.session());
  const std::string path = "/api/v1/projects/" + PercentEncode(in.project()) + "/query";
  GYRE_TRY(const Json job, session->Post(path + "?wait=false", body));
  const std::string& id = job["id"].AsString();
  const auto ended = session->WaitJob(job, in.out());
  if (!ended && ended.error().gy() == "GY4026") {
    return Error(ended.error())
        .Fix(session->Repeatable(
                 fmt::format("gyre jobs output {} --out {}", id.substr(0, 8), ShellWord(file))) +
             "   (fetch its answer, within a day)");
  }
  if (!ended) return ended.error();
  const std::string answer_path = path + "/" + PercentEncode(id);
  if (to_file) {
    GYRE_DO(session->Download(answer_path, file, in.out()));
    if (file != "-")
      in.out().Done(fmt::format("wrote {} rows into {}",
                                GroupDigits((*ended)["result"]["rows"].AsInt()), file));
    return 0;
  }
  GYRE_TRY(const Json answer, session->Get(answer_path));
  ShowRows(answer, in.out());
  return 0;
}

Result<int> Rows(Invocation& in) {
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer,
           session->Get(fmt::format("{}/rows?limit={}", TargetOf(in).version_path(), limit)));
  ShowRows(answer, in.out());
  return 0;
}

Result<int> Export(Invocation& in) {
  const Target target = TargetOf(in);
  GYRE_TRY(const std::string file, OutFile(in));
  const std::string format = FormatOf(in, file);
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->Download(target.version_path() + "/export?format=" + PercentEncode(format), file,
                            in.out()));
  if (file != "-") in.out().Done(fmt::format("wrote {}", file));
  return 0;
}

Result<int> Check(Invocation& in) {
  const Target target = TargetOf(in);
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job, session->Post(target.version_path() + "/check", Json::Obj()));
  GYRE_TRY(const Json done, session->WaitJob(job, in.out()));
  const Json& result = done["result"];
  in.out().Document(result, CheckText(result, in.out()));
  return result["success"].AsBool() ? 0 : kFindingsExit;
}

Result<int> Expectations(Invocation& in) {
  const Target target = TargetOf(in);
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
  in.out().Done(fmt::format("dataset {}   {} expectations, suite {}", target.dataset,
                            stored["expectations"].size(), stored["number"].AsInt()));
  return 0;
}

Result<int> Quarantine(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(TargetOf(in).version_path() + "/quarantine?limit=1000"));
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
  GYRE_TRY(const Json version, session->Put(TargetOf(in).version_path() + "/tags", tags));
  in.out().Done(
      fmt::format("dataset {}   {}", version["reference"].AsString(), version["tags"].Dump()));
  return 0;
}

Result<int> Remove(Invocation& in) {
  const Target target = TargetOf(in);
  const bool whole = in.Get("DATASET").find(':') == std::string::npos;
  const std::string what =
      whole ? target.dataset + " with all its versions" : target.dataset + ":" + target.version;
  GYRE_DO(in.Confirm("remove dataset " + what, target.dataset));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Delete((whole ? target.path() : target.version_path()) +
                                            (in.Has("force") ? "?force=true" : "")));
  in.out().Done("removed dataset " + what);
  return 0;
}

constexpr Positional kFile[] = {
    {"FILE", "a file, a folder of files, or - for standard input", true, false, "file"}};
constexpr Positional kDataset[] = {{"DATASET", "name, or name:v3", true, false, "datasets"}};
constexpr Positional kDiff[] = {{"DATASET", "name of the dataset", true, false, "datasets"},
                                {"FROM", "v1; default: the one before", false},
                                {"TO", "v2; default: the latest", false}};
constexpr Positional kTags[] = {{"DATASET", "name, or name:v3", true, false, "datasets"},
                                {"TAG", "key=value; key= removes it", true, true}};
constexpr Positional kSql[] = {
    {"SQL", "one SELECT; datasets are tables, \"name:v2\" an older version"}};
constexpr Option kAdd[] = {
    {"--name", "NAME", "the dataset's name; default: the file's"},
    {"--bad", "HOW",
     "cells that are not of their column's type: error, null or quarantine (sets rows aside, also "
     "those that break an expectation); default: error, and quarantine where expectations were "
     "set"},
    {"--type",
     "COLUMN=TYPE",
     "bool, int, double (also double:1.234,5), text, date (also date:%d/%m/%Y) or timestamp; "
     "repeat it for more",
     {},
     true},
    {"--tag", "KEY=VALUE", "kept with the version; repeat it for more", {}, true},
    {"--target", "COLUMN", "what will be predicted: columns that give it away are warned of"},
    {"--format", "FORMAT", "csv, jsonl or parquet; default: by content"}};
constexpr Option kTarget[] = {
    {"--target", "COLUMN", "association of each column with it, and leaks"}};
constexpr Option kFewRows[] = {{"-n,--limit", "N", "rows at most", "20"}};
constexpr Option kExport[] = {
    {"--format", "FORMAT", "csv, jsonl or parquet; default: by the file's name, else csv"},
    {"--out", "FILE", "where to; default, and -: standard output", {}, false, "file"},
    kForceOut};
constexpr Option kQuery[] = {
    {"-n,--limit", "N", "rows at most, up to 10,000; default: 1000, and all with --out", "1000"},
    {"--out", "FILE", "all rows into a file; - = standard output", {}, false, "file"},
    {"--format", "FORMAT",
     "of --out: csv, jsonl or parquet; default: by the file's name, else csv"},
    kForceOut};
constexpr Option kRemove[] = {{"--force", "", "although models were made from it; they stay"}};
constexpr Option kSet[] = {{"--set", "FILE", "a suite as JSON", {}, false, "file"}};

constexpr Command kCommands[] = {
    {"add", "Add a file or folder as a new version of a dataset",
     "gyre add sales.csv\ngyre add sales.csv --name sales --type zip=text --bad null\ngyre add "
     "exports/ --name sales --tag month=2026-11\nzcat big.csv.gz | gyre add - --name big",
     kFile, kAdd, Add, false, true},
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
    {"datasets query", "Run one SELECT over datasets",
     "gyre datasets query 'select count(*) from sales'", kSql, kQuery, Query, false, true},
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
    {"datasets rm", "Remove a dataset, or one version",
     "gyre datasets rm sales:v1 --yes\ngyre datasets rm sales --yes", kDataset, kRemove, Remove},
    {"query", "Run one SELECT over datasets",
     "gyre query 'select plan, avg(age) from customers group by plan'\ngyre query 'select * from "
     "\"sales:v1\"' -o csv\ngyre query 'select * from sales where region = 3' --out region.parquet",
     kSql, kQuery, Query, false, true},
};

}  // namespace

std::span<const Command> DatasetsCommands() { return kCommands; }

}  // namespace gyre::cli
