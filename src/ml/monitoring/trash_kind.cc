#include "ml/monitoring/trash_kind.h"

#include "ml/monitoring/monitor_store.h"

namespace gyre::monitoring {

trash::Kind MonitorTrash(Monitors& monitors, serving::Serving& serving) {
  return {.noun = "monitor",
          .permission = "model.write",
          .names = {{"monitoring_monitor", "name"}, {"monitoring_alert", "monitor"}},
          .remove = [&monitors](const trash::Asked& asked) -> Result<std::string> {
            GYRE_DO(monitors.Remove(asked.project, asked.name, asked.by));
            return std::string(asked.name);
          },
          .ready = [&serving](const trash::Item& item) -> Result<> {
            if (serving.Get(item.project, item.what)) return {};
            return FailedPrecondition("GY5012",
                                      "endpoint `{}`, which monitor `{}` watches, is not "
                                      "there",
                                      item.what, item.name)
                .Fix(fmt::format("gyre undelete endpoint {}", item.what));
          },
          .make_room = [](db::Transaction& tx, const trash::Item& item,
                          std::string_view name) { return DeleteMark(tx, item.project, name); }};
}

trash::Holding HeldMonitors() {
  trash::Holding holding = {
      .what = "monitors",
      .count = "SELECT COUNT(*) FROM monitoring_monitor WHERE project = ?1 AND removed = 0",
      .rows = RowsOfMonitors("SELECT id FROM monitoring_monitor WHERE project = ?1")};
  holding.rows.push_back({"monitoring_kpi"});
  holding.rows.push_back({"monitoring_kpi_reading"});
  return holding;
}

std::vector<trash::NameColumn> EndpointNames() {
  return {{"monitoring_monitor", "name"},
          {"monitoring_monitor", "endpoint"},
          {"monitoring_alert", "monitor"},
          {"monitoring_alert", "endpoint"}};
}

}  // namespace gyre::monitoring
