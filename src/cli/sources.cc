// gyre sources: named places that rows come from.
#include "cli/sources.h"

#include "base/shell.h"
#include "base/text.h"
#include "cli/apply/actual.h"
#include "cli/command.h"
#include "cli/fetch.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

std::string DeclarationsPath(const std::string& project) {
  return apply::ProjectPath(project) + "/declarations";
}
std::string SourcePath(const Invocation& in) {
  return apply::ThingPath(in.project(), "declarations/sources", in.Get("SOURCE"));
}

Result<Json> Find(Session& session, const std::string& project, const std::string& name) {
  GYRE_TRY(const Json answer, session.Get(DeclarationsPath(project) + "?kind=sources"));
  std::vector<std::string> known;
  for (const Json& source : answer["items"].items()) {
    if (source["name"].AsString() == name) return source;
    known.push_back(source["name"].AsString());
  }
  Error error = NotFound("GY4914", "there is no source `{}` in project `{}`", name, project);
  if (const auto close = ClosestMatch(name, known))
    return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
  return Error(std::move(error).Fix("gyre sources"));
}

// Datasets whose newest version was read from it.
Result<Json> DatasetsOf(Session& session, const std::string& project, const std::string& name) {
  GYRE_TRY(const Json items, apply::ListOf(session, apply::ProjectPath(project) + "/datasets"));
  Json datasets = Json::Arr();
  for (const Json& item : items.items())
    if (item["latest"]["tags"]["source"].AsString() == name)
      datasets.Push(item["latest"]["reference"]);
  return datasets;
}

const std::string& PlaceOf(const Json& spec) {
  return spec[spec.Has("url") ? "url" : "path"].AsString();
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(DeclarationsPath(in.project()) + "?kind=sources"));
  Json sources = Json::Arr();
  for (const Json& item : answer["items"].items()) {
    Json source = item;
    sources.Push(source.Set("place", PlaceOf(item["spec"])));
  }
  in.out().Table({{"NAME", "name"},
                  {"PLACE", "place"},
                  {"BY", "applied_by"},
                  {"DECLARED", "applied_at", ColumnSpec::Format::kTime},
                  {"DESCRIPTION", "spec.description"}},
                 sources);
  if (answer["items"].size() == 0) in.out().Hint("gyre sources add NAME PATH");
  return 0;
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json source, Find(*session, in.project(), in.Get("SOURCE")));
  GYRE_TRY(Json datasets, DatasetsOf(*session, in.project(), in.Get("SOURCE")));
  std::string text =
      fmt::format("source       {}\n{:<12} {}\n", source["name"].AsString(),
                  source["spec"].Has("url") ? "url" : "path", PlaceOf(source["spec"]));
  if (const std::string& what = source["spec"]["description"].AsString(); !what.empty())
    text += fmt::format("description  {}\n", what);
  for (const Json& dataset : datasets.items())
    text += fmt::format("read into    {}\n", dataset.AsString());
  source.Set("datasets", std::move(datasets));
  in.out().Document(source, text);
  return 0;
}

Result<int> Add(Invocation& in) {
  const bool url = IsUrl(in.Get("PATH"));
  const std::string path = url ? in.Get("PATH") : config::AbsolutePath(in.Get("PATH"));
  if (!url && !exec::FileExists(path) && !exec::FolderExists(path))
    return NotFound("GY4061", "there is no file or folder {}", in.Get("PATH"));
  Json spec = Json::Obj();
  spec.Set(url ? "url" : "path", path);
  if (in.Has("description")) spec.Set("description", in.Get("description"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json source, session->Put(SourcePath(in), Json::Obj({{"spec", std::move(spec)}})));
  if (in.out().json()) in.out().Document(source, "");
  in.out().Done(fmt::format("source {}   {}", in.Get("SOURCE"), path));
  in.out().Hint(fmt::format("gyre add --source {}", ShellWord(in.Get("SOURCE"))));
  return 0;
}

Result<int> Remove(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY([[maybe_unused]] const Json source, Find(*session, in.project(), in.Get("SOURCE")));
  GYRE_DO(in.Confirm("remove source " + in.Get("SOURCE"), in.Get("SOURCE")));
  GYRE_TRY(const Json gone, session->Delete(SourcePath(in)));
  SayRemoved(in.out(), "source " + in.Get("SOURCE"), gone);
  return 0;
}

constexpr Positional kSource[] = {{"SOURCE", "name of the source"}};
constexpr Positional kNewSource[] = {
    {"SOURCE", "name of the source"},
    {"PATH", "a file, a folder of tables, or https://...", true, false, "file"}};
constexpr Option kAdd[] = {{"--description", "TEXT", "what the rows are, and who makes them"}};
constexpr Command kCommands[] = {
    {"sources ls", "named places that rows come from", "gyre sources", {}, {}, List},
    {"sources show",
     "one source, and what was read from it",
     "gyre sources show crm",
     kSource,
     {},
     Show},
    {"sources add", "name a file, a folder of tables or a file on the web",
     "gyre sources add crm exports/customers.csv\ngyre sources add weather "
     "https://example.org/weather.csv\ngyre add --source crm",
     kNewSource, kAdd, Add},
    {"sources rm",
     "remove a source; what was read from it stays, and gyre undelete brings it back",
     "gyre sources rm crm --yes",
     kSource,
     {},
     Remove},
};

}  // namespace

Result<SourceRows> FindSource(Session& session, const std::string& project,
                              const std::string& name) {
  GYRE_TRY(const Json source, Find(session, project, name));
  GYRE_TRY(const Json datasets, DatasetsOf(session, project, name));
  SourceRows rows{PlaceOf(source["spec"]), name};
  if (datasets.size() == 1) {
    const std::string& reference = datasets.items()[0].AsString();
    rows.dataset = reference.substr(0, reference.rfind(':'));
  }
  if (IsUrl(rows.path)) return rows;
  const std::string file = config::FindProjectFile();
  const std::size_t slash = file.rfind('/');
  if (slash != std::string::npos && !rows.path.starts_with('/') && !rows.path.starts_with('~'))
    rows.path = fmt::format("{}/{}", file.substr(0, slash), rows.path);
  else
    rows.path = config::AbsolutePath(rows.path);
  return rows;
}

std::span<const Command> SourcesCommands() { return kCommands; }

}  // namespace gyre::cli
