// The step kinds of this module: `champion` (what the model behind an endpoint was made of),
// `canary` (a release, see release.h) and `takeover` (all traffic to a version that has become
// champion).
#pragma once

#include "ml/automation/release.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::blob {
class Store;
}
namespace gyre::data {
class Datasets;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::serving {
class Serving;
}

namespace gyre::automation {

struct StepRooms {
  Releases& releases;
  serving::Serving& serving;
  registry::Registry& registry;
  data::Datasets& datasets;
  blob::Store& blobs;
};

// champion: endpoint -> model ("churn:v1"), name, target, dataset (that it learned from; empty when
//   it is gone), recipe.
// canary: endpoint, model ("churn:v4"), plan (see CanaryPlan; null = its defaults) -> state,
// reason.
//   It fails when the canary was sent back; a cancelled one is sent back.
// takeover: endpoint, model -> model.
// The rooms must outlive the pipelines.
void AddSteps(pipelines::Pipelines& pipelines, const StepRooms& rooms);

}  // namespace gyre::automation
