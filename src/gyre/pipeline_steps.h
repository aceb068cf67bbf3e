// What pipelines need of the house: their settings, and the steps that the modules of the loop
// implement.
#pragma once

#include <string>

#include "ml/pipelines/approvals.h"
#include "ml/pipelines/pipelines.h"
#include "platform/config/settings.h"

namespace gyre::automation {
class Releases;
}
namespace gyre::data {
class Datasets;
class Queries;
}  // namespace gyre::data
namespace gyre::evaluation {
class Evaluations;
}
namespace gyre::inference_log {
class InferenceLog;
}
namespace gyre::monitoring {
class Comparisons;
}
namespace gyre::notices {
class Notices;
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
namespace gyre::training {
class Training;
}

namespace gyre {

pipelines::PipelinesSettings PipelinesSettingsOf(const config::Settings& settings,
                                                 const std::string& data_directory);

struct StepRooms {
  blob::Store& blobs;
  runners::Jobs& jobs;
  data::Datasets& datasets;
  data::Queries& queries;
  evaluation::Evaluations& evaluations;
  registry::Registry& registry;
  serving::Serving& serving;
  training::Training& training;
  monitoring::Comparisons& comparisons;
  notices::Notices& notices;
  inference_log::InferenceLog& log;
  automation::Releases& releases;
  pipelines::Approvals& approvals;
};
// What a step of a pipeline can be, besides a program.
void AddSteps(pipelines::Pipelines& pipelines, const StepRooms& rooms);

}  // namespace gyre
