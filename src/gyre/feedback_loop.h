// What automation asks of the rooms below, answered by them: compose.cc opens the rooms, this file
// introduces them to each other.
#pragma once

#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/monitoring/kpi_watch.h"
#include "ml/monitoring/monitors.h"

namespace gyre::notices {
class Notices;
}
namespace gyre::data {
class Datasets;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::pipelines {
class Pipelines;
}
namespace gyre::serving {
class Serving;
}
namespace gyre::usage {
class Usage;
}

namespace gyre {

monitoring::Notify MakeNotify(notices::Notices& notices);
// Whole hours count. What was used without a price has no known cost.
monitoring::KpiWatch::Cost MakeCost(usage::Usage& usage);
struct LoopRooms {
  pipelines::Pipelines& pipelines;
  monitoring::Monitors& monitors;
  notices::Notices& notices;
  automation::Releases& releases;
  data::Datasets& datasets;
  registry::Registry& registry;
  serving::Serving& serving;
};
// All must outlive what is returned.
automation::Below MakeBelow(const LoopRooms& rooms);
automation::Traffic MakeTraffic(serving::Serving& serving, monitoring::Monitors& monitors);

}  // namespace gyre
