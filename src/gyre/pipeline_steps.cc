#include "gyre/pipeline_steps.h"

#include "ml/automation/steps.h"
#include "ml/data/steps.h"
#include "ml/evaluation/steps.h"
#include "ml/inference_log/steps.h"
#include "ml/monitoring/steps.h"
#include "ml/pipelines/notify_kind.h"
#include "ml/registry/steps.h"
#include "ml/serving/steps.h"
#include "ml/training/steps.h"
#include "platform/config/environment.h"

namespace gyre {

pipelines::PipelinesSettings PipelinesSettingsOf(const config::Settings& settings,
                                                 const std::string& data_directory) {
  pipelines::PipelinesSettings made;
  made.directory = data_directory + "/pipelines";
  made.parallel_max = static_cast<int>(settings.Int("pipelines.parallel_max"));
  made.log_bytes_max = settings.Int("pipelines.log");
  made.gpus = settings.Int("pipelines.gpus");
  // Programs get the variables of the server, but none that looks like a secret.
  for (const auto& [name, value] : config::RedactedEnvironment()) {
    if (value != "(hidden)") made.environment.emplace(name, value);
  }
  return made;
}

void AddSteps(pipelines::Pipelines& pipelines, const StepRooms& rooms) {
  data::AddSteps(pipelines, rooms.datasets, rooms.queries, rooms.blobs, rooms.jobs);
  evaluation::AddSteps(pipelines, rooms.evaluations, rooms.jobs);
  registry::AddSteps(pipelines, rooms.registry,
                     [&releases = rooms.releases](std::string_view run,
                                                  std::string_view model) -> Result<std::string> {
                       GYRE_TRY(automation::Releases::Way way, releases.Fence(run, model));
                       return std::move(way.over);
                     });
  serving::AddSteps(pipelines, rooms.serving, rooms.registry);
  training::AddSteps(pipelines, rooms.training, rooms.datasets, rooms.registry, rooms.blobs,
                     rooms.jobs);
  monitoring::AddSteps(pipelines, rooms.comparisons, rooms.datasets, rooms.blobs, rooms.jobs);
  pipelines.AddKind(pipelines::NotifyKind(rooms.notices));
  pipelines.AddKind(pipelines::ApproveKind(rooms.approvals));
  inference_log::AddSteps(pipelines, rooms.log, rooms.jobs);
  automation::AddSteps(
      pipelines, {rooms.releases, rooms.serving, rooms.registry, rooms.datasets, rooms.blobs});
}

}  // namespace gyre
