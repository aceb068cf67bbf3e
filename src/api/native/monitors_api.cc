#include "api/native/monitors_api.h"

#include "api/native/in_use.h"
#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "ml/automation/automation.h"
#include "ml/monitoring/monitors.h"

namespace gyre::native {
namespace {

constexpr int kWindowsShown = 30;
constexpr int kChangesShown = 100;

constexpr net::Field kWindow{"window", Type::kObject,
                             "{\"rows\": 500}, or {\"every\": seconds, \"rows_min\", \"lateness\", "
                             "\"few\": keep, append or skip}"};
constexpr net::Field kAlert{"alert", Type::kObject,
                            "{\"bad\": 2, \"of\": 3, \"calm\": 2, \"renotify\": seconds}"};
constexpr net::Field kAgainst{"against", Type::kText, "what drift is measured from",
                              "training|previous"};
constexpr net::Field kEffect{"effect_min", Type::kNumber, "smaller drift is no signal: 0.1"};
constexpr net::Field kMethod{"method", Type::kText,
                             "of drift, for all columns that it fits: calibrated, or one of gyre "
                             "report"};
constexpr net::Field kThreshold{"threshold", Type::kNumber, "of the method; null = its own"};
constexpr net::Field kMethods{"methods", Type::kObject,
                              "{\"age\": \"linf\"}: of single columns; null takes one away"};
constexpr net::Field kThresholds{"thresholds", Type::kObject, "{\"age\": 0.2}: likewise"};
constexpr net::Field kCoverage{"coverage_min", Type::kNumber,
                               "share of labels before performance is judged: 0.5"};
constexpr net::Field kWait{"label_wait", Type::kWhole, "seconds; then a window is final"};
constexpr net::Field kIgnore{"ignore", Type::kTexts, "columns"};
constexpr net::Field kQuiet{"quiet", Type::kTexts, "signals that raise no alert"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/monitors",
     .handler = Bind<&MonitorsApi::List>,
     .permission = Permission("endpoint.read"),
     .summary = "Monitors by name; each endpoint has one",
     .response_type = "MonitorList",
     .query = {kLimit}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/monitors",
     .handler = Bind<&MonitorsApi::Create>,
     .permission = Permission("model.write"),
     .summary = "Watch an endpoint with another monitor",
     .body = Body::kBuffer,
     .members = {{"name", Type::kText, "of the monitor", "", net::kRequired},
                 {"endpoint", Type::kText, "that it watches; else the one of its name"},
                 kWindow,
                 kAlert,
                 kAgainst,
                 kEffect,
                 kMethod,
                 kThreshold,
                 kMethods,
                 kThresholds,
                 kCoverage,
                 kWait,
                 kIgnore,
                 kQuiet}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/monitors/{monitor}",
     .handler = Bind<&MonitorsApi::Get>,
     .permission = Permission("endpoint.read"),
     .summary = "One monitor with its newest windows and its alerts"},
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}/monitors/{monitor}",
     .handler = Bind<&MonitorsApi::Edit>,
     .permission = Permission("model.write"),
     .summary = "Change a monitor; what was judged stays",
     .body = Body::kBuffer,
     .members = {{"enabled", Type::kBool, "whether it looks at all"},
                 kWindow,
                 kAlert,
                 kAgainst,
                 kEffect,
                 kMethod,
                 kThreshold,
                 kMethods,
                 kThresholds,
                 kCoverage,
                 kWait,
                 kIgnore,
                 kQuiet}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/monitors/{monitor}",
     .handler = Bind<&MonitorsApi::Remove>,
     .permission = Permission("model.write"),
     .summary = "Remove a monitor with its windows and alerts, into the trash",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/monitors/{monitor}/run",
     .handler = Bind<&MonitorsApi::Run>,
     .permission = Permission("model.write"),
     .summary = "Judge the windows that are complete now; answers when it is done"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/monitors/{monitor}/windows",
     .handler = Bind<&MonitorsApi::Windows>,
     .permission = Permission("endpoint.read"),
     .summary = "Judged windows, newest first",
     .response_type = "WindowList",
     .query = {kLimit, kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/windows/{window}",
     .handler = Bind<&MonitorsApi::Window>,
     .permission = Permission("endpoint.read"),
     .summary = "One window with every column, and how it was before late rows and labels came"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/signals",
     .handler = Bind<&MonitorsApi::Signals>,
     .permission = Permission("endpoint.read"),
     .summary = "What the newest window of each monitor says",
     .query = {{"endpoint", Type::kText, "only of this one"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/alerts",
     .handler = Bind<&MonitorsApi::Alerts>,
     .permission = Permission("endpoint.read"),
     .summary = "Alerts that fire or are pending, the newest change first",
     .response_type = "AlertList",
     .query = {{"endpoint", Type::kText, "only of this one"},
               {"monitor", Type::kText, "only of this one"},
               {"state", Type::kText, "only those", "ok|pending|firing"},
               {"all", Type::kBool, "those that are over, too"},
               kLimit}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/alerts/{alert}",
     .handler = Bind<&MonitorsApi::GetAlert>,
     .permission = Permission("endpoint.read"),
     .summary = "One alert with its history; by id, or MONITOR:SIGNAL"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/alerts/{alert}/ack",
     .handler = Bind<&MonitorsApi::Ack>,
     .permission = Permission("model.write"),
     .summary = "Take note of a firing alert: it is not told again until it has ended"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/alerts/{alert}/snooze",
     .handler = Bind<&MonitorsApi::Snooze>,
     .permission = Permission("model.write"),
     .summary = "Tell nobody of an alert for some time",
     .body = Body::kBuffer,
     .members = {{"seconds", Type::kWhole, "0 wakes it", "", net::kRequired}}},
    {.method = Method::kGet,
     .path = "/api/v1/monitoring/rules",
     .handler = Bind<&MonitorsApi::Rules>,
     .permission = Permission("metrics.read"),
     .summary = "Alert rules for Prometheus, as YAML"},
};

Json SettingsOf(const Json& body) {
  Json settings = Json::Obj();
  for (const auto& [key, value] : body.members()) {
    if (key != "name" && key != "endpoint") settings.Set(key, value);
  }
  return settings;
}

}  // namespace

net::RouteTable MonitorsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> MonitorsApi::List(net::Request& request) {
  GYRE_TRY(const auto monitors, monitors_.List(request.Param("project")));
  return WholeList(monitors, monitoring::MonitorToJson);
}

Result<net::Response> MonitorsApi::Create(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string name, body.GetString("name"));
  GYRE_TRY(const monitoring::Monitor monitor,
           monitors_.Create({.project = request.Param("project"),
                             .name = name,
                             .endpoint = body["endpoint"].StringOr(name),
                             .created_by = request.principal.name,
                             .spec = SettingsOf(body)}));
  return net::Response::JsonDoc(monitoring::MonitorToJson(monitor), 201);
}

Result<net::Response> MonitorsApi::Get(net::Request& request) {
  const std::string& project = request.Param("project");
  GYRE_TRY(const monitoring::Monitor monitor, monitors_.Get(project, request.Param("monitor")));
  GYRE_TRY(const auto windows, monitors_.Windows(monitor, 0, kWindowsShown));
  GYRE_TRY(const auto alerts, monitors_.Alerts({.projects = std::vector<std::string>{project},
                                                .monitor = monitor.name,
                                                .all = true}));
  Json json = monitoring::MonitorToJson(monitor);
  json.Set("judged", ItemsOf(windows, monitoring::WindowSummary));
  json.Set("alerts", ItemsOf(alerts, monitoring::AlertToJson));
  return net::Response::JsonDoc(json);
}

Result<net::Response> MonitorsApi::Edit(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const monitoring::Monitor monitor,
           monitors_.Edit(request.Param("project"), request.Param("monitor"), body));
  return net::Response::JsonDoc(monitoring::MonitorToJson(monitor));
}

Result<net::Response> MonitorsApi::Remove(net::Request& request) {
  GYRE_TRY(const monitoring::Monitor monitor,
           monitors_.Get(request.Param("project"), request.Param("monitor")));
  const IsAbout about = [&](const automation::TriggerSpec& spec) {
    return automation::SubjectKind(spec.on.cause) == "endpoint" &&
           spec.on.subject == monitor.endpoint;
  };
  return native::Remove(
      trash_, request,
      {.noun = "monitor",
       .name = monitor.name,
       .check =
           [&] {
             return CheckNoTrigger(automation_, monitor.project, "monitor", monitor.name, about);
           },
       .needed_by = [&] { return NeededByTriggers(automation_, monitor.project, about); }});
}

Result<net::Response> MonitorsApi::Run(net::Request& request) {
  const std::string& project = request.Param("project");
  const std::string& name = request.Param("monitor");
  GYRE_TRY(const std::int64_t judged, monitors_.Run(project, name));
  GYRE_TRY(const monitoring::Monitor monitor, monitors_.Get(project, name));
  GYRE_TRY(const auto alerts, monitors_.Alerts({.projects = std::vector<std::string>{project},
                                                .monitor = monitor.name}));
  Json json = monitoring::MonitorToJson(monitor);
  json.Set("judged_now", judged);
  json.Set("alerts", ItemsOf(alerts, monitoring::AlertToJson));
  return net::Response::JsonDoc(json);
}

Result<net::Response> MonitorsApi::Windows(net::Request& request) {
  GYRE_TRY(const SequencePage page, ReadSequencePage(request));
  GYRE_TRY(const monitoring::Monitor monitor,
           monitors_.Get(request.Param("project"), request.Param("monitor")));
  GYRE_TRY(const auto windows, monitors_.Windows(monitor, page.before, page.limit));
  return PageOf(windows, page.limit, monitoring::WindowSummary, &monitoring::JudgedWindow::number);
}

Result<net::Response> MonitorsApi::Window(net::Request& request) {
  GYRE_TRY(const monitoring::JudgedWindow window,
           monitors_.Window(request.Param("project"), request.Param("window")));
  GYRE_TRY(Json revisions, monitors_.Revisions(window));
  Json json = monitoring::WindowToJson(window);
  json.Set("revisions", std::move(revisions));
  return net::Response::JsonDoc(json);
}

Result<net::Response> MonitorsApi::Signals(net::Request& request) {
  GYRE_TRY(Json items,
           monitors_.Signals(request.Param("project"), request.Query("endpoint").value_or("")));
  return net::Response::JsonDoc(Json::Obj({{"items", std::move(items)}}));
}

Result<net::Response> MonitorsApi::Rules(net::Request&) {
  return net::Response::Text(monitoring::PrometheusRules(), 200, "application/yaml");
}

Result<net::Response> MonitorsApi::Alerts(net::Request& request) {
  GYRE_TRY(const int limit, ReadLimit(request));
  const std::string state = request.Query("state").value_or("");
  GYRE_TRY(const auto alerts,
           monitors_.Alerts({.projects = std::vector<std::string>{request.Param("project")},
                             .endpoint = request.Query("endpoint").value_or(""),
                             .monitor = request.Query("monitor").value_or(""),
                             .phase = state,
                             .all = state.empty() && request.Query("all") == "true",
                             .limit = limit}));
  return WholeList(alerts, monitoring::AlertToJson);
}

Result<net::Response> MonitorsApi::GetAlert(net::Request& request) {
  GYRE_TRY(const monitoring::Alert alert,
           monitors_.GetAlert(request.Param("project"), request.Param("alert")));
  GYRE_TRY(const auto changes, monitors_.History(alert, kChangesShown));
  Json json = monitoring::AlertToJson(alert);
  json.Set("history", ItemsOf(changes, monitoring::ChangeToJson));
  return net::Response::JsonDoc(json);
}

Result<net::Response> MonitorsApi::Ack(net::Request& request) {
  GYRE_TRY(const monitoring::Alert alert,
           monitors_.Ack(request.Param("project"), request.Param("alert"), request.principal.name));
  return net::Response::JsonDoc(monitoring::AlertToJson(alert));
}

Result<net::Response> MonitorsApi::Snooze(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::int64_t seconds, body.GetInt("seconds"));
  GYRE_TRY(const monitoring::Alert alert,
           monitors_.Snooze(request.Param("project"), request.Param("alert"), seconds,
                            request.principal.name));
  return net::Response::JsonDoc(monitoring::AlertToJson(alert));
}

}  // namespace gyre::native
