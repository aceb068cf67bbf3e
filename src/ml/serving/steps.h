// Step of pipelines: deploy.
#pragma once

#include "ml/pipelines/pipelines.h"
#include "ml/serving/serving.h"

namespace gyre::serving {

// deploy {model, endpoint, reason}. An endpoint that stands there already is left as it is.
void AddSteps(pipelines::Pipelines& pipelines, Serving& serving, registry::Registry& registry);

}  // namespace gyre::serving
