// gyre monitors, gyre alerts: what happens to deployed models, and who is told.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "cli/table_text.h"

namespace gyre::cli {
namespace {

constexpr int kFindings = 5;  // exit code

std::string MonitorsPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project()) + "/monitors";
}
std::string MonitorPath(const Invocation& in) {
  return MonitorsPath(in) + "/" + PercentEncode(in.Get("MONITOR"));
}
std::string AlertsPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project()) + "/alerts";
}
std::string AlertPath(const Invocation& in) {
  return AlertsPath(in) + "/" + PercentEncode(in.Get("ALERT"));
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(MonitorsPath(in)));
  in.out().Table({{"NAME", "name"},
                  {"ENDPOINT", "endpoint"},
                  {"WINDOW", "window_text"},
                  {"JUDGED", "windows", ColumnSpec::Format::kCount},
                  {"NEWEST", "newest", ColumnSpec::Format::kTime},
                  {"STATE", "state"},
                  {"ALERT", "alert_text", ColumnSpec::Format::kText, true}},
                 answer["items"]);
  if (answer["items"].size() == 0) in.out().Hint("gyre deploy MODEL@champion");
  return 0;
}

// "auc 0.861 (0.83 to 0.89)" of the first model, "" where nothing is known.
std::string MetricText(const Json& measured, std::string_view name) {
  if (!measured["estimate"].is_number()) return {};
  return fmt::format("{} {:.3f} ({:.3f} to {:.3f})", name, measured["estimate"].AsDouble(),
                     measured["lower"].AsDouble(), measured["upper"].AsDouble());
}

std::string Drifted(const Json& window) {
  std::string text;
  for (const Json& column : window["columns"].items())
    text += (text.empty() ? "" : ", ") + column["name"].AsString();
  if (!window["predictions"].items().empty())
    text += text.empty() ? "predictions" : ", predictions";
  return text.empty() ? "-" : text;
}

std::string BadSignals(const Json& window) {
  std::string text;
  for (const Json& signal : window["signals"].items()) {
    if (signal["level"].AsString() == "bad")
      text += (text.empty() ? "" : ", ") + signal["signal"].AsString();
  }
  return text.empty() ? "ok" : text;
}

Json WindowRow(const Json& window) {
  Json row = window;
  row.Set("drifted", Drifted(window));
  row.Set("bad", BadSignals(window));
  const Json::Array& performance = window["performance"].items();
  const Json::Array& estimate = window["estimate"].items();
  row.Set("measured",
          performance.empty()
              ? "-"
              : MetricText(performance[0]["metrics"][performance[0]["primary"].AsString()],
                           performance[0]["primary"].AsString()));
  row.Set("estimated", estimate.empty() ? "-"
                                        : MetricText(estimate[0]["interval"],
                                                     estimate[0]["primary"].AsString()));
  return row;
}

void PrintAlerts(Output& out, const Json& alerts) {
  out.Table({{"ALERT", "name"},
             {"STATE", "state"},
             {"SINCE", "since", ColumnSpec::Format::kTime},
             {"WHAT", "what"},
             {"MODEL", "model"},
             {"ACKED", "acked_by"},
             {"ID", "id", ColumnSpec::Format::kText, true}},
            alerts);
}

// "" where the default judges all columns.
std::string MethodText(const Json& spec) {
  const auto of = [](const Json& method, const Json& threshold) {
    return method.AsString() +
           (threshold.is_number() ? fmt::format(" (threshold {:g})", threshold.AsDouble()) : "");
  };
  std::string text = of(spec["method"], spec["threshold"]);
  for (const auto& [column, method] : spec["methods"].members())
    text += fmt::format(", {} by {}", column, of(method, spec["thresholds"][column]));
  return text == "calibrated" ? std::string() : fmt::format("drift by   {}\n", text);
}

// What came late; "" where nothing did.
std::string LateText(const Json& late) {
  const auto line = [&](std::string_view head, std::string_view rows, std::string_view labels,
                        std::string_view what) {
    if (late[rows].AsInt() == 0 && late[labels].AsInt() == 0) return std::string();
    return fmt::format("{} rows {}, labels {}: came {}\n", head, GroupDigits(late[rows].AsInt()),
                       GroupDigits(late[labels].AsInt()), what);
  };
  return line("late      ", "rows", "labels",
              "after their window was judged, which was judged again") +
         line("left out  ", "left_out_rows", "left_out_labels", "when their window was final");
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json monitor, session->Get(MonitorPath(in)));
  Output& out = in.out();
  if (out.json()) {
    out.Document(monitor, "");
    return 0;
  }
  std::string text = fmt::format(
      "monitor    {}\nendpoint   {}\nwindow     {}\nalert      {}\nstate      {}\n",
      monitor["name"].AsString(), monitor["endpoint"].AsString(), monitor["window_text"].AsString(),
      monitor["alert_text"].AsString(), monitor["state"].AsString());
  text += MethodText(monitor["spec"]);
  text += LateText(monitor["late"]);
  if (!monitor["problem"].AsString().empty())
    text += fmt::format("problem    {}\n", monitor["problem"].AsString());
  out.Print(text);
  if (monitor["judged"].size() > 0) {
    out.Print("\n");
    Json rows = Json::Arr();
    for (const Json& window : monitor["judged"].items()) rows.Push(WindowRow(window));
    out.Table({{"WINDOW", "number", ColumnSpec::Format::kCount},
               {"UNTIL", "end", ColumnSpec::Format::kTime},
               {"ROWS", "rows", ColumnSpec::Format::kCount},
               {"LABELS", "labelled", ColumnSpec::Format::kCount},
               {"DRIFTED", "drifted"},
               {"MEASURED", "measured"},
               {"ESTIMATED", "estimated"},
               {"TROUBLE", "bad"},
               {"STATE", "state", ColumnSpec::Format::kText, true},
               {"ID", "id", ColumnSpec::Format::kText, true}},
              rows, "id");
  }
  Json shown = Json::Arr();
  for (const Json& alert : monitor["alerts"].items()) {
    if (alert["state"].AsString() != "ok") shown.Push(alert);
  }
  if (shown.size() > 0) {
    out.Print("\n");
    PrintAlerts(out, shown);
  }
  return 0;
}

Result<> ReadWindow(Invocation& in, Json* body) {
  Json window = Json::Obj();
  if (in.Has("rows")) {
    GYRE_TRY(const std::int64_t rows, in.GetInt("rows"));
    window.Set("rows", rows);
  }
  if (in.Has("every")) {
    GYRE_TRY(const double every, in.GetSeconds("every"));
    window.Set("every", static_cast<std::int64_t>(every));
  }
  if (in.Has("lateness")) {
    GYRE_TRY(const double lateness, in.GetSeconds("lateness"));
    window.Set("lateness", static_cast<std::int64_t>(lateness));
  }
  if (in.Has("rows-min")) {
    GYRE_TRY(const std::int64_t rows, in.GetInt("rows-min"));
    window.Set("rows_min", rows);
  }
  if (in.Has("few")) window.Set("few", in.Get("few"));
  if (window.size() > 0) body->Set("window", std::move(window));
  return {};
}

// "psi" is of all columns, "age=linf" of one; "age=" takes that away.
Result<> ReadMethods(Invocation& in, Json* body) {
  Json methods = Json::Obj(), thresholds = Json::Obj();
  for (const std::string& text : in.List("method")) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos)
      body->Set("method", text);
    else
      methods.Set(text.substr(0, equals),
                  equals + 1 == text.size() ? Json() : Json(text.substr(equals + 1)));
  }
  for (const std::string& text : in.List("threshold")) {
    const std::size_t equals = text.rfind('=');
    const auto number = ParseDouble(equals == std::string::npos ? text : text.substr(equals + 1));
    if (!number)
      return InvalidArgument("GY4002", "--threshold {} is no number", text)
          .Fix("--threshold 0.2, or --threshold age=0.2");
    if (equals == std::string::npos)
      body->Set("threshold", *number);
    else
      thresholds.Set(text.substr(0, equals), *number);
  }
  if (methods.size() > 0) body->Set("methods", std::move(methods));
  if (thresholds.size() > 0) body->Set("thresholds", std::move(thresholds));
  return {};
}

Result<Json> ReadSettings(Invocation& in) {
  Json body = Json::Obj(), alert = Json::Obj();
  GYRE_DO(ReadWindow(in, &body));
  GYRE_DO(ReadMethods(in, &body));
  for (const std::string_view name : {"bad", "of", "calm"}) {
    if (!in.Has(name)) continue;
    GYRE_TRY(const std::int64_t windows, in.GetInt(name));
    alert.Set(name, windows);
  }
  if (in.Has("renotify")) {
    GYRE_TRY(const double seconds, in.GetSeconds("renotify"));
    alert.Set("renotify", static_cast<std::int64_t>(seconds));
  }
  if (alert.size() > 0) body.Set("alert", std::move(alert));
  if (in.Has("against")) body.Set("against", in.Get("against"));
  if (in.Has("effect-min")) {
    GYRE_TRY(const double effect, in.GetDouble("effect-min"));
    body.Set("effect_min", effect);
  }
  if (in.Has("coverage-min")) {
    GYRE_TRY(const double coverage, in.GetDouble("coverage-min"));
    body.Set("coverage_min", coverage);
  }
  if (in.Has("label-wait")) {
    GYRE_TRY(const double seconds, in.GetSeconds("label-wait"));
    body.Set("label_wait", static_cast<std::int64_t>(seconds));
  }
  for (const auto& [option, member] :
       {std::pair{"ignore", "ignore"}, std::pair{"quiet-signal", "quiet"}}) {
    if (!in.Has(option)) continue;
    Json names = Json::Arr();
    for (const std::string& name : in.List(option)) names.Push(name);
    body.Set(member, std::move(names));
  }
  return body;
}

void Announce(Invocation& in, const Json& monitor, std::string_view what) {
  Output& out = in.out();
  if (out.json()) {
    out.Document(monitor, "");
    return;
  }
  out.Done(fmt::format("monitor {} {}   every {} of endpoint {}; an alert takes {}",
                       monitor["name"].AsString(), what, monitor["window_text"].AsString(),
                       monitor["endpoint"].AsString(), monitor["alert_text"].AsString()));
}

Result<int> Create(Invocation& in) {
  GYRE_TRY(Json body, ReadSettings(in));
  body.Set("name", in.Get("MONITOR"));
  if (in.Has("endpoint")) body.Set("endpoint", in.Get("endpoint"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json monitor, session->Post(MonitorsPath(in), body));
  Announce(in, monitor, "created");
  return 0;
}

Result<int> Edit(Invocation& in) {
  GYRE_TRY(Json body, ReadSettings(in));
  if (in.Has("on") || in.Has("off")) body.Set("enabled", in.Has("on"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json monitor, session->Patch(MonitorPath(in), body));
  Announce(in, monitor, "changed");
  return 0;
}

Result<int> Remove(Invocation& in) {
  const std::string name = in.Get("MONITOR");
  GYRE_DO(in.Confirm("remove monitor " + name + " with its windows and alerts", name));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone,
           session->Delete(MonitorPath(in) + (in.Has("force") ? "?force=true" : "")));
  SayRemoved(in.out(), "monitor " + name, gone);
  return 0;
}

Result<Json> RunNow(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  return session->Post(MonitorPath(in) + "/run", Json::Obj());
}

Result<int> Run(Invocation& in) {
  GYRE_TRY(const Json answer, RunNow(in));
  Output& out = in.out();
  if (out.json()) {
    out.Document(answer, "");
    return 0;
  }
  out.Done(fmt::format("{} {} judged   {}", answer["judged_now"].AsInt(),
                       answer["judged_now"].AsInt() == 1 ? "window" : "windows",
                       answer["state"].AsString()));
  out.Hint("gyre monitors show " + answer["name"].AsString());
  return 0;
}

Result<int> Check(Invocation& in) {
  GYRE_TRY(const Json answer, RunNow(in));
  Output& out = in.out();
  Json firing = Json::Arr();
  for (const Json& alert : answer["alerts"].items()) {
    if (alert["state"].AsString() == "firing") firing.Push(alert);
  }
  if (out.json()) {
    out.Document(answer, "");
  } else if (firing.size() > 0) {
    PrintAlerts(out, firing);
  } else {
    out.Done(fmt::format("monitor {}: no alert fires   {} windows judged",
                         answer["name"].AsString(), answer["windows"].AsInt()));
  }
  return firing.size() > 0 ? kFindings : 0;
}

Result<int> Rules(Invocation& in) {
  GYRE_TRY(const std::string file, OutFile(in));
  GYRE_TRY(Session* const session, in.session());
  GYRE_DO(session->Download("/api/v1/monitoring/rules", file, in.out()));
  return 0;
}

Result<int> ListAlerts(Invocation& in) {
  std::string path = AlertsPath(in) + "?limit=1000";
  if (in.Has("all")) path += "&all=true";
  if (in.Has("endpoint")) path += "&endpoint=" + PercentEncode(in.Get("endpoint"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(path));
  PrintAlerts(in.out(), answer["items"]);
  if (answer["items"].size() == 0)
    in.out().Hint(in.Has("all") ? "gyre monitors    (what is watched)"
                                : "gyre alerts --all    (no alert fires or is pending)");
  return 0;
}

Result<int> ShowAlert(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json alert, session->Get(AlertPath(in)));
  Output& out = in.out();
  if (out.json()) {
    out.Document(alert, "");
    return 0;
  }
  std::string text = fmt::format(
      "alert      {}   {}\nstate      {}{}\nwhat       {}\nendpoint   {}\nmodel      {}\nwindow    "
      " "
      "{}   {}\n",
      alert["name"].AsString(), alert["id"].AsString(), alert["state"].AsString(),
      alert["since"].is_null() ? "" : " since " + alert["since"].AsString(),
      alert["what"].AsString(), alert["endpoint"].AsString(), alert["model"].AsString(),
      alert["window_number"].AsInt(), alert["window"].AsString());
  if (!alert["acked_by"].AsString().empty())
    text += fmt::format("acked by   {}\n", alert["acked_by"].AsString());
  if (!alert["snoozed_until"].is_null())
    text += fmt::format("snoozed    until {}\n", alert["snoozed_until"].AsString());
  if (const std::string& incident = alert["incident"].AsString(); !incident.empty())
    text += fmt::format("lineage    gyre lineage {}\n", incident.substr(0, 12));
  out.Print(text + "\n");
  out.Table({{"NUMBER", "number", ColumnSpec::Format::kCount},
             {"TIME", "time", ColumnSpec::Format::kTime},
             {"FROM", "from"},
             {"TO", "to"},
             {"REASON", "reason"},
             {"SILENT", "mute"}},
            alert["history"], "number");
  return 0;
}

Result<int> Ack(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json alert, session->Post(AlertPath(in) + "/ack", Json::Obj()));
  if (in.out().json()) in.out().Document(alert, "");
  in.out().Done(fmt::format("alert {} acknowledged: it is not told again until it has ended",
                            alert["name"].AsString()));
  return 0;
}

Result<int> Snooze(Invocation& in) {
  GYRE_TRY(const double seconds, in.GetSeconds("for"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json alert,
           session->Post(AlertPath(in) + "/snooze",
                         Json::Obj({{"seconds", static_cast<std::int64_t>(seconds)}})));
  if (in.out().json()) in.out().Document(alert, "");
  in.out().Done(alert["snoozed_until"].is_null()
                    ? fmt::format("alert {} is awake", alert["name"].AsString())
                    : fmt::format("alert {} snoozed until {}", alert["name"].AsString(),
                                  alert["snoozed_until"].AsString()));
  return 0;
}

constexpr Positional kMonitor[] = {{"MONITOR", "a monitor", true, false, "monitors"}};
constexpr Positional kAlert[] = {
    {"ALERT", "MONITOR:SIGNAL (churn:drift), or an id", true, false, "alerts"}};
constexpr Option kSettings[] = {
    {"--rows", "N", "judge every N rows"},
    {"--every", "TIME", "judge every hour, day, ... of event time: 1h, 1d"},
    {"--rows-min", "N", "of a window by time"},
    {"--few", "HOW", "what becomes of a window with fewer: keep, append or skip"},
    {"--lateness", "TIME", "how long a window by time waits for late rows"},
    {"--bad", "M", "bad windows that an alert takes"},
    {"--of", "N", "of the last so many"},
    {"--calm", "N", "calm windows in a row that end it"},
    {"--renotify", "TIME", "tell of a firing alert again after so long"},
    {"--against", "WHAT", "drift from training or previous (the window before)"},
    {"--effect-min", "SIZE", "smaller drift is no signal"},
    {"--method", "METHOD",
     "of drift, as in gyre report: psi for all columns that it fits, age=linf for one; calibrated "
     "is the default, age= takes its own away",
     "", true},
    {"--threshold", "NUMBER", "of the method; age=0.2 for one column; default: its usual one", "",
     true},
    {"--coverage-min", "SHARE", "of labels, before performance is judged"},
    {"--label-wait", "TIME", "then a window is final"},
    {"--ignore", "COLUMN", "a column that is not watched", "", true},
    {"--quiet-signal", "SIGNAL", "a signal that raises no alert", "", true},
};
template <std::size_t N>
constexpr std::array<Option, N + std::size(kSettings)> WithSettings(const Option (&own)[N]) {
  std::array<Option, N + std::size(kSettings)> all{};
  std::ranges::copy(kSettings, std::ranges::copy(own, all.begin()).out);
  return all;
}
constexpr auto kCreate =
    WithSettings({{"--endpoint", "ENDPOINT", "that it watches; default: of its own name", "", false,
                   "endpoints"}});
constexpr auto kEdit = WithSettings({{"--on", "", "look again"}, {"--off", "", "look no more"}});
constexpr Option kForced[] = {kForce};
constexpr Option kRules[] = {{"--out", "FILE", "where to; - = standard output", "-", false, "file"},
                             kForceOut};
constexpr Option kAlerts[] = {
    {"--all", "", "those that are over, too"},
    {"--endpoint", "ENDPOINT", "only of this one", "", false, "endpoints"},
};
constexpr Option kSnooze[] = {{"--for", "TIME", "2h, 3d; 0 wakes it", "1h"}};
constexpr Command kCommands[] = {
    {"monitors ls",
     "every monitor and its state",
     "gyre monitors\ngyre monitors -o json",
     {},
     {},
     List},
    {"monitors show",
     "what the newest windows of a monitor say",
     "gyre monitors show churn",
     kMonitor,
     {},
     Show},
    {"monitors create", "watch an endpoint with another monitor",
     "gyre monitors create churn-fast --endpoint churn --rows 200\ngyre monitors create "
     "churn-daily "
     "--endpoint churn --every 1d --against previous",
     kMonitor, kCreate, Create},
    {"monitors edit", "change a monitor",
     "gyre monitors edit churn --rows 500\ngyre monitors edit churn --ignore customer_id --bad 3\n"
     "gyre monitors edit churn --method psi --threshold 0.2 --method age=linf",
     kMonitor, kEdit, Edit},
    {"monitors run",
     "judge the windows that are complete now",
     "gyre monitors run churn",
     kMonitor,
     {},
     Run},
    {"monitors check",
     "judge now; exit code 5 when an alert fires",
     "gyre monitors check churn",
     kMonitor,
     {},
     Check},
    {"monitors rules",
     "alert rules for Prometheus",
     "gyre monitors rules > gyre_rules.yml",
     {},
     kRules,
     Rules},
    {"monitors rm", "remove a monitor with its windows and alerts; gyre undelete brings it back",
     "gyre monitors rm churn --yes\ngyre monitors rm churn --dry-run", kMonitor, kForced, Remove},
    {"alerts ls",
     "alerts that fire or are pending",
     "gyre alerts\ngyre alerts --all",
     {},
     kAlerts,
     ListAlerts},
    {"alerts show",
     "one alert with its history",
     "gyre alerts show churn:drift",
     kAlert,
     {},
     ShowAlert},
    {"alerts ack",
     "take note of an alert: it is not told again",
     "gyre alerts ack churn:drift",
     kAlert,
     {},
     Ack},
    {"alerts snooze", "tell nobody of an alert for some time",
     "gyre alerts snooze churn:drift --for 4h", kAlert, kSnooze, Snooze},
};

}  // namespace

std::span<const Command> MonitorsCommands() { return kCommands; }

}  // namespace gyre::cli
