// Brings the latest values of metrics (tracking_metric) up to date with the tails of their runs:
// the only one that writes them, one piece at a time, so that no work is done twice. Thread-safe.
// Private.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "ml/tracking/metric_store.h"
#include "ml/tracking/names.h"
#include "platform/db/database.h"

namespace gyre::tracking {

class MetricSettler {
 public:
  MetricSettler(db::Database& database, NameBook& names) : database_(database), names_(names) {}
  // What was logged before the call; what comes meanwhile is not waited for.
  Result<> SettleRuns(std::span<const std::int64_t> runs);
  // Of those experiments of the project; of all of them when none is named.
  Result<> SettleExperiments(std::string_view project, std::span<const std::int64_t> experiments);
  // From all points of a run, whatever is there, where a recount is asked for.
  Result<> Recount(std::int64_t run);

 private:
  Result<> SettlePiece(std::span<const std::int64_t> runs);

  db::Database& database_;
  NameBook& names_;
  Mutex mutex_;
};

}  // namespace gyre::tracking
