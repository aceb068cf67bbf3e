// The rows of KPIs. Private.
#pragma once

#include <string_view>
#include <vector>

#include "ml/monitoring/kpi_watch.h"
#include "platform/db/database.h"

namespace gyre::monitoring {

// By text; with the oldest value since `trend_from_us`.
Result<std::vector<KpiState>> ReadKpis(db::Reader& reader, std::string_view project,
                                       std::int64_t trend_from_us);
Result<> WriteKpi(db::Transaction& tx, std::string_view project, const KpiState& state);
Result<> AddReading(db::Transaction& tx, std::string_view project, const KpiReading& reading);
Result<> DeleteKpi(db::Transaction& tx, std::string_view project, std::string_view kpi);
Result<> ForgetReadings(db::Transaction& tx, std::int64_t before_us);
Result<std::vector<KpiReading>> ReadReadings(db::Reader& reader, std::string_view project,
                                             std::string_view kpi, int limit);

}  // namespace gyre::monitoring
