// What one judged window changes, in one transaction; and the gauges that show it.
#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ml/monitoring/monitor_service.h"
#include "platform/exec/fault_point.h"
#include "platform/telemetry/metrics.h"
#include "platform/telemetry/stale.h"

namespace gyre::monitoring {
namespace {

constexpr std::size_t kColumnsShown = 50;  // series of one endpoint

constexpr std::string_view kDriftHelp =
    "Distance of an input column from the reference in the newest window.";
constexpr std::string_view kAlertHelp = "0 = ok, 1 = pending, 2 = firing.";
constexpr std::string_view kMetricHelp =
    "Metric of the newest window: of labelled rows, or estimated from scores.";
constexpr std::string_view kWindowHelp = "End of the newest judged window, in seconds since 1970.";

// What an alert's beginning or end says, made before the transaction.
struct Told {
  std::string kind, payload, reason, state, columns;
  const AlertMove* move = nullptr;
  std::move_only_function<Result<>(db::Transaction&)> notify;
};

bool IsOver(const AlertMove& move) { return move.alert.state.phase != Phase::kFiring; }

std::string TitleOf(const AlertMove& move) {
  const Alert& alert = move.alert;
  const std::string what = alert.what.empty() ? move.step.reason : alert.what;
  return IsOver(move) ? fmt::format("{} is over", alert.name())
                      : fmt::format("{}: {}", alert.name(), what);
}

Told Tell(const MonitoringRooms& rooms, const AlertMove& move, const JudgedWindow& window) {
  Told told;
  told.move = &move;
  told.state = StateToJson(move.alert.state).Dump();
  told.columns = AlertToJson(move.alert)["columns"].Dump();
  const Json event = AlertEvent(move, window);
  if (move.step.began) told.kind = "alert.firing";
  if (move.step.ended) told.kind = "alert.resolved";
  told.payload = event.Dump();
  if (!move.step.tell || !rooms.notify) return told;
  told.notify =
      rooms.notify({.project = move.alert.project,
                    .kind = IsOver(move) ? "alert.resolved" : "alert.firing",
                    .title = TitleOf(move),
                    .text = fmt::format("{}\nmodel {}, window {} until {}", move.step.reason,
                                        move.alert.model, window.number, FormatTime(window.end_us)),
                    .dedupe_key = fmt::format("{}/{}", move.alert.id, move.alert.changes),
                    .urgent = !IsOver(move),
                    .payload = event});
  return told;
}

// A window comes from the versions that answered in it, not from the endpoint: that serves later
// ones too, which have no part in it.
Result<> WriteLineage(db::Transaction& tx, const AlertMove& move, const JudgedWindow& window) {
  const Alert& alert = move.alert;
  const auto node = [&](std::string id, std::string kind, std::string label) {
    return lineage::EnsureNode(tx, {.id = std::move(id),
                                    .kind = std::move(kind),
                                    .label = std::move(label),
                                    .project = alert.project,
                                    .created_us = alert.updated_us});
  };
  GYRE_DO(node(window.id, "window", fmt::format("{}/window-{}", alert.monitor, window.number)));
  GYRE_DO(node(alert.incident_id, "alert", fmt::format("{}/{}", alert.name(), window.number)));
  GYRE_DO(lineage::AddEdge(tx, window.id, alert.incident_id, "raised"));
  const auto watch = [&](const std::string& id, const std::string& model) -> Result<> {
    if (id.empty()) return {};
    GYRE_DO(node(id, "model_version", model));
    return lineage::AddEdge(tx, id, window.id, "watched_in");
  };
  for (const Json& version : window.document["versions"].items())
    GYRE_DO(watch(version["model_version_id"].AsString(), version["model"].AsString()));
  return watch(alert.model_version_id, alert.model);
}

double NumberOf(Phase phase) { return static_cast<double>(static_cast<int>(phase)); }

}  // namespace

Result<> MonitorService::Write(const Commit& commit) {
  std::vector<Told> all;
  for (const AlertMove& move : commit.moves) all.push_back(Tell(rooms_, move, commit.window));
  exec::Fault("window.judged");
  GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    if (commit.revised) GYRE_DO(KeepRevision(tx, commit.window.id));
    GYRE_DO(PutWindow(tx, commit.window, commit.document));
    GYRE_DO(ForgetOldWindows(tx, commit.window));
    for (Told& told : all) {
      const AlertMove& move = *told.move;
      GYRE_DO(MarkObserved(tx, commit.window.id, move.alert.signal));
      GYRE_DO(PutAlert(tx, move.alert, told.state, told.columns));
      if (move.change) GYRE_DO(InsertChange(tx, move.alert.id, *move.change));
      if (move.step.began) GYRE_DO(WriteLineage(tx, move, commit.window));
      if (!told.kind.empty()) {
        GYRE_DO(rooms_.events.Publish(tx, {.kind = told.kind,
                                           .project = move.alert.project,
                                           .subject = commit.window.id,
                                           .payload = told.payload}));
      }
      if (told.notify) GYRE_DO(told.notify(tx));
    }
    return AdvanceMonitor(tx, commit.row);
  }));
  exec::Fault("window.written");
  if (std::ranges::any_of(all, [](const Told& told) { return told.kind == "alert.firing"; }))
    exec::Fault("alert.raised");
  return {};
}

Result<> MonitorService::TellOwed(const Monitor& monitor) {
  const MutexLock lock(writing_);
  std::vector<AlertMove> moves;
  std::vector<JudgedWindow> windows;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(std::vector<Alert> alerts, AlertsOf(reader, monitor.id));
    for (Alert& alert : alerts) {
      if (alert.state.owed.empty()) continue;
      GYRE_DO(FindWindow(reader, alert.project, alert.window_id, &windows.emplace_back()));
      AlertMove& move = moves.emplace_back();
      move.step = {.from = alert.state.phase, .to = alert.state.phase, .reason = {}};
      move.step.tell = true;
      move.step.reason = std::exchange(alert.state.owed, {});
      move.change = AlertChange{.number = ++alert.changes,
                                .window_id = alert.window_id,
                                .from = alert.state.phase,
                                .to = alert.state.phase,
                                .reason = move.step.reason,
                                .told = true,
                                .data_us = windows.back().end_us,
                                .changed_us = rooms_.clock.NowMicros()};
      move.alert = std::move(alert);
    }
    return {};
  }));
  if (moves.empty()) return {};
  std::vector<Told> all;
  for (std::size_t i = 0; i < moves.size(); ++i) all.push_back(Tell(rooms_, moves[i], windows[i]));
  return rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    for (Told& told : all) {
      GYRE_DO(PutAlert(tx, told.move->alert, told.state, told.columns));
      GYRE_DO(InsertChange(tx, told.move->alert.id, *told.move->change));
      if (told.notify) GYRE_DO(told.notify(tx));
    }
    return {};
  });
}

Result<MonitorService::Effect> MonitorService::EndFiring(const Monitor& monitor,
                                                         std::string_view reason) {
  auto moves = std::make_unique<std::vector<AlertMove>>();
  std::vector<JudgedWindow> windows;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(std::vector<Alert> alerts, AlertsOf(reader, monitor.id));
    for (Alert& alert : alerts) {
      if (alert.state.phase != Phase::kFiring) continue;
      GYRE_DO(FindWindow(reader, alert.project, alert.window_id, &windows.emplace_back()));
      AlertMove& move = moves->emplace_back();
      move.step = {.from = Phase::kFiring, .to = Phase::kOk, .reason = std::string(reason)};
      move.step.ended = move.step.tell = true;
      alert.state.phase = Phase::kOk;
      ++alert.changes;
      move.change = {.number = alert.changes,
                     .window_id = alert.window_id,
                     .from = Phase::kFiring,
                     .to = Phase::kOk,
                     .reason = std::string(reason),
                     .told = true,
                     .data_us = windows.back().end_us,
                     .changed_us = rooms_.clock.NowMicros()};
      move.alert = std::move(alert);
    }
    return {};
  }));
  std::vector<Told> all;
  for (std::size_t i = 0; i < moves->size(); ++i)
    all.push_back(Tell(rooms_, (*moves)[i], windows[i]));
  return [this, moves = std::move(moves),
          all = std::move(all)](db::Transaction& tx) mutable -> Result<> {
    for (Told& told : all) {
      GYRE_DO(PutAlert(tx, told.move->alert, told.state, told.columns));
      GYRE_DO(InsertChange(tx, told.move->alert.id, *told.move->change));
      GYRE_DO(rooms_.events.Publish(tx, {.kind = told.kind,
                                         .project = told.move->alert.project,
                                         .subject = told.move->alert.window_id,
                                         .payload = told.payload}));
      if (told.notify) GYRE_DO(told.notify(tx));
    }
    return {};
  };
}

void MonitorService::SetGauges(const Commit& commit) {
  const Monitor& monitor = commit.row.monitor;
  const Json& document = commit.window.document;
  for (const AlertMove& move : commit.moves) {
    rooms_.metrics
        .GetGauge("gyre_alert_state", kAlertHelp,
                  {{"endpoint", monitor.endpoint},
                   {"monitor", monitor.name},
                   {"signal", move.alert.signal}})
        .Set(NumberOf(move.alert.state.phase));
  }
  if (commit.window.end_us < commit.row.cursor_us) return;  // an older window, judged again
  SetDriftGauges(monitor, document["columns"]);
  const auto metric = [&](const Json& of, double value, const char* basis) {
    rooms_.metrics
        .GetGauge("gyre_model_metric", kMetricHelp,
                  {{"endpoint", monitor.endpoint},
                   {"monitor", monitor.name},
                   {"model", of["model"].AsString()},
                   {"metric", of["primary"].AsString()},
                   {"basis", basis}})
        .Set(value);
  };
  for (const Json& one : document["performance"].items())
    metric(one, one["metrics"][one["primary"].AsString()]["estimate"].AsDouble(), "labels");
  for (const Json& one : document["estimate"].items())
    metric(one, one["interval"]["estimate"].AsDouble(), "estimate");
  rooms_.metrics
      .GetGauge("gyre_monitor_window_end_seconds", kWindowHelp,
                {{"endpoint", monitor.endpoint}, {"monitor", monitor.name}})
      .Set(static_cast<double>(commit.window.end_us) / kMicrosPerSecond);
}

// A column that is judged by another method now, or not at all, has no score of before.
void MonitorService::SetDriftGauges(const Monitor& monitor, const Json& columns) {
  std::set<std::pair<std::string, std::string>> shown;
  const auto gauge = [&](const std::string& column, const std::string& method) -> auto& {
    return rooms_.metrics.GetGauge("gyre_drift_score", kDriftHelp,
                                   {{"endpoint", monitor.endpoint},
                                    {"monitor", monitor.name},
                                    {"column", column},
                                    {"method", method}});
  };
  for (const Json& column : columns.items()) {
    if (shown.size() == kColumnsShown) break;
    const bool named = !column.Has("effect");
    const std::string &name = column["name"].AsString(),
                      &method = column[named ? "method" : "effect_method"].AsString();
    gauge(name, method).Set(column[named ? "statistic" : "effect"].AsDouble());
    shown.insert({name, method});
  }
  const MutexLock lock(gauges_);
  for (const auto& [column, method] : std::exchange(drift_shown_[monitor.id], shown)) {
    if (!shown.contains({column, method})) gauge(column, method).Set(telemetry::Stale());
  }
}

// Nobody watches any more, so nothing fires.
void MonitorService::ClearGauges(const Monitor& monitor) {
  SetDriftGauges(monitor, Json());
  for (const std::string_view signal : kSignalNames) {
    rooms_.metrics
        .GetGauge("gyre_alert_state", kAlertHelp,
                  {{"endpoint", monitor.endpoint},
                   {"monitor", monitor.name},
                   {"signal", std::string(signal)}})
        .Set(0);
  }
}

Result<> MonitorService::RestoreGauges() {
  GYRE_TRY(const std::vector<Alert> alerts, Alerts({.all = true, .limit = 2'000}));
  for (const Alert& alert : alerts) {
    rooms_.metrics
        .GetGauge(
            "gyre_alert_state", kAlertHelp,
            {{"endpoint", alert.endpoint}, {"monitor", alert.monitor}, {"signal", alert.signal}})
        .Set(NumberOf(alert.state.phase));
  }
  return {};
}

std::string PrometheusRules() {
  return R"(# Alert rules for Prometheus over the gauges of gyre's /metrics.
groups:
  - name: gyre
    rules:
      - alert: GyreAlertFiring
        expr: gyre_alert_state == 2
        labels:
          severity: warning
        annotations:
          summary: '{{ $labels.signal }} of endpoint {{ $labels.endpoint }}'
          description: 'gyre alerts show {{ $labels.monitor }}:{{ $labels.signal }}'
      - alert: GyreModelPerformance
        expr: gyre_alert_state{signal=~"performance|kpi|estimated_performance|concept_drift"} == 2
        labels:
          severity: critical
        annotations:
          summary: 'the model behind {{ $labels.endpoint }} answers worse than promised'
          description: 'gyre monitors show {{ $labels.monitor }}'
      - alert: GyreRequestsRefused
        expr: rate(gyre_endpoint_failed_total[5m]) > 0.05 * rate(gyre_endpoint_requests_total[5m])
        for: 5m
        labels:
          severity: warning
        annotations:
          summary: 'more than one request in twenty to {{ $labels.endpoint }} is refused'
      - alert: GyreCapturesDropped
        expr: rate(gyre_capture_dropped_rows_total[5m]) > 0
        for: 5m
        labels:
          severity: warning
        annotations:
          summary: 'answers of {{ $labels.endpoint }} are not captured: its monitors see a sample'
          description: 'gyre captures {{ $labels.endpoint }}'
)";
}

}  // namespace gyre::monitoring
