#include "api/native/triggers_api.h"

#include "api/native/expected.h"
#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "api/native/step_rights.h"
#include "base/text.h"
#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/pipelines/pipelines.h"
#include "ml/projects/projects.h"

namespace gyre::native {
namespace {

constexpr net::Fields kTriggerMembers = {
    {"name", Type::kText, "of the trigger", "", net::kRequired},
    {"on", Type::kObject, "what it listens for: {\"kind\": \"drift\", \"endpoint\": \"churn\"}", "",
     net::kRequired},
    {"run", Type::kObject, "what it starts: {\"pipeline\": \"retrain\", \"params\": {...}}", "",
     net::kRequired},
    {"guards", Type::kObject,
     "cooldown_s, runs_per_day_max, cpu_seconds_per_month, one_at_a_time, quality_first, "
     "failures_max, labels_wait_s, quiet_hours"},
    {"approval", Type::kText, "role that must agree before a run starts"},
    {"enabled", Type::kBool, "false = it hears nothing"}};

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/triggers",
     .handler = Bind<&TriggersApi::List>,
     .permission = Permission("trigger.read"),
     .summary = "List triggers by name",
     .response_type = "TriggerList"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/triggers",
     .handler = Bind<&TriggersApi::Create>,
     .permission = Permission("trigger.write"),
     .summary = "Make a trigger",
     .body = Body::kBuffer,
     .request_type = "NewTrigger",
     .response_type = "Trigger",
     .members = kTriggerMembers},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/triggers/{trigger}",
     .handler = Bind<&TriggersApi::Get>,
     .permission = Permission("trigger.read"),
     .summary = "One trigger",
     .response_type = "Trigger"},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/triggers/{trigger}",
     .handler = Bind<&TriggersApi::Replace>,
     .permission = Permission("trigger.write"),
     .summary = "Replace a trigger; its firings stay",
     .body = Body::kBuffer,
     .request_type = "NewTrigger",
     .response_type = "Trigger",
     .members = kTriggerMembers},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/triggers/{trigger}",
     .handler = Bind<&TriggersApi::Remove>,
     .permission = Permission("trigger.write"),
     .summary = "Remove a trigger and its firings, into the trash; runs that it began go on",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/triggers/{trigger}/fire",
     .handler = Bind<&TriggersApi::Fire>,
     .permission = Permission("trigger.fire"),
     .summary = "Fire a trigger: by hand, or as its webhook; the same key again is the same firing",
     .body = Body::kBuffer,
     .response_type = "Firing",
     .members = {{"key", Type::kText, "of what has happened, so that a repeat is none"},
                 {"text", Type::kText, "what has happened"},
                 {"webhook", Type::kBool, "a program calls: all guards hold"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/triggers/{trigger}/check",
     .handler = Bind<&TriggersApi::Check>,
     .permission = Permission("trigger.read"),
     .summary = "What would happen if it fired now, and what a run costs; changes nothing"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/pushes",
     .handler = Bind<&TriggersApi::Push>,
     .permission = Permission("trigger.fire"),
     .summary = "Tell of a push to a repository, as a git hook does",
     .body = Body::kBuffer,
     .members = {{"repository", Type::kText, "its name", "", net::kRequired},
                 {"branch", Type::kText, "that was pushed", "", net::kRequired},
                 {"commit", Type::kText, "its newest commit", "", net::kRequired}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/firings",
     .handler = Bind<&TriggersApi::Firings>,
     .permission = Permission("trigger.read"),
     .summary = "What triggers have heard and done, newest first",
     .response_type = "FiringList",
     .query = {{"trigger", Type::kText, "only of this one"},
               {"state", Type::kText, "only in this state",
                "open|waiting|approval|starting|running|succeeded|failed|skipped|expired"},
               kLimit,
               kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/firings/{firing}",
     .handler = Bind<&TriggersApi::Firing>,
     .permission = Permission("trigger.read"),
     .summary = "One firing, by its id or the beginning of it, with the canary release of its run",
     .response_type = "Firing"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/firings/{firing}/approval",
     .handler = Bind<&TriggersApi::Approve>,
     .permission = Permission("model.approve"),
     .summary = "Agree that a firing may start its run, or say no",
     .body = Body::kBuffer,
     .response_type = "Firing",
     .members = {{"approved", Type::kBool, "false = no"}, {"comment", Type::kText, "why"}}},
};

// A program's call is an occurrence like any other; a person's loosens the guards of patience.
// What calls a webhook often sends a form: `curl -d text=done`.
Result<Json> FormBody(std::string_view body) {
  Json json = Json::Obj();
  for (const std::string_view pair : Split(body, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    bool decoded = true;
    const std::string name = PercentDecode(pair.substr(0, equals), true, &decoded);
    const std::string value =
        equals == pair.size() ? "" : PercentDecode(pair.substr(equals + 1), true, &decoded);
    if (!decoded || !IsValidUtf8(name) || !IsValidUtf8(value))
      return InvalidArgument("GY4156", "the body is not a form: `{}` cannot be decoded",
                             pair.substr(0, 60));
    if (name == "webhook")
      json.Set(name, value == "true" || value == "1");
    else if (name == "key" || name == "text")
      json.Set(name, value);
    else
      return InvalidArgument("GY4156", "a firing has no `{}`", name.substr(0, 60))
          .Fix("its members are key, text and webhook");
  }
  return json;
}

Result<Json> FireBody(const net::Request& request) {
  const auto type = request.Header("content-type");
  const std::string_view media = type ? Trim(type->substr(0, type->find(';'))) : "";
  if (EqualsIgnoreCase(media, "application/x-www-form-urlencoded")) return FormBody(request.body());
  if (!media.empty() && !EqualsIgnoreCase(media, "application/json"))
    return InvalidArgument("GY1629", "a body of type `{}` is not read here", media)
        .Fix("send JSON: curl -H 'Content-Type: application/json' -d '{\"text\": \"done\"}'")
        .Fix("or a form: curl -d text=done");
  return request.JsonBody();
}

automation::Occurrence OccurrenceOf(const Json& body, std::string_view by) {
  automation::Occurrence occurrence;
  const bool webhook = body["webhook"].AsBool();
  occurrence.cause = webhook ? automation::Cause::kWebhook : automation::Cause::kHand;
  occurrence.key = body["key"].AsString();
  occurrence.text = body["text"].StringOr(webhook ? fmt::format("called by {}", by)
                                                  : fmt::format("fired by {}", by));
  return occurrence;
}

}  // namespace

net::RouteTable TriggersApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> TriggersApi::List(net::Request& request) {
  GYRE_TRY(const auto triggers, automation_.List(request.Param("project")));
  return WholeList(triggers, automation::TriggerToJson);
}

Result<> TriggersApi::AdmitPipeline(net::Request& request, const std::string& project,
                                    automation::TriggerSpec* spec) {
  GYRE_TRY(spec->pipeline, automation_.PipelineOf(project, *spec));
  GYRE_TRY(const auto permissions,
           pipelines_.PermissionsOf(
               {.project = project, .pipeline = spec->pipeline, .params = spec->params}));
  return AdmitSteps(access_, request, permissions);
}

Result<net::Response> TriggersApi::Create(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(automation::TriggerSpec spec, automation::TriggerSpecFromJson(body));
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  GYRE_DO(AdmitPipeline(request, project.name, &spec));
  GYRE_TRY(const auto trigger,
           automation_.Create(project.name, std::move(spec), request.principal.name));
  return net::Response::JsonDoc(automation::TriggerToJson(trigger), 201);
}

Result<net::Response> TriggersApi::Get(net::Request& request) {
  constexpr int kLately = 20;
  GYRE_TRY(const auto trigger, automation_.Get(request.Param("project"), request.Param("trigger")));
  GYRE_TRY(const auto lately,
           automation_.Firings(
               {.project = trigger.project, .trigger = trigger.spec.name, .limit = kLately}));
  Json json = automation::TriggerToJson(trigger);
  return net::Response::JsonDoc(json.Set("answered", automation::AnsweredToJson(trigger, lately)));
}

Result<net::Response> TriggersApi::Replace(net::Request& request) {
  GYRE_TRY(Json body, request.JsonBody());
  GYRE_TRY(automation::TriggerSpec spec,
           automation::TriggerSpecFromJson(body.Set("name", request.Param("trigger"))));
  GYRE_DO(AdmitPipeline(request, request.Param("project"), &spec));
  GYRE_TRY(const auto trigger,
           automation_.Replace(request.Param("project"), std::move(spec), request.principal.name));
  return net::Response::JsonDoc(automation::TriggerToJson(trigger));
}

Result<net::Response> TriggersApi::Remove(net::Request& request) {
  GYRE_TRY(const automation::Trigger trigger,
           automation_.Get(request.Param("project"), request.Param("trigger")));
  return native::Remove(trash_, request, {.noun = "trigger", .name = trigger.spec.name});
}

Result<net::Response> TriggersApi::Fire(net::Request& request) {
  GYRE_TRY(const Json body, FireBody(request));
  GYRE_TRY(const auto firing,
           automation_.Fire(request.Param("project"), request.Param("trigger"),
                            OccurrenceOf(body, request.principal.name), request.principal.name));
  return net::Response::JsonDoc(automation::FiringToJson(firing), 201);
}

Result<net::Response> TriggersApi::Check(net::Request& request) {
  const std::string& project = request.Param("project");
  GYRE_TRY(Json check, automation_.DryRun(project, request.Param("trigger")));
  GYRE_TRY(Json expected,
           ExpectedOfPipeline(pipelines_, usage_, project, check["pipeline"].AsString()));
  check.Set("expected", std::move(expected));
  return net::Response::JsonDoc(check);
}

Result<net::Response> TriggersApi::Push(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  automation::Occurrence push;
  push.cause = automation::Cause::kPush;
  push.project = project.name;
  GYRE_TRY(push.subject, body.GetString("repository"));
  GYRE_TRY(push.branch, body.GetString("branch"));
  GYRE_TRY(push.source_id, body.GetString("commit"));
  push.key = fmt::format("{} {} {}", push.subject, push.branch, push.source_id);
  push.text = fmt::format("push to {} of {}", push.branch, push.subject);
  GYRE_TRY(const int heard, automation_.Tell(push));
  return net::Response::JsonDoc(Json::Obj({{"triggers", heard}}));
}

Result<net::Response> TriggersApi::Firings(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto firings,
           automation_.Firings({.project = request.Param("project"),
                                .trigger = request.Query("trigger").value_or(""),
                                .state = request.Query("state").value_or(""),
                                .limit = page.limit,
                                .after = page.after}));
  return PageOf(firings, page.limit, automation::FiringToJson, &automation::Firing::id);
}

Result<net::Response> TriggersApi::Firing(net::Request& request) {
  GYRE_TRY(const auto firing,
           automation_.GetFiring(request.Param("project"), request.Param("firing")));
  Json json = automation::FiringToJson(firing);
  if (!firing.run_id.empty()) {
    GYRE_TRY(const auto release, releases_.OfRun(firing.run_id));
    json.Set("release", release ? automation::ReleaseToJson(*release) : Json());
  }
  return net::Response::JsonDoc(json);
}

Result<net::Response> TriggersApi::Approve(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const auto firing,
           automation_.Approve(request.Param("project"), request.Param("firing"),
                               body["approved"].AsBool(true), request.principal.name,
                               body["comment"].AsString()));
  return net::Response::JsonDoc(automation::FiringToJson(firing));
}

}  // namespace gyre::native
