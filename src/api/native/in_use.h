// Who still needs what is about to be removed. Private to api/native, which alone sees all rooms.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::automation {
class Automation;
struct TriggerSpec;
}  // namespace gyre::automation
namespace gyre::registry {
class Registry;
}
namespace gyre::serving {
class Serving;
}
namespace gyre::tracking {
struct Run;
class Tracking;
}  // namespace gyre::tracking

namespace gyre::native {

// Names of the registered model versions that a run has made.
Result<std::vector<std::string>> ModelsOf(registry::Registry& registry,
                                          tracking::Tracking& tracking, const tracking::Run& run);
// Names of the endpoints that serve a model version now.
Result<std::vector<std::string>> EndpointsOf(serving::Serving& serving,
                                             std::string_view model_version_id);

// kFailedPrecondition GY5006 when a trigger of the project is about the thing; `noun` and `name`
// say which thing that is.
Result<> CheckNoTrigger(automation::Automation& automation, std::string_view project,
                        std::string_view noun, std::string_view name,
                        const std::function<bool(const automation::TriggerSpec&)>& about);

// "a, b, c and 4 more".
std::string Named(const std::vector<std::string>& names);

}  // namespace gyre::native
