// The loop of one project at a glance: eight stages, the laps that went around them, how far the
// project has come. Reads the rooms and keeps nothing: what is shown is what they say now.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/loop/facts.h"
#include "ml/loop/laps.h"
#include "ml/loop/maturity.h"
#include "ml/loop/stages.h"

namespace gyre::automation {
class Automation;
class Releases;
}  // namespace gyre::automation
namespace gyre::data {
class Datasets;
}
namespace gyre::monitoring {
class KpiWatch;
class Monitors;
}  // namespace gyre::monitoring
namespace gyre::pipelines {
class Pipelines;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::runners {
class Jobs;
}
namespace gyre::serving {
class Serving;
}
namespace gyre::tracking {
class Tracking;
}

namespace gyre::loop {

struct LoopRooms {
  projects::Projects& projects;
  monitoring::KpiWatch& kpis;
  data::Datasets& datasets;
  tracking::Tracking& tracking;
  registry::Registry& registry;
  serving::Serving& serving;
  automation::Releases& releases;
  monitoring::Monitors& monitors;
  automation::Automation& automation;
  pipelines::Pipelines& pipelines;
  runners::Jobs& jobs;
  const Clock& clock;
};

// Laps that are told one by one; older ones are counted.
inline constexpr int kLapsMax = 32;

// `model`: whose laps; empty = what the project's newest endpoint runs, else the model that changed
// last. Errors: kNotFound GY3902 no such project, GY3602 no such model.
Result<Facts> FactsOf(const LoopRooms& rooms, std::string_view project, std::string_view model);

// {"project", "statement", "model", "at", "stages", "laps", "laps_before", "running", "goals",
// "maturity"}.
Json LoopToJson(const Facts& facts);

}  // namespace gyre::loop
