// All SQL of monitoring. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ledger/trash/trash.h"
#include "ml/monitoring/monitors.h"

namespace gyre::monitoring {

// With what only the reconciler needs.
struct MonitorRow {
  Monitor monitor = {};
  bool removed = false;        // by somebody: its endpoint gets no other by itself
  std::int64_t cursor_us = 0;  // where the next window begins, at the earliest
  std::string counts = {};     // of the last window, for the comparison with the next
  std::string looked = {};     // what there was at the last look
};

Result<> InsertMonitor(db::Transaction& tx, const MonitorRow& row, const std::string& spec);
Result<> UpdateMonitor(db::Transaction& tx, const MonitorRow& row, const std::string& spec);
// Where it stands; nothing else of the row.
Result<> AdvanceMonitor(db::Transaction& tx, const MonitorRow& row);
// With its windows and alerts, as the next one.
Result<> DeleteMonitor(db::Transaction& tx, std::string_view id);
Result<> TakeMonitor(trash::Parcel& parcel, std::string_view id);
std::vector<trash::Holding::Rows> RowsOfMonitors(std::string_view monitors);
// What keeps the place of one that somebody removed.
Result<> DeleteMark(db::Transaction& tx, std::string_view project, std::string_view name);

Result<bool> FindMonitor(db::Reader& reader, std::string_view project, std::string_view name,
                         MonitorRow* row);  // removed ones too
Result<std::vector<MonitorRow>> ReadMonitors(db::Reader& reader,
                                             std::string_view project);  // "" = all

Result<> PutWindow(db::Transaction& tx, const JudgedWindow& window, const std::string& document);
// So that a monitor of years takes bounded room.
Result<> ForgetOldWindows(db::Transaction& tx, const JudgedWindow& newest);
// Keeps the document that stands as a revision of its number.
Result<> KeepRevision(db::Transaction& tx, std::string_view window_id);
Result<std::vector<JudgedWindow>> ReadWindows(db::Reader& reader, std::string_view monitor_id,
                                              std::int64_t before, int limit);
Result<std::vector<JudgedWindow>> ReadProvisional(db::Reader& reader, std::string_view monitor_id,
                                                  int limit);  // oldest first
// Final windows that late rows since that event time lie in, and the newest ones that lack labels:
// ascending, bounded.
Result<std::vector<JudgedWindow>> ReadFinal(db::Reader& reader, std::string_view monitor_id,
                                            std::int64_t since_us, int lacking_labels);
// Of final windows; what is nothing new writes nothing.
Result<> LeaveOut(db::Transaction& tx, std::string_view window_id, std::int64_t rows,
                  std::int64_t labels);
Result<std::vector<LabelsOfWindow>> ReadLabelHistory(db::Reader& reader,
                                                     std::string_view monitor_id);
// The most of any monitor of the endpoint; nothing where it has none.
Result<std::optional<std::int64_t>> ReadLabelledSince(db::Reader& reader, std::string_view project,
                                                      std::string_view endpoint,
                                                      std::int64_t since_us);
// The end of what was judged of events until then; 0 = nothing.
Result<std::int64_t> ReadEndUntil(db::Reader& reader, std::string_view monitor_id,
                                  std::int64_t event_us);
Result<bool> FindWindow(db::Reader& reader, std::string_view project, std::string_view id,
                        JudgedWindow* window);
Result<Json> ReadRevisions(db::Reader& reader, std::string_view window_id);

Result<> MarkObserved(db::Transaction& tx, std::string_view window_id, std::string_view signal);
Result<std::vector<std::string>> ReadObserved(db::Reader& reader, std::string_view window_id);

Result<> PutAlert(db::Transaction& tx, const Alert& alert, const std::string& state,
                  const std::string& columns);
Result<> InsertChange(db::Transaction& tx, std::string_view alert_id, const AlertChange& change);
Result<std::vector<Alert>> ReadAlerts(db::Reader& reader, const AlertQuery& query);
Result<std::vector<Alert>> AlertsOf(db::Reader& reader, std::string_view monitor_id);
Result<std::vector<AlertChange>> ReadChanges(db::Reader& reader, std::string_view alert_id,
                                             int limit);  // newest first

}  // namespace gyre::monitoring
