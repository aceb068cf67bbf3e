// gyre recipes: how raw columns become numbers.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/config/yaml.h"

namespace gyre::cli {
namespace {

std::string ProjectPath(const Invocation& in) { return "/api/v1/projects/" + PercentEncode(in.project()); }

Result<int> Suggest(Invocation& in) {
  Json body = Json::Obj({{"dataset", in.Get("DATASET")}, {"for", in.Get("for")}});
  if (in.Has("target")) body.Set("target", in.Get("target"));
  Json exclude = Json::Arr();
  for (const std::string& column : in.List("exclude")) exclude.Push(column);
  body.Set("exclude", std::move(exclude));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Post(ProjectPath(in) + "/recipes/suggest", body));
  for (const Json& leak : answer["leaks"].items()) in.out().Warn(leak["message"].AsString() + " (left out)");
  std::vector<std::string> left_out;
  for (const Json& column : answer["left_out"].items()) left_out.push_back(column.AsString());
  in.out().Document(answer, config::DumpYaml(answer["recipe"]));
  in.out().Note(fmt::format("{} steps over {} columns, from {} rows of {}{}", answer["steps"].AsInt(), answer["columns"].AsInt(),
                            GroupDigits(answer["rows"].AsInt()), answer["dataset"].AsString(),
                            left_out.empty() ? "" : "; left out: " + Join(left_out, ", ")));
  return 0;
}

// "churn:v3" or "churn@champion" as a path; a bare name is its champion, or the newest version.
Result<std::string> VersionPath(const Invocation& in, Session& session, const std::string& reference) {
  std::string model = reference, version;
  if (const std::size_t colon = reference.find(':'); colon != std::string::npos) {
    model = reference.substr(0, colon);
    version = reference.substr(colon + 1);
  } else {
    const std::size_t at = reference.find('@');
    const std::string alias = at == std::string::npos ? "champion" : reference.substr(at + 1);
    model = reference.substr(0, at);
    GYRE_TRY(const Json document, session.Get(ProjectPath(in) + "/models/" + PercentEncode(model)));
    version = document["aliases"][alias].AsString();
    if (version.empty() && at != std::string::npos) return NotFound("GY4070", "model {} has no alias `{}`", model, alias);
    if (version.empty()) version = document["latest"].AsString();
  }
  return fmt::format("{}/models/{}/versions/{}/recipe", ProjectPath(in), PercentEncode(model), PercentEncode(version));
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, VersionPath(in, *session, in.Get("MODEL")));
  GYRE_TRY(const Json answer, session->Get(path));
  in.out().Document(answer, config::DumpYaml(answer["recipe"]));
  in.out().Note(fmt::format("{}: {} steps, {} numbers per row, hash {}", answer["model"].AsString(), answer["steps"].AsInt(),
                            answer["width"].AsInt(), answer["recipe_hash"].AsString().substr(0, 12)));
  return 0;
}

constexpr Positional kDataset[] = {{.name = "DATASET", .help = "a dataset or one of its versions", .completes = "datasets"}};
constexpr Positional kModel[] = {{.name = "MODEL", .help = "churn, churn:v3 or churn@champion", .completes = "models"}};
constexpr Option kSuggestOptions[] = {
    {.name = "-t,--target", .value_name = "COLUMN", .help = "what is to be predicted: columns that leak it are left out"},
    {.name = "--for", .value_name = "KIND", .help = "trees or linear", .default_value = "trees"},
    {.name = "--exclude", .value_name = "COLUMN", .help = "leave this column out; repeat it for more", .repeated = true},
};
constexpr Command kCommands[] = {
    {"recipes suggest", "a recipe that a careful person would begin with",
     "gyre recipes suggest customers --target churned\ngyre recipes suggest customers --target churned --for linear > recipe.yaml", kDataset,
     kSuggestOptions, Suggest},
    {"recipes show", "the recipe that a model was trained with", "gyre recipes show churn\ngyre recipes show churn:v3 -o json", kModel, {}, Show},
};

}  // namespace

std::span<const Command> RecipesCommands() { return kCommands; }

}  // namespace gyre::cli
