#include "ml/traces/trace_store.h"

namespace gyre::traces {
namespace {

constexpr std::string_view kColumns =
    "number, project, id, experiment, started_us, duration_us, state, client_request, "
    "request_preview, response_preview, told, span_bytes, span_batches";

std::optional<std::string> TextIfAny(const db::Row& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return row.Str(column);
}

TraceRow RowOf(const db::Row& row) {
  TraceRow r;
  r.number = row.Int(0);
  r.trace.project = row.Str(1);
  r.trace.id = row.Str(2);
  r.trace.experiment = row.Int(3);
  r.trace.started_us = row.Int(4);
  if (!row.IsNull(5)) r.trace.duration_us = row.Int(5);
  r.trace.state = static_cast<State>(row.Int(6));
  r.trace.client_request = TextIfAny(row, 7);
  r.trace.request_preview = TextIfAny(row, 8);
  r.trace.response_preview = TextIfAny(row, 9);
  r.told = row.Bool(10);
  r.span_bytes = row.Int(11);
  r.span_batches = row.Int(12);
  r.trace.has_spans = r.span_batches > 0;
  return r;
}

Result<std::int64_t> NextNumber(db::Transaction& tx) {
  GYRE_DO(
      tx.Execute("INSERT INTO traces_counter (noun, newest) VALUES ('trace', 1) ON CONFLICT "
                 "(noun) DO UPDATE SET newest = traces_counter.newest + 1",
                 {}));
  std::int64_t number = 0;
  GYRE_DO(tx.QueryOne("SELECT newest FROM traces_counter WHERE noun = 'trace'", {},
                      [&](const db::Row& row) { number = row.Int(0); }));
  return number;
}

}  // namespace

Result<std::optional<TraceRow>> FindTrace(db::Reader& reader, std::string_view project,
                                          std::string_view id) {
  std::optional<TraceRow> found;
  GYRE_DO(reader.QueryOne(
      fmt::format("SELECT {} FROM traces_trace WHERE project = ?1 AND id = ?2", kColumns),
      {project, id}, [&](const db::Row& row) { found = RowOf(row); }));
  return found;
}

Result<TraceRow> ReadTrace(db::Reader& reader, std::string_view project, std::string_view id) {
  GYRE_TRY(auto found, FindTrace(reader, project, id));
  if (found) return *std::move(found);
  return NotFound("GY3452", "there is no trace `{}` in project {}", id.substr(0, 100), project);
}

Result<std::int64_t> InsertTrace(db::Transaction& tx, const TraceRow& row) {
  GYRE_TRY(const std::int64_t number, NextNumber(tx));
  const Trace& t = row.trace;
  GYRE_DO(tx.Execute(
      fmt::format("INSERT INTO traces_trace ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                  "?11, ?12, ?13)",
                  kColumns),
      {number, t.project, t.id, t.experiment, t.started_us, t.duration_us,
       static_cast<int>(t.state), t.client_request, t.request_preview, t.response_preview, row.told,
       row.span_bytes, row.span_batches}));
  return number;
}

Result<> UpdateTrace(db::Transaction& tx, const TraceRow& row) {
  const Trace& t = row.trace;
  return tx.Execute(
      "UPDATE traces_trace SET started_us = ?2, duration_us = ?3, state = ?4, client_request = ?5, "
      "request_preview = ?6, response_preview = ?7, told = ?8, span_bytes = ?9, span_batches = ?10 "
      "WHERE number = ?1",
      {row.number, t.started_us, t.duration_us, static_cast<int>(t.state), t.client_request,
       t.request_preview, t.response_preview, row.told, row.span_bytes, row.span_batches});
}

Result<> QueryTraces(db::Reader& reader, const std::string& conditions,
                     std::span<const db::Value> values,
                     const std::function<void(TraceRow&&)>& take) {
  return reader.QueryList(fmt::format("SELECT {} FROM traces_trace {}", kColumns, conditions),
                          values, [&](const db::Row& row) -> Result<> {
                            take(RowOf(row));
                            return {};
                          });
}

Result<std::vector<NumberedTrace>> TracesToDelete(db::Reader& reader, const TraceDeletion& which,
                                                  std::int64_t count) {
  std::vector<NumberedTrace> traces;
  const auto take = [&](const db::Row& row) -> Result<> {
    traces.push_back({row.Int(0), row.Str(1)});
    return {};
  };
  if (which.ids.empty()) {
    GYRE_DO(reader.Query(
        "SELECT number, id FROM traces_trace WHERE experiment = ?1 AND project = ?2 AND started_us "
        "<= ?3 ORDER BY started_us, id LIMIT ?4",
        {which.experiment, which.project, which.until_us.value_or(INT64_MAX), count}, take));
    return traces;
  }
  for (const std::string& id : which.ids) {
    if (static_cast<std::int64_t>(traces.size()) == count) break;
    GYRE_DO(
        reader.Query("SELECT number, id FROM traces_trace WHERE project = ?1 AND id = ?2 AND "
                     "experiment = ?3",
                     {which.project, id, which.experiment}, take));
  }
  return traces;
}

Result<> RemoveTrace(db::Transaction& tx, std::int64_t number) {
  for (const std::string_view table :
       {"traces_label", "traces_link", "traces_spans", "traces_assessment"})
    GYRE_DO(tx.Execute(fmt::format("DELETE FROM {} WHERE trace = ?1", table), {number}));
  return tx.Execute("DELETE FROM traces_trace WHERE number = ?1", {number});
}

}  // namespace gyre::traces
