#include "ml/monitoring/monitor_store.h"

namespace gyre::monitoring {
namespace {

constexpr std::string_view kColumns =
    "id, monitor_id, project, monitor, endpoint, signal, state_json, what, columns_json, model, "
    "model_version_id, window_id, window_number, incident_id, changes, updated_us";

Alert AlertOf(const db::Row& row) {
  Alert alert;
  alert.id = row.Str(0);
  alert.monitor_id = row.Str(1);
  alert.project = row.Str(2);
  alert.monitor = row.Str(3);
  alert.endpoint = row.Str(4);
  alert.signal = row.Str(5);
  if (const auto state = Json::Parse(row.Text(6))) alert.state = StateFromJson(*state);
  alert.what = row.Str(7);
  if (const auto columns = Json::Parse(row.Text(8))) {
    for (const Json& column : columns->items()) alert.columns.push_back(column.AsString());
  }
  alert.model = row.Str(9);
  alert.model_version_id = row.Str(10);
  alert.window_id = row.Str(11);
  alert.window_number = row.Int(12);
  alert.incident_id = row.Str(13);
  alert.changes = row.Int(14);
  alert.updated_us = row.Int(15);
  return alert;
}

AlertChange ChangeOf(const db::Row& row) {
  AlertChange change;
  change.number = row.Int(0);
  change.window_id = row.Str(1);
  change.from = ParsePhase(row.Text(2)).value_or(Phase::kOk);
  change.to = ParsePhase(row.Text(3)).value_or(Phase::kOk);
  change.reason = row.Str(4);
  change.mute = row.Str(5);
  change.told = row.Bool(6);
  change.changed_by = row.Str(7);
  change.data_us = row.Int(8);
  change.changed_us = row.Int(9);
  return change;
}

bool Shows(const AlertQuery& query, const Alert& alert) {
  if (!query.projects) return true;
  for (const std::string& project : *query.projects) {
    if (project == alert.project) return true;
  }
  return false;
}

}  // namespace

Result<> PutAlert(db::Transaction& tx, const Alert& alert, const std::string& state,
                  const std::string& columns) {
  return tx.Execute(
      "INSERT INTO monitoring_alert (id, monitor_id, project, monitor, endpoint, signal, phase, "
      "state_json, what, columns_json, model, model_version_id, window_id, window_number, "
      "incident_id, changes, updated_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
      "?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT (id) DO UPDATE SET phase = ?7, state_json = ?8, "
      "what = ?9, columns_json = ?10, model = ?11, model_version_id = ?12, window_id = ?13, "
      "window_number = ?14, incident_id = ?15, changes = ?16, updated_us = ?17",
      {alert.id, alert.monitor_id, alert.project, alert.monitor, alert.endpoint, alert.signal,
       PhaseName(alert.state.phase), state, alert.what, columns, alert.model,
       alert.model_version_id, alert.window_id, alert.window_number, alert.incident_id,
       alert.changes, alert.updated_us});
}

Result<> InsertChange(db::Transaction& tx, std::string_view alert_id, const AlertChange& change) {
  return tx.Execute(
      "INSERT INTO monitoring_alert_change (alert_id, number, window_id, from_phase, to_phase, "
      "reason, mute, told, changed_by, data_us, changed_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
      "?8, ?9, ?10, ?11)",
      {alert_id, change.number, change.window_id, PhaseName(change.from), PhaseName(change.to),
       change.reason, change.mute, change.told, change.changed_by, change.data_us,
       change.changed_us});
}

Result<std::vector<Alert>> ReadAlerts(db::Reader& reader, const AlertQuery& query) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM monitoring_alert WHERE (?1 = '' OR endpoint = ?1) AND (?2 = '' OR monitor = "
      "?2) AND (?3 OR phase = ?4 OR (?4 = '' AND phase <> 'ok')) ORDER BY updated_us DESC, id",
      kColumns);
  std::vector<Alert> alerts;
  GYRE_DO(reader.Query(kSql, {query.endpoint, query.monitor, query.all, query.phase},
                       [&](const db::Row& row) -> Result<> {
                         Alert alert = AlertOf(row);
                         if (static_cast<int>(alerts.size()) < query.limit && Shows(query, alert))
                           alerts.push_back(std::move(alert));
                         return {};
                       }));
  return alerts;
}

Result<std::vector<Alert>> AlertsOf(db::Reader& reader, std::string_view monitor_id) {
  static const std::string kSql =
      fmt::format("SELECT {} FROM monitoring_alert WHERE monitor_id = ?1", kColumns);
  return db::Collect<Alert>(reader, kSql, {monitor_id}, AlertOf);
}

Result<std::vector<AlertChange>> ReadChanges(db::Reader& reader, std::string_view alert_id,
                                             int limit) {
  return db::Collect<AlertChange>(
      reader,
      "SELECT number, window_id, from_phase, to_phase, reason, mute, told, changed_by, data_us, "
      "changed_us FROM monitoring_alert_change WHERE alert_id = ?1 ORDER BY number DESC LIMIT ?2",
      {alert_id, limit}, ChangeOf);
}

}  // namespace gyre::monitoring
