// Steps of pipelines: train, recipe.
#pragma once

#include "ml/pipelines/pipelines.h"
#include "ml/training/training.h"

namespace gyre::training {

// train: what POST .../train takes. A gate that says no is no failure: `promoted` is false then.
// recipe {dataset, target, for}: a suggested recipe, which train takes.
void AddSteps(pipelines::Pipelines& pipelines, Training& training, data::Datasets& datasets,
              runners::Jobs& jobs);

}  // namespace gyre::training
