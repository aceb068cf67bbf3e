// gyre add: a file or a folder becomes a version of a dataset.
#include <unistd.h>

#include <algorithm>

#include "base/shell.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/dataset_name.h"
#include "cli/datasets_text.h"
#include "cli/fetch.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/sources.h"
#include "cli/table_text.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kWarningsShown = 8;

// A temporary file that goes with the command.
struct TemporaryFile {
  std::string path;
  ~TemporaryFile() {
    if (!path.empty()) (void)exec::RemoveTree(path).has_value();
  }
};

// A file or folder, and the dataset that it belongs to.
struct Given {
  std::string file, dataset, source;
};

// Named itself, or by the source that it is.
Result<Given> GivenRows(Invocation& in) {
  if (in.Has("FILE") == in.Has("source"))
    return InvalidArgument("GY4069", "say either FILE or --source")
        .Fix("gyre add sales.csv")
        .Fix("gyre add --source NAME   (gyre sources lists them)");
  Given given{in.Get("FILE"), in.Get("name"), in.Get("source")};
  if (!given.source.empty()) {
    GYRE_TRY(Session* const session, in.session());
    GYRE_TRY(const SourceRows rows, FindSource(*session, in.project(), given.source));
    given.file = rows.path;
    if (given.dataset.empty()) given.dataset = rows.dataset;
  }
  while (given.file.size() > 1 && given.file.ends_with('/')) given.file.pop_back();
  if (given.dataset.empty())
    given.dataset = DatasetNameOf(IsUrl(given.file) ? FileNameOfUrl(given.file) : given.file);
  return given;
}

Result<std::string> UploadPath(const Invocation& in, const std::string& project, const Given& given,
                               const std::string& format) {
  const std::string& file = given.file;
  DatasetName target;
  target.project = project;
  target.dataset = given.dataset;
  GYRE_DO(CheckName("dataset", target.dataset));
  std::string query =
      "?filename=" + PercentEncode(file == "-"   ? target.dataset
                                   : IsUrl(file) ? FileNameOfUrl(file)
                                                 : file.substr(file.rfind('/') + 1));
  if (in.Has("bad")) query += "&bad=" + PercentEncode(in.Get("bad"));
  if (!format.empty()) query += "&format=" + PercentEncode(format);
  if (in.Has("target")) query += "&target=" + PercentEncode(in.Get("target"));
  for (const std::string& type : in.List("type")) query += "&type=" + PercentEncode(type);
  for (const std::string& tag : in.List("tag")) {
    const std::size_t at = tag.find('=');
    if (at == std::string::npos)
      return InvalidArgument("GY4060", "`{}` lacks a value", tag).Fix("--tag source=crm");
    query += "&tag=" + PercentEncode(tag.substr(0, at) + ":" + tag.substr(at + 1));
  }
  if (!given.source.empty()) query += "&tag=" + PercentEncode("source:" + given.source);
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
Result<int> AddDryRun(Invocation& in, const Given& given, const std::string& upload,
                      const std::string& format) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Session* const scratch, in.scratch_session());
  GYRE_TRY(const std::string path, UploadPath(in, in.project(), given, format));
  GYRE_TRY(const std::string scratch_path, UploadPath(in, "default", given, format));
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
  GYRE_TRY(const Given given, GivenRows(in));
  const std::string& file = given.file;
  std::string format = in.Get("format"), upload = file;
  TemporaryFile archive;
  if (IsUrl(file)) {
    GYRE_TRY(const config::Settings settings, in.LoadSettings());
    GYRE_TRY(archive.path, exec::MakeTemporaryDirectory());
    upload = archive.path + "/rows";
    GYRE_DO(FetchFile(file, upload, settings.Text("egress.allow"), in.out()));
  } else if (file != "-" && exec::FolderExists(file)) {
    GYRE_TRY(const auto files, table::ListTables(file));
    archive.path =
        fmt::format("{}/gyre-add-{}.tar", config::Environment("TMPDIR").value_or("/tmp"), getpid());
    in.out().Note(fmt::format("{} files", GroupDigits(static_cast<std::int64_t>(files.size()))));
    GYRE_DO(table::WriteTar(files, archive.path));
    upload = archive.path;
    format = "tar";
  } else if (file != "-" && !exec::FileExists(file)) {
    return NotFound("GY4061", "there is no file {}", file).Fix("gyre add PATH_OF_A_FILE_OR_FOLDER");
  }
  if (in.dry_run()) return AddDryRun(in, given, upload, format);
  const std::int64_t start_us = SystemClock().MonotonicMicros();
  GYRE_TRY(const std::string path, UploadPath(in, in.project(), given, format));
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
  in.out().Hint(fmt::format("gyre train {} --target {}", result["dataset"].AsString(),
                            in.Has("target") ? in.Get("target") : "COLUMN"));
  return 0;
}

constexpr Positional kFile[] = {{"FILE",
                                 "a file, a folder of files, https://..., or - for standard input",
                                 false, false, "file"}};
constexpr Option kAdd[] = {
    {"--name", "NAME", "the dataset's name; default: the file's"},
    {"--source", "NAME", "instead of FILE: a place that has a name (gyre sources)"},
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

constexpr Command kCommands[] = {
    {"add", "Add a file or folder as a new version of a dataset",
     "gyre add sales.csv\ngyre add sales.csv --name sales --type zip=text --bad null\ngyre add "
     "exports/ --name sales --tag month=2026-11\nzcat big.csv.gz | gyre add - --name big",
     kFile, kAdd, Add, false, true},
};

}  // namespace

std::span<const Command> AddCommands() { return kCommands; }

}  // namespace gyre::cli
