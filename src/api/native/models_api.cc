#include "api/native/models_api.h"

#include <algorithm>

#include "api/native/in_use.h"
#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "api/native/step_rights.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/data/datasets.h"
#include "ml/evaluation/evaluations.h"
#include "ml/projects/projects.h"
#include "ml/registry/logged_gate.h"
#include "ml/registry/registry.h"
#include "ml/registry/trash_kind.h"
#include "ml/serving/serving.h"
#include "platform/blob/blob_store.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models",
     .handler = Bind<&ModelsApi::List>,
     .permission = Permission("model.read"),
     .summary = "List registered models by name",
     .response_type = "ModelList",
     .query = {kLimit, kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}",
     .handler = Bind<&ModelsApi::Get>,
     .permission = Permission("model.read"),
     .summary = "One model with its aliases",
     .response_type = "Model"},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/models/{model}",
     .handler = Bind<&ModelsApi::Remove>,
     .permission = Permission("model.write"),
     .summary = "Remove a model that no alias and no endpoint uses, into the trash",
     .response_type = "TrashItem",
     .query = {{"aliases", Type::kBool, "they go along, all or nothing"}, kForce, kDryRun}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions",
     .handler = Bind<&ModelsApi::Versions>,
     .permission = Permission("model.read"),
     .summary = "Versions of a model, newest first",
     .response_type = "ModelVersionList"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}",
     .handler = Bind<&ModelsApi::GetVersion>,
     .permission = Permission("model.read"),
     .summary = "One version: v3, latest, or an alias; with its lineage, verdict and goals",
     .response_type = "ModelVersion"},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}",
     .handler = Bind<&ModelsApi::RemoveVersion>,
     .permission = Permission("model.write"),
     .summary = "Remove a version that no alias and no endpoint uses, into the trash; its number "
                "is never given again",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}/card",
     .handler = Bind<&ModelsApi::Card>,
     .permission = Permission("model.read"),
     .summary = "The model card",
     .query = {{"format", Type::kText, "json when it is not given", "json|markdown"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}/evaluation",
     .handler = Bind<&ModelsApi::Evaluation>,
     .permission = Permission("model.read"),
     .summary = "The newest evaluation of a version, with its curves",
     .response_type = "ModelEvaluation"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}/reference",
     .handler = Bind<&ModelsApi::Reference>,
     .permission = Permission("dataset.read"),  // it names values of the rows
     .summary = "Bins of the rows that taught a version and of its predictions, to compare later "
                "data with"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}/approvals",
     .handler = Bind<&ModelsApi::Approvals>,
     .permission = Permission("model.read"),
     .summary = "Who approved or rejected a version, oldest first"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}/approvals",
     .handler = Bind<&ModelsApi::Approve>,
     .permission = Permission("model.approve"),
     .summary = "Approve or reject a version",
     .body = Body::kBuffer,
     .members = {{"approved", Type::kBool, "false = rejected"}, {"comment", Type::kText, "why"}}},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/models/{model}/aliases/{alias}",
     .handler = Bind<&ModelsApi::MoveAlias>,
     .permission = Permission("model.approve"),
     .summary = "Move an alias: by the verdict of its gate, or by an override with a reason",
     .body = Body::kBuffer,
     .members = {{"version", Type::kAny, "3 or v3", "", net::kRequired},
                 {"reason", Type::kText, "kept in the history; an override needs one"},
                 {"override", Type::kBool, "although the gate says no"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/models/{model}/aliases/{alias}",
     .handler = Bind<&ModelsApi::RemoveAlias>,
     .permission = Permission("model.approve"),
     .summary = "Take an alias away; the history stays",
     .query = {{"reason", Type::kText, "kept in the history"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/policies/{alias}",
     .handler = Bind<&ModelsApi::GetPolicy>,
     .permission = Permission("model.read"),
     .summary = "What an alias asks for: the rules of its gate, approvals"},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/models/{model}/policies/{alias}",
     .handler = Bind<&ModelsApi::SetPolicy>,
     .permission = Permission("model.approve"),
     .summary = "Say what an alias asks for",
     .body = Body::kBuffer,
     .members = {{"approvals_min", Type::kWhole, "0 to 100"},
                 {"author_may_approve", Type::kBool, "whether who made a version may approve it"},
                 {"rules", Type::kObjects, "of the gate; null = its own"},
                 {"metric", Type::kText, "that comparisons go by"},
                 {"dataset", Type::kText, "that candidates are judged on; empty = held-out rows"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/models/{model}/history",
     .handler = Bind<&ModelsApi::History>,
     .permission = Permission("model.read"),
     .summary = "Moves of aliases, newest first; with a time, who held the alias then",
     .response_type = "AliasHistory",
     .query = {{"alias", Type::kText, "only its moves"},
               {"at", Type::kTime, "who held the alias then"},
               kLimit}},
};

// 3, "3", "v3".
Result<int> VersionNumber(const Json& value) {
  std::int64_t number = value.AsInt();
  if (value.is_string()) {
    std::string_view text = value.AsString();
    if (text.starts_with('v')) text.remove_prefix(1);
    number = ParseInt(text).value_or(0);
  }
  if (number < 1 || number > 1'000'000'000)
    return InvalidArgument("GY3613", "`version` must be a version such as \"v3\"");
  return static_cast<int>(number);
}

}  // namespace

net::RouteTable ModelsApi::table() { return {"native", kRoutes, this}; }

Result<registry::ModelVersion> FindVersion(registry::Registry& registry, const std::string& project,
                                           const std::string& model, const std::string& version) {
  if (version == "latest") {
    GYRE_TRY(const registry::Model found, registry.GetModel(project, model));
    return registry.Resolve(project,
                            fmt::format("{}:v{}", model, std::max(found.latest_version, 1)));
  }
  const bool is_number = version.size() > 1 && version[0] == 'v' &&
                         ParseInt(std::string_view(version).substr(1)).has_value();
  return registry.Resolve(project, fmt::format("{}{}{}", model, is_number ? ":" : "@", version));
}

Result<registry::ModelVersion> ModelsApi::Version(const net::Request& request) {
  return FindVersion(registry_, request.Param("project"), request.Param("model"),
                     request.Param("version"));
}

Result<Json> ModelsApi::EvaluationOf(const registry::ModelVersion& version) {
  GYRE_TRY(const auto kept, evaluations_.List(version.project, version.id, 1));
  if (!kept.empty()) return evaluations_.Document(kept[0]);
  for (const registry::Attachment& attachment : version.attachments) {
    if (attachment.name != "evaluation") continue;
    GYRE_TRY(const std::string text, blobs_.Get(attachment.object.digest));
    return Json::Parse(text);
  }
  return Json();
}

Result<Json> ModelsApi::Goals(const registry::ModelVersion& version, const Json& evaluation) {
  Json goals = Json::Arr();
  GYRE_TRY(const projects::Project project, projects_.Get(version.project));
  if (!project.problem) return goals;
  registry::GateNumbers numbers;
  for (const auto& [name, value] : version.metrics.members())
    numbers.metrics[name] = {value.AsDouble(), {}, {}};
  for (const auto& [name, metric] : evaluation["evaluation"]["metrics"].members()) {
    numbers.metrics[name] = {metric["estimate"].AsDouble(), {}, {}};
  }
  for (const statistics::Kpi& kpi : project.problem->kpis) {
    const std::string expression[] = {kpi.ToString()};
    if (const std::string& target = project.problem->target;
        !target.empty() && target != version.target) {
      goals.Push(Json::Obj({{"kpi", expression[0]},
                            {"met", Json()},
                            {"of", target},
                            {"text", fmt::format("for {}, not for {}", target, version.target)}}));
      continue;
    }
    GYRE_TRY(const auto rules, registry::KpiRules(expression));
    const registry::Verdict verdict = registry::Judge(rules, numbers);
    const bool measured = numbers.metrics.contains(kpi.name);
    goals.Push(Json::Obj({{"kpi", expression[0]},
                          {"met", measured ? Json(verdict.pass) : Json()},
                          {"text", verdict.reasons[0].text}}));
  }
  return goals;
}

Result<net::Response> ModelsApi::List(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto models, registry_.ListModels(request.Param("project"),
                                                   {.limit = page.limit, .after = page.after}));
  return PageOf(models, page.limit, registry::ModelToJson, &registry::Model::name);
}

Result<net::Response> ModelsApi::Get(net::Request& request) {
  GYRE_TRY(const registry::Model model,
           registry_.GetModel(request.Param("project"), request.Param("model")));
  return net::Response::JsonDoc(registry::ModelToJson(model));
}

Result<> CheckNotServed(serving::Serving& serving, const registry::ModelVersion& version) {
  GYRE_TRY(const auto served_by, EndpointsOf(serving, version.id));
  if (served_by.empty()) return {};
  std::vector<std::string> endpoints;
  for (const serving::Endpoint& endpoint : served_by) endpoints.push_back(endpoint.name);
  return FailedPrecondition("GY3621", "{} is served by endpoint {}", version.name(),
                            Named(endpoints))
      .Why("what an endpoint answers with is in use")
      .Fix(fmt::format("gyre deploy {}:vN --name {}    (deploy another version first)",
                       version.model, endpoints[0]))
      .Fix(fmt::format("gyre endpoints rm {}", endpoints[0]));
}

Result<> ModelsApi::CheckNotUsed(const registry::ModelVersion& version) {
  GYRE_DO(CheckNotServed(serving_, version));
  return registry::CheckNoAlias(version);
}

Result<Json> ModelsApi::EndpointsAsThings(const std::vector<registry::ModelVersion>& versions) {
  Json things = Json::Arr();
  for (const registry::ModelVersion& version : versions) {
    GYRE_TRY(const auto endpoints, EndpointsOf(serving_, version.id));
    for (const serving::Endpoint& endpoint : endpoints)
      things.Push(NeededBy("endpoint", endpoint.project, endpoint.name));
  }
  return things;
}

// Whoever takes an alias along by removing what it points at moves it.
Result<> ModelsApi::AdmitAliases(net::Request& request,
                                 std::span<const registry::ModelVersion> versions) {
  for (const registry::ModelVersion& version : versions)
    if (!version.aliases.empty())
      return AdmitAlso(access_, request, version.project, "model.approve");
  return {};
}

Result<net::Response> ModelsApi::Remove(net::Request& request) {
  GYRE_TRY(const auto versions,
           registry_.ListVersions(request.Param("project"), request.Param("model")));
  const bool with_aliases = request.Query("aliases") == "true";
  if (with_aliases || request.Query("force") == "true") GYRE_DO(AdmitAliases(request, versions));
  return native::Remove(
      trash_, request,
      {.noun = "model",
       .name = request.Param("model"),
       .check = [&]() -> Result<> {
         for (const registry::ModelVersion& version : versions)
           GYRE_DO(with_aliases ? CheckNotServed(serving_, version) : CheckNotUsed(version));
         return {};
       },
       .needed_by = [&] { return EndpointsAsThings(versions); },
       .with_aliases = with_aliases});
}

Result<net::Response> ModelsApi::Versions(net::Request& request) {
  GYRE_TRY(const auto versions,
           registry_.ListVersions(request.Param("project"), request.Param("model")));
  return WholeList(versions, registry::VersionToJson);
}

Json ModelsApi::Document(const registry::ModelVersion& version) {
  Json document = registry::VersionToJson(version);
  Json uses = Json::Arr();
  for (Json use : document["datasets"].items()) {
    if (const auto data = datasets_.GetVersionById(use["id"].AsString())) {
      use.Set("name", data->reference());
      use.Set("content_hash", data->content_hash);
    }
    uses.Push(std::move(use));
  }
  document.Set("datasets", std::move(uses));
  return document;
}

Result<net::Response> ModelsApi::GetVersion(net::Request& request) {
  GYRE_TRY(const registry::ModelVersion version, Version(request));
  GYRE_TRY(const Json evaluation, EvaluationOf(version));
  GYRE_TRY(Json goals, Goals(version, evaluation));
  GYRE_TRY(const auto verdict, registry_.LatestVerdict(version.id, "champion"));
  Json answer = Document(version);
  answer.Set("goals", std::move(goals));
  answer.Set("verdict", verdict ? verdict->verdict.ToJson() : Json());
  return net::Response::JsonDoc(answer);
}

Result<net::Response> ModelsApi::RemoveVersion(net::Request& request) {
  GYRE_TRY(const registry::ModelVersion version, Version(request));
  if (request.Query("force") == "true") GYRE_DO(AdmitAliases(request, {&version, 1}));
  return native::Remove(trash_, request, {.noun = "model", .name = version.name(), .check = [&] {
                                            return CheckNotUsed(version);
                                          }});
}

Result<net::Response> ModelsApi::Card(net::Request& request) {
  registry::CardFacts facts;
  GYRE_TRY(facts.version, Version(request));
  GYRE_TRY(const Json evaluation, EvaluationOf(facts.version));
  facts.evaluation = evaluation["evaluation"];
  GYRE_TRY(facts.verdict, registry_.LatestVerdict(facts.version.id, "champion"));
  GYRE_TRY(facts.approvals, registry_.Approvals(facts.version.id));
  GYRE_TRY(const auto moves, registry_.History(facts.version.project, facts.version.model, "",
                                               static_cast<int>(kPageSizeMax)));
  for (const registry::AliasMove& move : moves) {
    if (move.version_id == facts.version.id || move.previous_version_id == facts.version.id)
      facts.history.push_back(move);
  }
  GYRE_TRY(const projects::Project project, projects_.Get(facts.version.project));
  if (project.problem) facts.problem = projects::ProblemToJson(*project.problem);
  GYRE_TRY(facts.goals, Goals(facts.version, evaluation));
  Json card = registry::MakeCard(facts);
  card.Set("version", Document(facts.version));
  if (request.Query("format").value_or("json") != "markdown") return net::Response::JsonDoc(card);
  return net::Response::Text(registry::CardMarkdown(card), 200, "text/markdown; charset=utf-8");
}

Result<net::Response> ModelsApi::Evaluation(net::Request& request) {
  GYRE_TRY(const registry::ModelVersion version, Version(request));
  GYRE_TRY(const Json evaluation, EvaluationOf(version));
  if (evaluation.is_null()) {
    return NotFound("GY3706", "{} has not been evaluated", version.name())
        .Fix(fmt::format("gyre evaluate {} --on DATASET", version.name()));
  }
  return net::Response::JsonDoc(evaluation);
}

Result<net::Response> ModelsApi::Reference(net::Request& request) {
  GYRE_TRY(const registry::ModelVersion version, Version(request));
  for (const registry::Attachment& attachment : version.attachments) {
    if (attachment.name != "reference") continue;
    GYRE_TRY(std::string text, blobs_.Get(attachment.object.digest));
    return net::Response::Text(std::move(text), 200, "application/json");
  }
  return NotFound("GY3616", "{} keeps no reference profile", version.name())
      .Why("versions that this server trained have one since it is stored at training");
}

Result<net::Response> ModelsApi::Approvals(net::Request& request) {
  GYRE_TRY(const registry::ModelVersion version, Version(request));
  GYRE_TRY(const auto approvals, registry_.Approvals(version.id));
  return WholeList(approvals, registry::ApprovalToJson);
}

Result<net::Response> ModelsApi::Approve(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const registry::ModelVersion version, Version(request));
  GYRE_TRY(const registry::Approval approval,
           registry_.Approve(version.id, request.principal.name, body["approved"].AsBool(true),
                             body["comment"].AsString()));
  return net::Response::JsonDoc(registry::ApprovalToJson(approval), 201);
}

Result<net::Response> ModelsApi::MoveAlias(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  registry::Registry::MoveRequest move;
  move.project = request.Param("project");
  move.model = request.Param("model");
  move.alias = request.Param("alias");
  GYRE_TRY(move.version, VersionNumber(body["version"]));
  move.reason = body["reason"].AsString();
  move.override_gate = body["override"].AsBool();
  move.moved_by = request.principal.name;
  GYRE_TRY(const registry::ModelVersion version,
           FindVersion(registry_, move.project, move.model, fmt::format("v{}", move.version)));
  GYRE_DO(gate_.Judge(version, move.alias, move.moved_by));
  GYRE_TRY(const registry::AliasMove moved, registry_.MoveAlias(std::move(move)));
  return net::Response::JsonDoc(registry::MoveToJson(moved).Set("moved", moved.moved));
}

Result<net::Response> ModelsApi::RemoveAlias(net::Request& request) {
  GYRE_TRY(const registry::AliasMove moved,
           registry_.RemoveAlias(request.Param("project"), request.Param("model"),
                                 request.Param("alias"), request.Query("reason").value_or(""),
                                 request.principal.name));
  return net::Response::JsonDoc(registry::MoveToJson(moved));
}

Result<net::Response> ModelsApi::GetPolicy(net::Request& request) {
  GYRE_TRY(const registry::Model model,
           registry_.GetModel(request.Param("project"), request.Param("model")));
  GYRE_TRY(const registry::AliasPolicy policy,
           registry_.PolicyOf(model.project, model.name, request.Param("alias")));
  return net::Response::JsonDoc(registry::PolicyToJson(policy));
}

Result<net::Response> ModelsApi::SetPolicy(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const registry::AliasPolicy policy, registry::PolicyFromJson(body));
  GYRE_DO(registry_.SetPolicy(request.Param("project"), request.Param("model"),
                              request.Param("alias"), policy, request.principal.name));
  return net::Response::JsonDoc(registry::PolicyToJson(policy));
}

Result<net::Response> ModelsApi::History(net::Request& request) {
  const std::string alias = request.Query("alias").value_or("");
  if (const auto at = request.Query("at")) {
    const auto time_us = ParseTime(*at);
    if (!time_us)
      return InvalidArgument("GY3613", "`at` is no time: '{}'", at->substr(0, 64))
          .Fix("write for example 2026-11-21T08:00:00Z");
    const std::string held = alias.empty() ? "champion" : alias;
    GYRE_TRY(const auto move,
             registry_.HolderAt(request.Param("project"), request.Param("model"), held, *time_us));
    return net::Response::JsonDoc(
        Json::Obj({{"alias", held},
                   {"at", FormatTime(*time_us)},
                   {"version", move ? Json(fmt::format("v{}", move->version)) : Json()},
                   {"move", move ? registry::MoveToJson(*move) : Json()}}));
  }
  GYRE_TRY(const int limit, ReadLimit(request));
  GYRE_TRY(const auto moves,
           registry_.History(request.Param("project"), request.Param("model"), alias, limit));
  return WholeList(moves, registry::MoveToJson);
}

}  // namespace gyre::native
