// Step of pipelines: promote.
#pragma once

#include <functional>
#include <string_view>

#include "ml/pipelines/pipelines.h"
#include "ml/registry/registry.h"

namespace gyre::registry {

// promote {model: churn:v3, alias, reason}: moves an alias as far as the newest verdict and the
// approvals allow. A move that was made already changes nothing. `fence` may say no before
// @champion moves: what the run has tried was tried beside another champion. Else it names the
// version that it was tried beside; empty = it was not.
using Fence = std::function<Result<std::string>(std::string_view run_id, std::string_view model)>;
void AddSteps(pipelines::Pipelines& pipelines, Registry& registry, Fence fence);

}  // namespace gyre::registry
