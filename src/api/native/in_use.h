// Who still needs what is about to be removed. Private to api/native, which alone sees all rooms.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::automation {
class Automation;
struct TriggerSpec;
}  // namespace gyre::automation
namespace gyre::registry {
class Registry;
}
namespace gyre::serving {
struct Endpoint;
class Serving;
}  // namespace gyre::serving
namespace gyre::tracking {
struct Run;
class Tracking;
}  // namespace gyre::tracking

namespace gyre::native {

// Names of the registered model versions that a run has made.
Result<std::vector<std::string>> ModelsOf(registry::Registry& registry,
                                          tracking::Tracking& tracking, const tracking::Run& run);
// The endpoints of all projects that serve a model version now.
Result<std::vector<serving::Endpoint>> EndpointsOf(serving::Serving& serving,
                                                   std::string_view model_version_id);

// Names of the project's triggers that are about something.
using IsAbout = std::function<bool(const automation::TriggerSpec&)>;
Result<std::vector<std::string>> TriggersAbout(automation::Automation& automation,
                                               std::string_view project, const IsAbout& about);
// kFailedPrecondition GY5006 when there is one; `noun` and `name` say which thing that is.
Result<> CheckNoTrigger(automation::Automation& automation, std::string_view project,
                        std::string_view noun, std::string_view name, const IsAbout& about);

// One of Removal::needed_by.
Json NeededBy(std::string_view noun, std::string_view project, std::string_view name);
Result<Json> NeededByTriggers(automation::Automation& automation, std::string_view project,
                              const IsAbout& about);

// "a, b, c and 4 more".
std::string Named(const std::vector<std::string>& names);

}  // namespace gyre::native
