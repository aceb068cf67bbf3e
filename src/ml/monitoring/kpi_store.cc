#include "ml/monitoring/kpi_store.h"

namespace gyre::monitoring {
namespace {

std::optional<double> NumberAt(const db::Row& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return row.Real(column);
}

db::Value NumberOrNull(const std::optional<double>& number) {
  return number ? db::Value(*number) : db::Value(nullptr);
}

}  // namespace

Result<std::vector<KpiState>> ReadKpis(db::Reader& reader, std::string_view project,
                                       std::int64_t trend_from_us) {
  GYRE_TRY(auto states,
           db::Collect<KpiState>(
               reader,
               "SELECT kpi, state, value, reason, at_us, told, since_us FROM monitoring_kpi "
               "WHERE project = ?1 ORDER BY kpi",
               {project}, [](const db::Row& row) {
                 return KpiState{.now = {.kpi = row.Str(0),
                                         .state = row.Str(1),
                                         .value = NumberAt(row, 2),
                                         .reason = row.Str(3),
                                         .at_us = row.Int(4)},
                                 .told = row.Str(5),
                                 .since_us = row.Int(6)};
               }));
  for (KpiState& state : states) {
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne("SELECT value, at_us FROM monitoring_kpi_reading WHERE project = ?1 "
                             "AND kpi = ?2 AND at_us >= ?3 AND value IS NOT NULL "
                             "ORDER BY at_us LIMIT 1",
                             {project, state.now.kpi, trend_from_us}, [&](const db::Row& row) {
                               state.before = row.Real(0);
                               state.before_us = row.Int(1);
                             }));
  }
  return states;
}

Result<> WriteKpi(db::Transaction& tx, std::string_view project, const KpiState& state) {
  return tx.Execute(
      "INSERT INTO monitoring_kpi (project, kpi, state, value, reason, told, since_us, at_us) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (project, kpi) DO UPDATE SET "
      "state = ?3, value = ?4, reason = ?5, told = ?6, since_us = ?7, at_us = ?8",
      {project, state.now.kpi, state.now.state, NumberOrNull(state.now.value), state.now.reason,
       state.told, state.since_us, state.now.at_us});
}

Result<> AddReading(db::Transaction& tx, std::string_view project, const KpiReading& reading) {
  return tx.Execute(
      "INSERT INTO monitoring_kpi_reading (project, kpi, at_us, state, value, reason) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (project, kpi, at_us) DO UPDATE SET "
      "state = ?4, value = ?5, reason = ?6",
      {project, reading.kpi, reading.at_us, reading.state, NumberOrNull(reading.value),
       reading.reason});
}

Result<> DeleteKpi(db::Transaction& tx, std::string_view project, std::string_view kpi) {
  return tx.Execute("DELETE FROM monitoring_kpi WHERE project = ?1 AND kpi = ?2", {project, kpi});
}

Result<> ForgetReadings(db::Transaction& tx, std::int64_t before_us) {
  return tx.Execute("DELETE FROM monitoring_kpi_reading WHERE at_us < ?1", {before_us});
}

Result<std::vector<KpiReading>> ReadReadings(db::Reader& reader, std::string_view project,
                                             std::string_view kpi, int limit) {
  return db::Collect<KpiReading>(
      reader,
      "SELECT kpi, state, value, reason, at_us FROM monitoring_kpi_reading WHERE project = ?1 AND "
      "kpi = ?2 ORDER BY at_us DESC LIMIT ?3",
      {project, kpi, limit}, [](const db::Row& row) {
        return KpiReading{.kpi = row.Str(0),
                          .state = row.Str(1),
                          .value = NumberAt(row, 2),
                          .reason = row.Str(3),
                          .at_us = row.Int(4)};
      });
}

}  // namespace gyre::monitoring
