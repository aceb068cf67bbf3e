// gyre experiments: what runs belong to, in folders by the slashes of their titles.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/tag_options.h"

namespace gyre::cli {
namespace {

constexpr std::string_view kNoteTag = "mlflow.note.content";

std::string ExperimentsPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project()) + "/experiments";
}

// A title with slashes is no part of a path: its number is.
Result<std::string> ExperimentPath(Invocation& in, Session& session, const std::string& reference) {
  if (!reference.contains('/')) return ExperimentsPath(in) + "/" + PercentEncode(reference);
  GYRE_TRY(const Json found,
           session.Get(ExperimentsPath(in) + "?title=" + PercentEncode(reference)));
  return fmt::format("{}/{}", ExperimentsPath(in), found["items"].items()[0]["number"].AsInt());
}

std::string ListPath(const Invocation& in, std::int64_t limit) {
  std::string path = fmt::format("{}?limit={}", ExperimentsPath(in), limit);
  if (const std::string folder = in.Get("FOLDER"); !folder.empty())
    path += "&folder=" + PercentEncode(folder == "/" ? "" : folder);
  if (in.Has("filter")) path += "&filter=" + PercentEncode(in.Get("filter"));
  for (const std::string& sort : in.List("sort")) path += "&sort=" + PercentEncode(sort);
  if (in.Has("deleted")) path += "&view=deleted";
  if (in.Has("page-token")) path += "&page_token=" + PercentEncode(in.Get("page-token"));
  return path;
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  GYRE_TRY(const Json answer, session->Get(ListPath(in, limit)));
  Json rows = Json::Arr();
  for (const Json& folder : answer["folders"].items())
    rows.Push(Json::Obj(
        {{"title", folder["path"].AsString() + "/"}, {"experiments", folder["experiments"]}}));
  for (const Json& experiment : answer["items"].items()) {
    Json row = experiment;
    row.Set("note", experiment["tags"][kNoteTag]);
    rows.Push(std::move(row));
  }
  std::vector<ColumnSpec> columns = {{"EXPERIMENT", "title"}, {"NUMBER", "number"}};
  if (answer.Has("folders"))
    columns.push_back({"HOLDS", "experiments", ColumnSpec::Format::kCount});
  columns.push_back({"CREATED", "created_at", ColumnSpec::Format::kTime});
  if (in.Has("deleted")) columns.push_back({"DELETED", "deleted_at", ColumnSpec::Format::kTime});
  columns.push_back({"NOTE", "note", ColumnSpec::Format::kText, true});
  in.out().Table(columns, rows, "title");
  const std::string& more = answer["next_page_token"].AsString();
  if (!more.empty() && !in.out().json())
    in.out().Note(fmt::format("there are more: --limit N, or --page-token '{}'", more));
  return 0;
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, ExperimentPath(in, *session, in.Get("EXPERIMENT")));
  GYRE_TRY(const Json experiment, session->Get(path));
  std::string text =
      fmt::format("experiment {}\nnumber     {}\nname       {}\n", experiment["title"].AsString(),
                  experiment["number"].AsInt(), experiment["name"].AsString());
  text += fmt::format("runs       {}\ncreated    {}\n", GroupDigits(experiment["runs"].AsInt()),
                      experiment["created_at"].AsString());
  if (!experiment["deleted_at"].is_null())
    text += fmt::format("deleted    {}\n", experiment["deleted_at"].AsString());
  if (const std::string& note = experiment["tags"][kNoteTag].AsString(); !note.empty())
    text += fmt::format("note       {}\n", note);
  for (const auto& [key, value] : experiment["tags"].members()) {
    if (key != kNoteTag) text += fmt::format("tag        {} = {}\n", key, value.AsString());
  }
  in.out().Document(experiment, text);
  return 0;
}

Json Noted(const Invocation& in, Json body) {
  if (in.Has("note")) body.Set("note", in.Get("note"));
  return body;
}

Result<int> Create(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json tags, TagsToSet(in));
  Json body = Json::Obj({{"title", in.Get("TITLE")}});
  if (tags.size() > 0) body.Set("tags", std::move(tags));
  GYRE_TRY(const Json made, session->Post(ExperimentsPath(in), Noted(in, std::move(body))));
  in.out().Document(made, fmt::format("{} experiment {}   number {}\n", in.out().Mark("ok"),
                                      made["title"].AsString(), made["number"].AsInt()));
  return 0;
}

Result<int> Rename(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, ExperimentPath(in, *session, in.Get("EXPERIMENT")));
  GYRE_TRY(const Json now, session->Patch(path, Json::Obj({{"title", in.Get("TITLE")}})));
  in.out().Done(
      fmt::format("experiment {} is called {} now", in.Get("EXPERIMENT"), now["title"].AsString()));
  return 0;
}

Result<int> Edit(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json tags, TagsToSet(in));
  if (tags.size() == 0 && !in.Has("note"))
    return InvalidArgument("GY4020", "nothing is to be changed")
        .Fix("gyre experiments edit churn --note 'what leaves' --tag team=crm");
  GYRE_TRY(const std::string path, ExperimentPath(in, *session, in.Get("EXPERIMENT")));
  Json body = Json::Obj();
  if (tags.size() > 0) body.Set("tags", std::move(tags));
  GYRE_DO(session->Patch(path, Noted(in, std::move(body))));
  in.out().Done("changed experiment " + in.Get("EXPERIMENT"));
  return 0;
}

Result<int> MoveFolder(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string to = in.Get("TO") == "/" ? "" : in.Get("TO");
  GYRE_TRY(const Json answer, session->Post("/api/v1/projects/" + PercentEncode(in.project()) +
                                                "/experiment-folders/move",
                                            Json::Obj({{"folder", in.Get("FOLDER")}, {"to", to}})));
  const std::int64_t moved = answer["moved"].AsInt();
  in.out().Done(fmt::format("moved {} experiment{} from {} to {}", moved, moved == 1 ? "" : "s",
                            in.Get("FOLDER"), in.Get("TO")));
  return 0;
}

Result<int> Remove(Invocation& in) {
  const std::string reference = in.Get("EXPERIMENT");
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, ExperimentPath(in, *session, reference));
  GYRE_DO(session->Delete(path));
  in.out().Done(fmt::format("deleted experiment {} with its runs; gyre experiments undelete '{}'",
                            reference, reference));
  return 0;
}

Result<int> Undelete(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, ExperimentPath(in, *session, in.Get("EXPERIMENT")));
  GYRE_DO(session->Post(path + "/restore", Json::Obj()));
  in.out().Done(fmt::format("experiment {} is back with its runs", in.Get("EXPERIMENT")));
  return 0;
}

constexpr Positional kExperiment[] = {
    {.name = "EXPERIMENT", .help = "number, title or name", .completes = "experiments"}};
constexpr Positional kTitle[] = {
    {.name = "TITLE", .help = "unique in the project; slashes make folders"}};
constexpr Positional kRename[] = {
    {.name = "EXPERIMENT", .help = "number, title or name", .completes = "experiments"},
    {.name = "TITLE", .help = "what it is called then"}};
constexpr Positional kFolder[] = {
    {.name = "FOLDER", .help = "what lies in it, and its folders; / = the top", .required = false}};
constexpr Positional kMove[] = {{.name = "FOLDER", .help = "team/churn"},
                                {.name = "TO", .help = "what it is called then; / = the top"}};
constexpr Option kListOptions[] = {
    {.name = "-n,--limit", .value_name = "N", .help = "at most so many", .default_value = "50"},
    {.name = "--filter", .value_name = "TEXT", .help = "name LIKE 'team/%' AND tags.owner = 'ann'"},
    {.name = "--sort",
     .value_name = "FIELD",
     .help = "name, creation_time DESC or tags.KEY; repeat it for more",
     .repeated = true},
    {.name = "--deleted", .help = "those that were deleted, instead"},
    {.name = "--page-token", .value_name = "TOKEN", .help = "of the page before"},
};
constexpr Option kNote = {.name = "--note", .value_name = "TEXT", .help = "what it is for"};
constexpr Option kCreateOptions[] = {kNote, kSetTag};
constexpr Option kEditOptions[] = {kNote, kSetTag, kUntag};
constexpr Command kCommands[] = {
    {"experiments ls", "list experiments, newest first, or a folder of them",
     "gyre experiments\ngyre experiments ls /\ngyre experiments ls team/churn\ngyre experiments ls "
     "--filter \"tags.owner = 'ann'\"",
     kFolder, kListOptions, List},
    {"experiments show",
     "an experiment with its tags",
     "gyre experiments show team/churn/v2",
     kExperiment,
     {},
     Show},
    {"experiments create", "make an experiment",
     "gyre experiments create team/churn/v2 --note 'fewer columns'", kTitle, kCreateOptions,
     Create},
    {"experiments rename",
     "give an experiment another title",
     "gyre experiments rename churn team/churn/v1",
     kRename,
     {},
     Rename},
    {"experiments edit", "describe or tag an experiment",
     "gyre experiments edit team/churn/v2 --tag owner=ann --untag draft", kExperiment, kEditOptions,
     Edit},
    {"experiments mv",
     "move a folder of experiments, all of it at once",
     "gyre experiments mv team/churn archive/churn",
     kMove,
     {},
     MoveFolder},
    {"experiments rm",
     "delete an experiment with its runs; undelete brings them back",
     "gyre experiments rm team/churn/v1",
     kExperiment,
     {},
     Remove},
    {"experiments undelete",
     "bring a deleted experiment back with its runs",
     "gyre experiments undelete team/churn/v1",
     kExperiment,
     {},
     Undelete},
};

}  // namespace

std::span<const Command> ExperimentsCommands() { return kCommands; }

}  // namespace gyre::cli
