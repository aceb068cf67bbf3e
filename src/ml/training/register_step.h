// The step kind `register`. Private.
#pragma once

#include "ml/training/steps.h"

namespace gyre::training {

std::unique_ptr<pipelines::StepKind> RegisterKind(pipelines::Pipelines& pipelines,
                                                  data::Datasets& datasets,
                                                  registry::Registry& registry, blob::Store& blobs);

}  // namespace gyre::training
