#include "ml/monitoring/retention.h"

#include <fmt/format.h>

namespace gyre::monitoring {
namespace {

constexpr int kAtOnce = 500;  // keeps a closure short

}  // namespace

Result<std::int64_t> ForgetWindows(db::Database& database, std::int64_t before_us) {
  constexpr std::string_view kOld =
      "(SELECT w.id FROM monitoring_window w WHERE w.end_us < ?1 AND w.number < (SELECT "
      "MAX(n.number) FROM monitoring_window n WHERE n.monitor_id = w.monitor_id) ORDER BY "
      "w.end_us, "
      "w.id LIMIT ?2)";
  std::int64_t all = 0;
  for (std::int64_t gone = kAtOnce; gone == kAtOnce;) {
    GYRE_DO(database.Write([&](db::Transaction& tx) -> Result<> {
      for (const std::string_view table : {"monitoring_revision", "monitoring_observed"})
        GYRE_DO(tx.Execute(fmt::format("DELETE FROM {} WHERE window_id IN {}", table, kOld),
                           {before_us, kAtOnce}));
      GYRE_DO(tx.Execute(fmt::format("DELETE FROM monitoring_window WHERE id IN {}", kOld),
                         {before_us, kAtOnce}));
      gone = tx.changes();
      return {};
    }));
    all += gone;
  }
  return all;
}

}  // namespace gyre::monitoring
