// Step of pipelines: promote.
#pragma once

#include "ml/pipelines/pipelines.h"
#include "ml/registry/registry.h"

namespace gyre::registry {

// promote {model: churn:v3, alias, reason}: moves an alias as far as the newest verdict and the
// approvals allow. A move that was made already changes nothing.
void AddSteps(pipelines::Pipelines& pipelines, Registry& registry);

}  // namespace gyre::registry
