#include "api/native/recipes_api.h"

#include <algorithm>

#include "api/native/route_table.h"
#include "ml/data/datasets.h"
#include "ml/predictors/scorer.h"
#include "ml/recipes/recipe.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "platform/blob/blob_store.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kRowsLookedAtMax = 50'000;

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/recipes/suggest",
     .handler = Bind<&RecipesApi::Suggest>,
     .permission = Permission("dataset.read"),
     .summary = "A recipe that a careful person would begin with, for a dataset and a target",
     .body = Body::kBuffer,
     .request_type = "SuggestRequest",
     .response_type = "SuggestedRecipe",
     .audited = false,
     .members = {{"dataset", Type::kText, "churn or churn:v2", "", net::kRequired},
                 {"target", Type::kText, "the column that is predicted"},
                 {"for", Type::kText, "the kind of model: trees when it is not given",
                  "trees|linear"},
                 {"exclude", Type::kTexts, "columns to leave out"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/recipes/check",
     .handler = Bind<&RecipesApi::Check>,
     .permission = Permission("dataset.read"),
     .summary = "Whether a recipe written by hand holds, for a dataset and a target when they are "
                "named: its canonical form, inputs and outputs",
     .body = Body::kBuffer,
     .request_type = "CheckRecipeRequest",
     .response_type = "CheckedRecipe",
     .audited = false,
     .members = {{"recipe", Type::kAny, "a recipe: its text, or an object", "", net::kRequired},
                 {"dataset", Type::kText, "to check it against"},
                 {"target", Type::kText, "the column that is predicted"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}/recipe",
     .handler = Bind<&RecipesApi::OfModel>,
     .permission = Permission("recipe.read"),
     .summary = "The fitted recipe of a model version: steps, inputs, names of the outputs",
     .response_type = "ModelRecipe"},
};

Result<> CheckMembers(const Json& body) {
  if (!body["dataset"].is_string())
    return InvalidArgument("GY3114", "`dataset` must name a dataset");
  if (!body["target"].is_null() && !body["target"].is_string())
    return InvalidArgument("GY3114", "`target` must be the name of a column");
  if (!body["exclude"].is_null() && !body["exclude"].is_array())
    return InvalidArgument("GY3114", "`exclude` must be a list of columns");
  const std::string model = body["for"].StringOr("trees");
  if (model != "trees" && model != "linear")
    return InvalidArgument("GY3114", "`for` must be trees or linear, not `{}`", model);
  return {};
}

Result<> CheckTarget(const data::Version& version, const std::string& target) {
  const auto& schema = version.schema;
  if (std::ranges::find(schema, target, &table::Field::name) != schema.end()) return {};
  return NotFound("GY3115", "dataset {} has no column `{}`", version.reference(), target);
}

// {version} is v3, an alias, or "default": the champion, or the newest version when there is none.
std::string ReferenceOf(const net::Request& request) {
  const std::string& version = request.Param("version");
  if (version == "default") return request.Param("model");
  const bool numbered = version.size() > 1 && version[0] == 'v' &&
                        version.find_first_not_of("0123456789", 1) == std::string::npos;
  return request.Param("model") + (numbered ? ":" : "@") + version;
}

}  // namespace

net::RouteTable RecipesApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> RecipesApi::Suggest(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_DO(CheckMembers(body));
  GYRE_TRY(const data::Version version,
           datasets_.Resolve(request.Param("project"), body["dataset"].AsString()));
  GYRE_TRY(const auto paths, datasets_.PartPaths(version));
  const std::string& target = body["target"].AsString();
  Json parts = Json::Arr(), exclude = Json::Arr(), leaks = Json::Arr();
  for (const std::string& path : paths) parts.Push(path);
  for (const Json& column : body["exclude"].items()) exclude.Push(column.AsString());
  if (!target.empty()) {
    GYRE_DO(CheckTarget(version, target));
    GYRE_TRY(const Json profile, datasets_.ProfileAgainst(version, target));
    for (const Json& warning : profile["warnings"].items()) {
      if (!warning["leave_out"].AsBool()) continue;
      exclude.Push(warning["column"].AsString());
      leaks.Push(Json::Obj({{"column", warning["column"]},
                            {"kind", warning["kind"]},
                            {"message", warning["message"]}}));
    }
  }
  Json input = Json::Obj({{"parts", std::move(parts)},
                          {"target", target},
                          {"exclude", std::move(exclude)},
                          {"for", body["for"].StringOr("trees")},
                          {"rows_max", kRowsLookedAtMax}});
  runners::JobRun::TaskOptions options;
  options.cancelled = [&request] { return request.client_gone(); };
  GYRE_TRY(Json answer, jobs_.RunTaskNow("recipes.suggest", input, options));
  answer.Set("dataset", version.reference());
  answer.Set("target", target);
  answer.Set("leaks", std::move(leaks));
  return net::Response::JsonDoc(answer);
}

Result<net::Response> RecipesApi::Check(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  for (const char* key : {"dataset", "target"}) {
    if (!body[key].is_null() && !body[key].is_string())
      return InvalidArgument("GY3114", "`{}` must be text", key);
  }
  GYRE_TRY(const recipes::Spec spec, recipes::Spec::FromTextOrObject(body["recipe"]));
  Json answer = Json::Obj({{"recipe", spec.ToJson()},
                           {"hash", spec.hash()},
                           {"steps", spec.step_count()},
                           {"inputs", table::SchemaToJson(spec.input())},
                           {"outputs", spec.ToJson()["output"]["vector"]},
                           {"dataset", Json()}});
  const std::string& target = body["target"].AsString();
  if (const std::string& dataset = body["dataset"].AsString(); !dataset.empty()) {
    GYRE_TRY(const data::Version version, datasets_.Resolve(request.Param("project"), dataset));
    if (!target.empty()) GYRE_DO(CheckTarget(version, target));
    GYRE_DO(recipes::CheckAgainst(spec, version.schema, target));
    answer.Set("dataset", version.reference());
  } else {
    GYRE_DO(recipes::CheckRoles(spec, target));
  }
  return net::Response::JsonDoc(answer);
}

Result<net::Response> RecipesApi::OfModel(net::Request& request) {
  GYRE_TRY(const registry::ModelVersion version,
           registry_.Resolve(request.Param("project"), ReferenceOf(request)));
  GYRE_DO(registry::CheckHasPackage(version));
  GYRE_TRY(const std::string bytes, blobs_.Get(version.package.digest));
  GYRE_TRY(const auto package, predictors::ModelPackage::Load(bytes));
  GYRE_TRY(const auto fitted, recipes::Fitted::Load(package.recipe));
  Json names = Json::Arr();
  for (const std::string& name : fitted.output_names()) names.Push(name);
  return net::Response::JsonDoc(Json::Obj({{"model", version.name()},
                                           {"recipe_hash", fitted.spec().hash()},
                                           {"steps", fitted.spec().step_count()},
                                           {"input", package.InputJson(fitted.input())},
                                           {"width", fitted.width()},
                                           {"outputs", std::move(names)},
                                           {"recipe", fitted.spec().ToJson()}}));
}

}  // namespace gyre::native
