// What the names of a KPI's expression stand for now, by the rooms of the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ml/monitoring/monitors.h"
#include "ml/statistics/kpi.h"

namespace gyre::projects {
struct Project;
}

namespace gyre::monitoring {

// Not for two threads at once.
class KpiValues {
 public:
  virtual ~KpiValues() = default;
  virtual statistics::KpiValue Read(const projects::Project& project,
                                    const statistics::KpiName& name, std::int64_t now_us) = 0;
  // The endpoint that a KPI is about, for triggers that listen to it; empty where it is about none
  // or several.
  virtual std::string EndpointOf(const projects::Project& project, const statistics::Kpi& kpi) = 0;
};

// Money that a project spent: "total", "serving", "work"; or why that is not known.
using KpiCost = std::function<statistics::KpiValue(std::string_view project, std::string_view what,
                                                   std::int64_t from_us, std::int64_t to_us)>;
std::unique_ptr<KpiValues> OpenKpiValues(MonitoringRooms rooms, KpiCost cost);

}  // namespace gyre::monitoring
