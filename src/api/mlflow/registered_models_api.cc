#include "api/mlflow/registered_models_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/registry_words.h"
#include "base/text.h"
#include "ml/tracking/long_read.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr int kResults = 100, kResultsMax = 1'000;
constexpr Permission kRead("model.read"), kWrite("model.write"), kApprove("model.approve");

constexpr net::Field kName = {"name", Type::kText, "of the model", "", kRequired};
constexpr net::Field kKey = {"key", Type::kText, "of the tag", "", kRequired};
constexpr net::Field kAlias = {"alias", Type::kText, "its name", "", kRequired};
constexpr net::Field kStagesAsked = {"stages", Type::kTexts, "only these"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/registered-models/create",
     .handler = Serve<&RegisteredModelsApi::Create>,
     .permission = kWrite,
     .summary = "Make a registered model",
     .fields = {kName,
                {"tags", Type::kObjects, "{key, value}"},
                {"description", Type::kText, "what it is for"}}},
    {.method = Method::kPost,
     .path = "/mlflow/registered-models/rename",
     .handler = Serve<&RegisteredModelsApi::Rename>,
     .permission = kWrite,
     .summary = "Give a registered model another name",
     .fields = {kName, {"new_name", Type::kText, "the other one", "", kRequired}}},
    {.method = Method::kPatch,
     .path = "/mlflow/registered-models/update",
     .handler = Serve<&RegisteredModelsApi::Update>,
     .permission = kWrite,
     .summary = "Describe a registered model",
     .fields = {kName, {"description", Type::kText, "what it is for"}}},
    {.method = Method::kDelete,
     .path = "/mlflow/registered-models/delete",
     .handler = Serve<&RegisteredModelsApi::Delete>,
     .permission = kWrite,
     .summary = "Remove a registered model with its versions, into the trash",
     .fields = {kName}},
    {.method = Method::kGet,
     .path = "/mlflow/registered-models/get",
     .handler = Serve<&RegisteredModelsApi::Get>,
     .permission = kRead,
     .summary = "One registered model",
     .fields = {kName}},
    {.method = Method::kGet,
     .path = "/mlflow/registered-models/search",
     .handler = Serve<&RegisteredModelsApi::Search>,
     .permission = kRead,
     .summary = "Find registered models",
     .fields = {{"filter", Type::kText, "name LIKE 'a%' AND tags.team = 'blue'"},
                {"max_results", Type::kWhole, "1 to 1,000"},
                {"order_by", Type::kTexts, "name ASC"},
                {"page_token", Type::kText, "of the page before"}}},
    {.method = Method::kPost,
     .path = "/mlflow/registered-models/get-latest-versions",
     .handler = Serve<&RegisteredModelsApi::Latest>,
     .permission = kRead,
     .summary = "The newest version of each stage",
     .fields = {kName, kStagesAsked},
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/registered-models/get-latest-versions",
     .handler = Serve<&RegisteredModelsApi::Latest>,
     .permission = kRead,
     .summary = "The newest version of each stage",
     .fields = {kName, kStagesAsked}},
    {.method = Method::kPost,
     .path = "/mlflow/registered-models/set-tag",
     .handler = Serve<&RegisteredModelsApi::SetTag>,
     .permission = kWrite,
     .summary = "Set a tag of a registered model",
     .fields = {kName, kKey, {"value", Type::kText, "of the tag"}}},
    {.method = Method::kDelete,
     .path = "/mlflow/registered-models/delete-tag",
     .handler = Serve<&RegisteredModelsApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Take a tag of a registered model away",
     .fields = {kName, kKey}},
    {.method = Method::kPost,
     .path = "/mlflow/registered-models/alias",
     .handler = Serve<&RegisteredModelsApi::SetAlias>,
     .permission = kApprove,
     .summary = "Point an alias at a version, as far as the alias's policy lets it",
     .fields = {kName, kAlias, {"version", Type::kText, "a number", "", kRequired}}},
    {.method = Method::kDelete,
     .path = "/mlflow/registered-models/alias",
     .handler = Serve<&RegisteredModelsApi::DeleteAlias>,
     .permission = kApprove,
     .summary = "Take an alias away",
     .fields = {kName, kAlias}},
    {.method = Method::kGet,
     .path = "/mlflow/registered-models/alias",
     .handler = Serve<&RegisteredModelsApi::GetAlias>,
     .permission = kRead,
     .summary = "The version that an alias points at",
     .fields = {kName, kAlias}},
};

}  // namespace

net::RouteTable RegisteredModelsApi::table() {
  return {"mlflow", RoutesOf<kEndpoints>::routes(), this};
}

Result<net::Response> RegisteredModelsApi::Answer(const Call& call, Result<registry::Model> model,
                                                  std::string_view name) {
  if (!model) return InModelWords(model.error(), name);
  GYRE_TRY(const auto latest, catalog_.Latest(call.project, model->title, {}));
  return ModelAnswer(*model, latest);
}

Result<net::Response> RegisteredModelsApi::Create(Call& call) {
  const std::string name = call.arguments.Text("name");
  GYRE_TRY(registry::Tags tags, TagsOf(call.arguments));
  return Answer(call,
                catalog_.Create({.project = call.project,
                                 .title = name,
                                 .description = call.arguments.Text("description"),
                                 .created_by = call.request.principal.name,
                                 .tags = std::move(tags)}),
                name);
}

Result<net::Response> RegisteredModelsApi::Rename(Call& call) {
  const std::string name = call.arguments.Text("name"), to = call.arguments.Text("new_name");
  auto model = catalog_.Rename(call.project, name, to);
  if (!model) {
    const bool missing = model.error().gy() == "GY3602";
    return InModelWords(model.error(), missing ? name : to);
  }
  return Answer(call, std::move(model), to);
}

Result<net::Response> RegisteredModelsApi::Update(Call& call) {
  const std::string name = call.arguments.Text("name");
  return Answer(call, catalog_.Describe(call.project, name, call.arguments.Text("description")),
                name);
}

Result<net::Response> RegisteredModelsApi::Delete(Call& call) {
  const std::string name = call.arguments.Text("name");
  const auto model = catalog_.Get(call.project, name);
  if (!model) return InModelWords(model.error(), name);
  GYRE_TRY(const auto versions, registry_.ListVersions(call.project, model->name));
  for (const registry::ModelVersion& version : versions) GYRE_DO(is_free_(version));
  const bool with_aliases = !model->aliases.empty();
  if (with_aliases) GYRE_DO(may_move_(call.request, call.project));
  const auto done = catalog_.Delete(call.project, name, call.request.principal.name, with_aliases);
  if (!done) return InModelWords(done.error(), name);
  return EmptyAnswer();
}

Result<net::Response> RegisteredModelsApi::Get(Call& call) {
  const std::string name = call.arguments.Text("name");
  return Answer(call, catalog_.Get(call.project, name), name);
}

Result<net::Response> RegisteredModelsApi::Search(Call& call) {
  tracking::LongRead place([&] { return call.request.client_gone(); });
  GYRE_DO(place.Take());
  GYRE_TRY(SearchTerms terms,
           SearchOf(call.arguments, tracking::kModelFields, kResults, kResultsMax));
  GYRE_TRY(const registry::FoundModels found,
           searcher_.Models({.project = call.project,
                             .filter = std::move(terms.filter),
                             .order = std::move(terms.order),
                             .limit = terms.limit,
                             .page_token = std::move(terms.page_token)}));
  return AnswerOf([&](AnswerWriter& out) {
    if (!found.models.empty()) {
      out.List("registered_models");
      for (const registry::FoundModel& one : found.models) {
        out.Object();
        WriteModel(one.model, one.latest, &out);
        out.End();
      }
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", found.next_page_token);
  });
}

Result<net::Response> RegisteredModelsApi::Latest(Call& call) {
  const std::string name = call.arguments.Text("name");
  std::vector<registry::Stage> stages;
  for (const std::string& word : call.arguments.Texts("stages")) {
    GYRE_TRY(const registry::Stage stage, StageOfWord(word));
    stages.push_back(stage);
  }
  const auto latest = catalog_.Latest(call.project, name, std::move(stages));
  if (!latest) return InModelWords(latest.error(), name);
  return AnswerOf([&](AnswerWriter& out) {
    if (latest->empty()) return;
    out.List("model_versions");
    for (const registry::ModelVersion& version : *latest) WriteVersion(version, {}, &out);
    out.End();
  });
}

Result<net::Response> RegisteredModelsApi::SetTag(Call& call) {
  const std::string name = call.arguments.Text("name");
  GYRE_TRY(const registry::Tags tag, TagOf(call.arguments));
  const auto done = catalog_.SetTags(call.project, name, tag);
  if (!done) return InModelWords(done.error(), name);
  return EmptyAnswer();
}

Result<net::Response> RegisteredModelsApi::DeleteTag(Call& call) {
  const std::string name = call.arguments.Text("name");
  const auto done = catalog_.DeleteTag(call.project, name, call.arguments.Text("key"));
  if (!done) return InModelWords(done.error(), name);
  return EmptyAnswer();
}

Result<net::Response> RegisteredModelsApi::SetAlias(Call& call) {
  const std::string name = call.arguments.Text("name"), alias = call.arguments.Text("alias");
  GYRE_DO(CheckAliasWords(alias));
  GYRE_TRY(const int number, VersionOf(call.arguments));
  const auto version = catalog_.GetVersion(call.project, name, number);
  if (!version) return InVersionWords(version.error(), name, number);
  GYRE_DO(gate_.Judge(*version, alias, call.request.principal.name));
  const auto moved = registry_.MoveAlias({.project = call.project,
                                          .model = version->model,
                                          .alias = alias,
                                          .version = number,
                                          .reason = {},
                                          .moved_by = call.request.principal.name});
  if (!moved) return InAliasWords(moved.error(), name, alias);
  return EmptyAnswer();
}

Result<net::Response> RegisteredModelsApi::DeleteAlias(Call& call) {
  const std::string name = call.arguments.Text("name"), alias = call.arguments.Text("alias");
  const auto model = catalog_.Get(call.project, name);
  if (!model) return InModelWords(model.error(), name);
  const auto gone =
      registry_.RemoveAlias(call.project, model->name, alias, "", call.request.principal.name);
  // One that is not there is gone, as MLflow sees it.
  if (!gone && gone.error().gy() != "GY3604") return gone.error();
  return EmptyAnswer();
}

Result<net::Response> RegisteredModelsApi::GetAlias(Call& call) {
  const std::string name = call.arguments.Text("name"), alias = call.arguments.Text("alias");
  const bool latest = EqualsIgnoreCase(alias, "latest");
  const auto version = catalog_.Find(call.project, name, latest ? "latest" : "@" + alias);
  if (version) return VersionAnswer(*version);
  if (latest && version.error().gy() == "GY3603")
    return NotFound("GY3603", "Latest version not found for model {}.", name);
  return InAliasWords(version.error(), name, alias);
}

}  // namespace gyre::mlflow
