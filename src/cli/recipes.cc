// gyre recipes: how raw columns become numbers.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "cli/small_file.h"
#include "platform/config/yaml.h"

namespace gyre::cli {
namespace {

std::string ProjectPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project());
}

Result<int> Suggest(Invocation& in) {
  Json body = Json::Obj({{"dataset", in.Get("DATASET")}, {"for", in.Get("for")}});
  if (in.Has("target")) body.Set("target", in.Get("target"));
  Json exclude = Json::Arr();
  for (const std::string& column : in.List("exclude")) exclude.Push(column);
  body.Set("exclude", std::move(exclude));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Post(ProjectPath(in) + "/recipes/suggest", body));
  for (const Json& leak : answer["leaks"].items())
    in.out().Warn(leak["message"].AsString() + " (left out)");
  std::vector<std::string> left_out;
  for (const Json& column : answer["left_out"].items()) left_out.push_back(column.AsString());
  in.out().Document(answer, config::DumpYaml(answer["recipe"]));
  in.out().Note(fmt::format("{} steps over {} columns, from {} rows of {}{}",
                            answer["steps"].AsInt(), answer["columns"].AsInt(),
                            GroupDigits(answer["rows"].AsInt()), answer["dataset"].AsString(),
                            left_out.empty() ? "" : "; left out: " + Join(left_out, ", ")));
  return 0;
}

std::string FieldsText(const Json& fields) {
  std::vector<std::string> texts;
  for (const Json& field : fields.items())
    texts.push_back(fmt::format("{} {}", field["name"].AsString(), field["type"].AsString()));
  return Join(texts, ", ");
}

Result<int> Check(Invocation& in) {
  GYRE_TRY(const std::string text, ReadRecipe(in.Get("FILE")));
  Json body = Json::Obj({{"recipe", text}});
  if (in.Has("on")) body.Set("dataset", in.Get("on"));
  if (in.Has("target")) body.Set("target", in.Get("target"));
  GYRE_TRY(Session* const session, in.session());
  const auto checked = session->Post(ProjectPath(in) + "/recipes/check", body);
  if (!checked) return OfRecipe(checked.error(), in.Get("FILE"));
  const Json& answer = *checked;
  std::vector<std::string> outputs;
  for (const Json& output : answer["outputs"].items()) outputs.push_back(output.AsString());
  const std::string& dataset = answer["dataset"].AsString();
  in.out().Document(
      answer, fmt::format("{} recipe holds{}: {} steps, hash {}\n  reads   {}\n  gives   {}\n",
                          in.out().Mark("ok"), dataset.empty() ? "" : " for " + dataset,
                          answer["steps"].AsInt(), answer["hash"].AsString().substr(0, 12),
                          FieldsText(answer["inputs"]), Join(outputs, ", ")));
  return 0;
}

// "churn:v3" or "churn@champion" as a path; a bare name is its champion, or the newest version.
std::string VersionPath(const Invocation& in, const std::string& reference) {
  const std::size_t at = reference.find_first_of(":@");
  const std::string version = at == std::string::npos ? "default" : reference.substr(at + 1);
  return fmt::format("{}/models/{}/versions/{}/recipe", ProjectPath(in),
                     PercentEncode(reference.substr(0, at)), PercentEncode(version));
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(VersionPath(in, in.Get("MODEL"))));
  in.out().Document(answer, config::DumpYaml(answer["recipe"]));
  in.out().Note(fmt::format("{}: {} steps, {} numbers per row, hash {}", answer["model"].AsString(),
                            answer["steps"].AsInt(), answer["width"].AsInt(),
                            answer["recipe_hash"].AsString().substr(0, 12)));
  return 0;
}

std::string DeclaredPath(const Invocation& in) { return ProjectPath(in) + "/declarations"; }

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(DeclaredPath(in) + "?kind=recipes"));
  in.out().Table({{"NAME", "name"},
                  {"BY", "applied_by"},
                  {"DECLARED", "applied_at", ColumnSpec::Format::kTime}},
                 answer["items"]);
  return 0;
}

Result<int> Remove(Invocation& in) {
  const std::string name = in.Get("RECIPE");
  GYRE_DO(in.Confirm("remove recipe " + name, name));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Delete(DeclaredPath(in) + "/recipes/" + PercentEncode(name)));
  SayRemoved(in.out(), "recipe " + name, gone);
  return 0;
}

constexpr Positional kRecipe[] = {{"RECIPE", "name that gyre.yaml gives it"}};
constexpr Positional kDataset[] = {
    {.name = "DATASET", .help = "a dataset or one of its versions", .completes = "datasets"}};
constexpr Positional kModel[] = {
    {.name = "MODEL", .help = "churn, churn:v3 or churn@champion", .completes = "models"}};
constexpr Positional kFile[] = {
    {.name = "FILE", .help = "a recipe: YAML or JSON", .completes = "file"}};
constexpr Option kCheckOptions[] = {
    {.name = "--on",
     .value_name = "DATASET",
     .help = "a dataset or one of its versions, which must have the columns",
     .completes = "datasets"},
    {.name = "-t,--target",
     .value_name = "COLUMN",
     .help = "what is to be predicted: no step may read it"},
};
constexpr Option kSuggestOptions[] = {
    {.name = "-t,--target",
     .value_name = "COLUMN",
     .help = "what is to be predicted: columns that leak it are left out"},
    {.name = "--for", .value_name = "KIND", .help = "trees or linear", .default_value = "trees"},
    {.name = "--exclude",
     .value_name = "COLUMN",
     .help = "leave this column out; repeat it for more",
     .repeated = true},
};
constexpr Command kCommands[] = {
    {"recipes ls", "recipes that a gyre.yaml has declared", "gyre recipes ls", {}, {}, List},
    {"recipes rm",
     "remove a declared recipe; models keep theirs, and gyre undelete brings it back",
     "gyre recipes rm churn --yes",
     kRecipe,
     {},
     Remove},
    {"recipes suggest", "a recipe that a careful person would begin with",
     "gyre recipes suggest customers --target churned\ngyre recipes suggest customers --target "
     "churned --for linear > recipe.yaml",
     kDataset, kSuggestOptions, Suggest},
    {"recipes check", "whether a recipe written by hand holds",
     "gyre recipes check recipe.yaml\ngyre recipes check recipe.yaml --on customers --target "
     "churned",
     kFile, kCheckOptions, Check},
    {"recipes show",
     "the recipe that a model was trained with",
     "gyre recipes show churn\ngyre recipes show churn:v3 -o json",
     kModel,
     {},
     Show},
};

}  // namespace

std::span<const Command> RecipesCommands() { return kCommands; }

}  // namespace gyre::cli
