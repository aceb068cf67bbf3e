// What automation asks of the rooms below, answered by them: compose.cc opens the rooms, this file
// introduces them to each other.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/monitoring/kpi_watch.h"
#include "ml/monitoring/monitors.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::notices {
class Notices;
}
namespace gyre::data {
class Datasets;
}
namespace gyre::inference_log {
class InferenceLog;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::serving {
class Serving;
}
namespace gyre::usage {
class Usage;
}

namespace gyre {

// Whole hours count. What was used without a price has no known cost.
monitoring::KpiCost MakeCost(usage::Usage& usage);
struct LoopRooms {
  pipelines::Pipelines& pipelines;
  monitoring::Monitors& monitors;
  notices::Notices& notices;
  automation::Releases& releases;
  data::Datasets& datasets;
  registry::Registry& registry;
  serving::Serving& serving;
  inference_log::InferenceLog& log;
  projects::Projects& projects;
};
// What a run came to: that tried a canary, or whose outputs say which model it judged and whether
// it passed. `why_not`: the rules that the gate of that model found broken.
using WhyNot = std::function<Result<std::string>(const std::string& model)>;
Result<automation::Outcome> OutcomeOf(const pipelines::RunView& run,
                                      const std::optional<automation::Release>& release,
                                      const WhyNot& why_not);

// An alert that fires, and the window that it was seen in last (empty where that is gone).
struct SeenAlert {
  monitoring::Alert alert;
  monitoring::JudgedWindow window;
};
// Drift, quality and performance of the canary as its monitor sees them, once windows are judged.
// Trouble of the service is not its own: what clients send wrong, how many they are. Its failures
// and its latency are compared with the champion's. A window holds rows of both: what is not surely
// the canary's own is told only.
void TellAlerts(const std::vector<SeenAlert>& alerts, std::string_view canary_version_id,
                std::int64_t since_us, automation::CanaryFacts* facts);

// All must outlive what is returned.
automation::Below MakeBelow(const LoopRooms& rooms);
automation::Traffic MakeTraffic(serving::Serving& serving, monitoring::Monitors& monitors);

}  // namespace gyre
