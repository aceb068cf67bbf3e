#include "ml/monitoring/monitor_store.h"

#include <algorithm>

namespace gyre::monitoring {
namespace {

constexpr int kRevisionsKept = 4;             // beside the first
constexpr std::int64_t kWindowsKept = 5'000;  // of a monitor: hours of seven months
constexpr std::string_view kMonitorColumns =
    "m.id, m.project, m.name, m.endpoint, m.spec_json, m.enabled, m.removed, m.cursor_us, "
    "m.counts_json, m.looked_json, m.problem, m.created_by, m.created_us, m.updated_us, "
    "(SELECT COALESCE(MAX(w.number), 0) FROM monitoring_window w WHERE w.monitor_id = m.id), "
    "(SELECT COALESCE(MAX(w.end_us), 0) FROM monitoring_window w WHERE w.monitor_id = m.id), "
    "(SELECT COUNT(*) FROM monitoring_alert a WHERE a.monitor_id = m.id AND a.phase = 'firing'), "
    "(SELECT COUNT(*) FROM monitoring_alert a WHERE a.monitor_id = m.id AND a.phase = 'pending'), "
    "(SELECT COALESCE(SUM(w.late_rows), 0) FROM monitoring_window w WHERE w.monitor_id = m.id), "
    "(SELECT COALESCE(SUM(w.late_labels), 0) FROM monitoring_window w WHERE w.monitor_id = m.id), "
    "(SELECT COALESCE(SUM(w.left_out_rows), 0) FROM monitoring_window w WHERE w.monitor_id = "
    "m.id), "
    "(SELECT COALESCE(SUM(w.left_out_labels), 0) FROM monitoring_window w WHERE w.monitor_id = "
    "m.id)";
constexpr std::string_view kWindowColumns =
    "w.id, w.monitor_id, w.number, w.begin_us, w.end_us, w.state, w.row_count, w.labelled, "
    "w.revision, w.document_json, w.computed_us, w.late_rows, w.late_labels, w.left_out_rows, "
    "w.left_out_labels";
constexpr int kFinalMax = 1'000;    // windows whose late rows are counted at once
constexpr int kLabelHistory = 500;  // windows

Json JsonOf(std::string_view text) {
  auto json = Json::Parse(text);
  return json ? *std::move(json) : Json();
}

MonitorRow MonitorOf(const db::Row& row) {
  MonitorRow read;
  Monitor& monitor = read.monitor;
  monitor.id = row.Str(0);
  monitor.project = row.Str(1);
  monitor.name = row.Str(2);
  monitor.endpoint = row.Str(3);
  monitor.spec = ChangedSpec({}, JsonOf(row.Text(4))).value_or(MonitorSpec());
  monitor.enabled = row.Bool(5);
  read.removed = row.Bool(6);
  read.cursor_us = row.Int(7);
  read.counts = row.Str(8);
  read.looked = row.Str(9);
  monitor.problem = row.Str(10);
  monitor.created_by = row.Str(11);
  monitor.created_us = row.Int(12);
  monitor.updated_us = row.Int(13);
  monitor.windows = row.Int(14);
  monitor.newest_us = row.Int(15);
  monitor.firing = static_cast<int>(row.Int(16));
  monitor.pending = static_cast<int>(row.Int(17));
  monitor.late = {row.Int(18), row.Int(19), row.Int(20), row.Int(21)};
  return read;
}

JudgedWindow WindowOf(const db::Row& row) {
  JudgedWindow window;
  window.id = row.Str(0);
  window.monitor_id = row.Str(1);
  window.number = row.Int(2);
  window.begin_us = row.Int(3);
  window.end_us = row.Int(4);
  window.state = row.Text(5) == WindowStateName(WindowState::kFinal) ? WindowState::kFinal
                                                                     : WindowState::kProvisional;
  window.rows = row.Int(6);
  window.labelled = row.Int(7);
  window.revision = static_cast<int>(row.Int(8));
  window.document = JsonOf(row.Text(9));
  window.computed_us = row.Int(10);
  window.late = {row.Int(11), row.Int(12), row.Int(13), row.Int(14)};
  return window;
}

}  // namespace

Result<> InsertMonitor(db::Transaction& tx, const MonitorRow& row, const std::string& spec) {
  const Monitor& monitor = row.monitor;
  return tx.Execute(
      "INSERT INTO monitoring_monitor (id, project, name, endpoint, spec_json, enabled, removed, "
      "cursor_us, counts_json, looked_json, problem, created_by, created_us, updated_us) VALUES "
      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
      {monitor.id, monitor.project, monitor.name, monitor.endpoint, spec, monitor.enabled,
       row.removed, row.cursor_us, row.counts, row.looked, monitor.problem, monitor.created_by,
       monitor.created_us, monitor.updated_us});
}

Result<> UpdateMonitor(db::Transaction& tx, const MonitorRow& row, const std::string& spec) {
  const Monitor& monitor = row.monitor;
  return tx.Execute(
      "UPDATE monitoring_monitor SET endpoint = ?2, spec_json = ?3, enabled = ?4, removed = ?5, "
      "created_by = ?6, updated_us = ?7 WHERE id = ?1",
      {monitor.id, monitor.endpoint, spec, monitor.enabled, row.removed, monitor.created_by,
       monitor.updated_us});
}

Result<> AdvanceMonitor(db::Transaction& tx, const MonitorRow& row) {
  return tx.Execute(
      "UPDATE monitoring_monitor SET cursor_us = ?2, counts_json = ?3, looked_json = ?4, problem = "
      "?5 WHERE id = ?1",
      {row.monitor.id, row.cursor_us, row.counts, row.looked, row.monitor.problem});
}

// `monitors`: SELECT of their ids. Rows that refer to others before those.
std::vector<trash::Holding::Rows> RowsOfMonitors(std::string_view monitors) {
  const std::string windows = fmt::format(
      "window_id IN (SELECT id FROM monitoring_window WHERE monitor_id IN ({}))", monitors);
  const std::string alerts = fmt::format(
      "alert_id IN (SELECT id FROM monitoring_alert WHERE monitor_id IN ({}))", monitors);
  const std::string of_monitors = fmt::format("monitor_id IN ({})", monitors);
  return {{"monitoring_revision", windows},
          {"monitoring_observed", windows},
          {"monitoring_window", of_monitors},
          {"monitoring_alert_change", alerts},
          {"monitoring_alert", of_monitors},
          {"monitoring_monitor", fmt::format("id IN ({})", monitors)}};
}

Result<> DeleteMonitor(db::Transaction& tx, std::string_view id) {
  for (const auto& rows : RowsOfMonitors("?1"))
    GYRE_DO(tx.Execute(fmt::format("DELETE FROM {} WHERE {}", rows.table, rows.condition), {id}));
  return {};
}

Result<> TakeMonitor(trash::Parcel& parcel, std::string_view id) {
  for (const auto& rows : RowsOfMonitors("?1"))
    GYRE_DO(parcel.Take(rows.table, rows.condition, {id}));
  return {};
}

Result<> DeleteMark(db::Transaction& tx, std::string_view project, std::string_view name) {
  return tx.Execute(
      "DELETE FROM monitoring_monitor WHERE project = ?1 AND name = ?2 AND removed = 1",
      {project, name});
}

Result<bool> FindMonitor(db::Reader& reader, std::string_view project, std::string_view name,
                         MonitorRow* row) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM monitoring_monitor m WHERE m.project = ?1 AND m.name = ?2", kMonitorColumns);
  return reader.QueryOne(kSql, {project, name},
                         [&](const db::Row& found) { *row = MonitorOf(found); });
}

Result<std::vector<MonitorRow>> ReadMonitors(db::Reader& reader, std::string_view project) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM monitoring_monitor m WHERE ?1 = '' OR m.project = ?1 "
      "ORDER BY m.project, m.name",
      kMonitorColumns);
  return db::Collect<MonitorRow>(reader, kSql, {project}, MonitorOf);
}

Result<> PutWindow(db::Transaction& tx, const JudgedWindow& window, const std::string& document) {
  return tx.Execute(
      "INSERT INTO monitoring_window (id, monitor_id, number, begin_us, end_us, state, row_count, "
      "labelled, revision, document_json, computed_us, label_delay_us, late_rows, late_labels) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (id) DO "
      "UPDATE SET state = ?6, row_count = ?7, labelled = ?8, revision = ?9, document_json = ?10, "
      "computed_us = ?11, label_delay_us = ?12, late_rows = ?13, late_labels = ?14",
      {window.id, window.monitor_id, window.number, window.begin_us, window.end_us,
       WindowStateName(window.state), window.rows, window.labelled, window.revision, document,
       window.computed_us,
       static_cast<std::int64_t>(window.document["labels"]["delay_p50"].AsDouble() *
                                 kMicrosPerSecond),
       window.late.rows, window.late.labels});
}

Result<std::vector<JudgedWindow>> ReadFinal(db::Reader& reader, std::string_view monitor_id,
                                            std::int64_t since_us, int lacking_labels) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM monitoring_window w WHERE w.monitor_id = ?1 AND w.state = 'final' AND "
      "(w.end_us > ?2 OR w.id IN (SELECT n.id FROM monitoring_window n WHERE n.monitor_id = ?1 AND "
      "n.state = 'final' AND n.labelled + n.left_out_labels < n.row_count + n.left_out_rows ORDER "
      "BY n.number DESC LIMIT ?3)) ORDER BY w.begin_us DESC LIMIT ?4",
      kWindowColumns);
  GYRE_TRY(std::vector<JudgedWindow> windows,
           db::Collect<JudgedWindow>(reader, kSql,
                                     {monitor_id, since_us, lacking_labels, kFinalMax}, WindowOf));
  std::ranges::reverse(windows);
  return windows;
}

Result<> LeaveOut(db::Transaction& tx, std::string_view window_id, std::int64_t rows,
                  std::int64_t labels) {
  return tx.Execute(
      "UPDATE monitoring_window SET left_out_rows = ?2, left_out_labels = ?3 WHERE id = ?1 AND "
      "(left_out_rows <> ?2 OR left_out_labels <> ?3)",
      {window_id, rows, labels});
}

Result<std::vector<LabelsOfWindow>> ReadLabelHistory(db::Reader& reader,
                                                     std::string_view monitor_id) {
  GYRE_TRY(std::vector<LabelsOfWindow> windows,
           db::Collect<LabelsOfWindow>(
               reader,
               "SELECT end_us, labelled, label_delay_us FROM monitoring_window WHERE monitor_id = "
               "?1 ORDER BY number DESC LIMIT ?2",
               {monitor_id, kLabelHistory}, [](const db::Row& row) {
                 return LabelsOfWindow{.end_us = row.Int(0),
                                       .labelled = row.Int(1),
                                       .delay_us = static_cast<double>(row.Int(2))};
               }));
  std::ranges::reverse(windows);
  return windows;
}

Result<std::optional<std::int64_t>> ReadLabelledSince(db::Reader& reader, std::string_view project,
                                                      std::string_view endpoint,
                                                      std::int64_t since_us) {
  std::optional<std::int64_t> most;
  GYRE_DO(reader.Query(
      "SELECT (SELECT COALESCE(SUM(w.labelled), 0) FROM monitoring_window w WHERE w.monitor_id = "
      "m.id AND w.begin_us >= ?3) FROM monitoring_monitor m WHERE m.project = ?1 AND m.endpoint = "
      "?2 AND m.removed = 0",
      {project, endpoint, since_us}, [&](const db::Row& row) -> Result<> {
        most = std::max(most.value_or(0), row.Int(0));
        return {};
      }));
  return most;
}

Result<> ForgetOldWindows(db::Transaction& tx, const JudgedWindow& newest) {
  const std::int64_t through = newest.number - kWindowsKept;
  if (through <= 0) return {};
  for (
      const std::string_view sql :
      {"DELETE FROM monitoring_revision WHERE window_id IN (SELECT id FROM monitoring_window WHERE "
       "monitor_id = ?1 AND number <= ?2)",
       "DELETE FROM monitoring_observed WHERE window_id IN (SELECT id FROM monitoring_window WHERE "
       "monitor_id = ?1 AND number <= ?2)",
       "DELETE FROM monitoring_window WHERE monitor_id = ?1 AND number <= ?2"})
    GYRE_DO(tx.Execute(sql, {newest.monitor_id, through}));
  return {};
}

// The first one and the newest: labels may come in thousands of small batches.
Result<> KeepRevision(db::Transaction& tx, std::string_view window_id) {
  GYRE_DO(
      tx.Execute("DELETE FROM monitoring_revision WHERE window_id = ?1 AND revision > 1 AND "
                 "revision <= (SELECT revision FROM monitoring_window WHERE id = ?1) - ?2",
                 {window_id, kRevisionsKept}));
  return tx.Execute(
      "INSERT INTO monitoring_revision (window_id, revision, document_json, computed_us) SELECT "
      "id, revision, document_json, computed_us FROM monitoring_window WHERE id = ?1",
      {window_id});
}

Result<std::vector<JudgedWindow>> ReadWindows(db::Reader& reader, std::string_view monitor_id,
                                              std::int64_t before, int limit) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM monitoring_window w WHERE w.monitor_id = ?1 AND (?2 = 0 OR "
      "w.number < ?2) ORDER BY w.number DESC LIMIT ?3",
      kWindowColumns);
  return db::Collect<JudgedWindow>(reader, kSql, {monitor_id, before, limit}, WindowOf);
}

Result<std::vector<JudgedWindow>> ReadProvisional(db::Reader& reader, std::string_view monitor_id,
                                                  int limit) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM monitoring_window w WHERE w.monitor_id = ?1 AND w.state = "
      "'provisional' ORDER BY w.number DESC LIMIT ?2",
      kWindowColumns);
  GYRE_TRY(std::vector<JudgedWindow> windows,
           db::Collect<JudgedWindow>(reader, kSql, {monitor_id, limit}, WindowOf));
  std::ranges::reverse(windows);
  return windows;
}

Result<std::int64_t> ReadEndUntil(db::Reader& reader, std::string_view monitor_id,
                                  std::int64_t event_us) {
  std::int64_t end_us = 0;
  GYRE_DO(reader.QueryOne(
      "SELECT COALESCE(MAX(end_us), 0) FROM monitoring_window WHERE monitor_id = ?1 AND begin_us "
      "<= ?2",
      {monitor_id, event_us}, [&](const db::Row& row) { end_us = row.Int(0); }));
  return end_us;
}

Result<bool> FindWindow(db::Reader& reader, std::string_view project, std::string_view id,
                        JudgedWindow* window) {
  static const std::string kSql = fmt::format(
      "SELECT {} FROM monitoring_window w JOIN monitoring_monitor m ON m.id = "
      "w.monitor_id WHERE m.project = ?1 AND w.id = ?2",
      kWindowColumns);
  return reader.QueryOne(kSql, {project, id}, [&](const db::Row& row) { *window = WindowOf(row); });
}

Result<Json> ReadRevisions(db::Reader& reader, std::string_view window_id) {
  Json revisions = Json::Arr();
  GYRE_DO(
      reader.Query("SELECT revision, document_json, computed_us FROM monitoring_revision WHERE "
                   "window_id = ?1 ORDER BY revision",
                   {window_id}, [&](const db::Row& row) -> Result<> {
                     Json document = JsonOf(row.Text(1));
                     document.Set("revision", row.Int(0));
                     document.Set("computed", FormatTime(row.Int(2)));
                     revisions.Push(std::move(document));
                     return {};
                   }));
  return revisions;
}

Result<> MarkObserved(db::Transaction& tx, std::string_view window_id, std::string_view signal) {
  return tx.Execute("INSERT INTO monitoring_observed (window_id, signal) VALUES (?1, ?2)",
                    {window_id, signal});
}

Result<std::vector<std::string>> ReadObserved(db::Reader& reader, std::string_view window_id) {
  return db::Collect<std::string>(reader,
                                  "SELECT signal FROM monitoring_observed WHERE window_id = ?1",
                                  {window_id}, [](const db::Row& row) { return row.Str(0); });
}

}  // namespace gyre::monitoring
