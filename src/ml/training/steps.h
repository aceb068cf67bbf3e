// Steps of pipelines: train, recipe, register.
#pragma once

#include "ml/pipelines/pipelines.h"
#include "ml/training/training.h"

namespace gyre::training {

// train: what POST .../train takes. A gate that says no is no failure: `promoted` is false then.
// recipe {dataset, target, for}: a suggested recipe, which train takes.
// register {file or model, name, ...}: a version of a model that another program trained, or of one
// that is registered already. Aliases are for `promote`.
void AddSteps(pipelines::Pipelines& pipelines, Training& training, data::Datasets& datasets,
              registry::Registry& registry, blob::Store& blobs, runners::Jobs& jobs);

}  // namespace gyre::training
