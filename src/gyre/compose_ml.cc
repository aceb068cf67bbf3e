#include <algorithm>

#include "api/mlflow/trace_files.h"
#include "api/mlflow/webhook_events.h"
#include "gyre/feedback_loop.h"
#include "gyre/loop_notices.h"
#include "gyre/maintenance.h"
#include "gyre/pipeline_steps.h"
#include "gyre/rooms.h"
#include "ledger/access/trash_kind.h"
#include "ledger/notices/trash_kind.h"
#include "ledger/secrets/trash_kind.h"
#include "ml/automation/trash_kind.h"
#include "ml/data/trash_kind.h"
#include "ml/eval_sets/trash_kind.h"
#include "ml/evaluation/trash_kind.h"
#include "ml/inference_log/trash_kind.h"
#include "ml/monitoring/trash_kind.h"
#include "ml/pipelines/trash_kind.h"
#include "ml/projects/trash_kind.h"
#include "ml/recipes/tasks.h"
#include "ml/registry/needed.h"
#include "ml/registry/trash_kind.h"
#include "ml/runners/trash_kind.h"
#include "ml/serving/trash_kind.h"
#include "ml/traces/trash_kind.h"
#include "ml/tracking/trash_kind.h"

namespace gyre {

// The loop, in the order in which it is gone through; last what only works once all are there.
Result<> House::Rooms::OpenMl() {
  GYRE_DO(OpenJobs());
  GYRE_DO(OpenData());
  GYRE_DO(OpenModels());
  GYRE_DO(OpenServing());
  GYRE_DO(OpenFeedback());
  OpenTrash();
  AddCheckJob(*jobs, *database, *blobs, *datasets, *registry, options.data_directory);
  AddSteps(*pipelines, {*blobs, *jobs, *datasets, *queries, *evaluations, *registry, *serving,
                        *training, *comparisons, *notices, *inference_log, *releases, *approvals});
  return {};
}

Result<> House::Rooms::OpenJobs() {
  runners::JobSettings job_settings;
  job_settings.cpu_slots = settings.Number("jobs.cpu_slots");
  job_settings.memory_bytes = settings.Int("jobs.memory");
  job_settings.queue_length_max = static_cast<int>(settings.Int("jobs.queue_length_max"));
  job_settings.log_directory = options.data_directory + "/logs/jobs";
  job_settings.request_timeout_ms = Millis("query.timeout");
  GYRE_TRY(jobs, runners::OpenJobs(*database, *blobs, SystemClock(), std::move(job_settings)));
  auto pipelines_settings = PipelinesSettingsOf(settings, options.data_directory);
  pipelines_settings.find_secret = [this](std::string_view project, std::string_view reference) {
    return secrets->Resolve(project, reference);
  };
  approvals = std::make_unique<pipelines::Approvals>(*database, SystemClock(), notices.get());
  GYRE_TRY(pipelines, pipelines::OpenPipelines({*database, *blobs, *events, SystemClock()},
                                               std::move(pipelines_settings)));
  return {};
}

Result<> House::Rooms::OpenData() {
  projects = std::make_unique<projects::Projects>(*database, SystemClock());
  GYRE_DO(projects->EnsureDefault());
  declarations = std::make_unique<projects::Declarations>(*database, SystemClock());
  GYRE_TRY(datasets, data::OpenDatasets(*database, *blobs, *jobs, *events, SystemClock()));
  queries = std::make_unique<data::Queries>(*datasets, *blobs, *jobs, Millis("query.timeout"));
  return {};
}

Result<> House::Rooms::OpenModels() {
  GYRE_TRY(experiments, tracking::OpenExperiments(*database, SystemClock(), run_stamps));
  GYRE_TRY(tracking, tracking::OpenTracking(*database, SystemClock(), run_stamps));
  logged_models = std::make_unique<tracking::LoggedModels>(*database, SystemClock());
  run_searcher = std::make_unique<tracking::RunSearcher>(
      *database, [this](std::string_view project, std::span<const std::int64_t> numbers) {
        return tracking->SettleMetrics(project, numbers);
      });
  run_transfer = std::make_unique<tracking::RunTransfer>(*database, SystemClock(), run_stamps);
  charts = std::make_unique<tracking::Charts>(*database);
  run_follower = std::make_unique<tracking::RunFollower>(*database, run_stamps);
  run_pages = std::make_unique<mlflow::RunPages>(*tracking, run_stamps);
  GYRE_TRY(traces, traces::OpenTraces(*database, SystemClock()));
  GYRE_TRY(eval_sets, eval_sets::OpenEvalSets(*database, SystemClock()));
  scorers = std::make_unique<eval_sets::Scorers>(*database, SystemClock());
  files = std::make_unique<tracking::Files>(*database);
  registry = std::make_unique<registry::Registry>(*database, SystemClock(), events.get());
  catalog = std::make_unique<registry::Catalog>(*database, SystemClock(), events.get());
  model_searcher = std::make_unique<registry::ModelSearcher>(*database);
  deleted = std::make_unique<tracking::Deleted>(
      *database, run_stamps,
      tracking::Deleted::Others{.needed = registry::NamedBySources,
                                .end = [this](const tracking::Experiment& experiment) -> Result<> {
                                  GYRE_DO(database->Write([&](db::Transaction& tx) {
                                    return eval_sets::EndExperiment(tx, experiment.project,
                                                                    experiment.number);
                                  }));
                                  return mlflow::RemoveFilesOf(*traces, *files, experiment);
                                }});
  logged_gate = std::make_unique<registry::LoggedGate>(
      *registry, registry::NumbersOfClients(*tracking, *logged_models));
  GYRE_TRY(
      evaluations,
      evaluation::OpenEvaluations(
          *database, *blobs, *registry, *jobs,
          {.by_reference =
               [this](std::string_view project, std::string_view reference) {
                 return RowsOf(datasets->Resolve(project, reference));
               },
           .by_id = [this](std::string_view id) { return RowsOf(datasets->GetVersionById(id)); }},
          SystemClock()));
  GYRE_TRY(const auto alive, access->RunsOfLivePrograms());
  GYRE_TRY([[maybe_unused]] const int orphans,
           tracking->EndOrphans("the server stopped while it ran", alive));
  inspections = std::make_unique<training::Inspections>(*files, *blobs, *jobs);
  training = std::make_unique<training::Training>(
      training::TrainingRooms{*datasets, *projects, *tracking, *registry, *blobs, *jobs,
                              SystemClock(), evaluations.get()},
      training::Training::Settings{
          .threads = std::max(1, static_cast<int>(settings.Number("jobs.cpu_slots"))),
          .memory_bytes = settings.Int("training.memory"),
          .budget_seconds = settings.Number("training.budget")});
  training->AddJobs();
  return {};
}

Result<> House::Rooms::OpenServing() {
  GYRE_TRY(inference_log,
           inference_log::OpenInferenceLog(*database, *blobs, *jobs, *datasets, metrics,
                                           SystemClock(), CaptureSettings()));
  GYRE_TRY(serving, serving::OpenServing(
                        *database, *blobs, *registry, *events, metrics, SystemClock(),
                        {.rows_max = settings.Int("serving.rows_max")}, inference_log.get()));
  events->Subscribe(
      {.name = "mlflow.webhooks", .kinds = {"model."}, .react = [this](const events::Event& event) {
         return mlflow::TellWebhooks(*registry, *notices, event);
       }});
  events->Subscribe({.name = "serving", .kinds = {"model."}, .react = [this](const events::Event&) {
                       return serving->Reconcile();
                     }});
  predictions = std::make_unique<serving::Predictions>(*registry, *blobs, *jobs);
  return {};
}

Result<> House::Rooms::OpenFeedback() {
  comparisons = std::make_unique<monitoring::Comparisons>(
      *datasets, *blobs, *jobs, std::max(1, static_cast<int>(settings.Number("jobs.cpu_slots"))));
  const monitoring::MonitoringRooms watched = {
      *database, *blobs,         *events, *projects, *registry,     *evaluations,
      *serving,  *inference_log, *jobs,   metrics,   SystemClock(), MakeNotify(*notices)};
  GYRE_TRY(monitors, monitoring::OpenMonitors(watched));
  kpis = std::make_unique<monitoring::KpiWatch>(
      monitoring::KpiRooms{*database, *events, *projects, metrics, SystemClock(), watched.notify},
      monitoring::OpenKpiValues(watched, MakeCost(*usage)), Micros("retention.kpis"));
  releases = std::make_unique<automation::Releases>(*database, SystemClock(),
                                                    MakeTraffic(*serving, *monitors));
  automation =
      automation::OpenAutomation(*database, *events, SystemClock(),
                                 MakeBelow({*pipelines, *monitors, *notices, *releases, *datasets,
                                            *registry, *serving, *inference_log, *projects}),
                                 {});
  return {};
}

void House::Rooms::OpenTrash() {
  trash->SetProjects(projects::ProjectExists);
  HoldProjects();
  trash->Register(projects::ProjectTrash(*trash, *projects, SystemClock()));
  trash->Register(projects::DeclarationTrash("source", *declarations));
  trash->Register(projects::DeclarationTrash("recipe", *declarations));
  trash->Register(access::UserTrash(*access));
  trash->Register(data::DatasetTrash({*database, *datasets, *events, SystemClock()}));
  trash->Register(registry::ModelTrash({*database, *registry, *events, SystemClock()}));
  trash::Kind endpoints = serving::EndpointTrash(*events, *serving);
  for (const trash::NameColumn& name : monitoring::EndpointNames()) endpoints.names.push_back(name);
  trash->Register(std::move(endpoints));
  trash->Register(monitoring::MonitorTrash(*monitors, *serving));
  trash->Register(tracking::RunTrash(*tracking));
  trash->AddReshape(tracking::ReshapeRun);
  trash->Register(pipelines::PipelineTrash(*database, *pipelines, SystemClock()));
  trash->Register(pipelines::PipelineRunTrash(*database, *pipelines, SystemClock()));
  trash->Register(automation::TriggerTrash(*database, *automation, SystemClock()));
  trash->Register(notices::ChannelTrash(*database, SystemClock()));
  trash->Register(secrets::SecretTrash(*database, SystemClock()));
}

// What goes with a project, as it is counted: first what somebody would miss.
void House::Rooms::HoldProjects() {
  trash->Hold(serving::HeldEndpoints(*serving));
  trash->Hold(registry::HeldModels());
  trash->Hold(data::HeldDatasets());
  trash->Hold(tracking::HeldRuns(run_stamps));
  trash->Hold(traces::HeldTraces());
  trash->Hold(eval_sets::HeldEvalSets());
  trash->Hold(evaluation::HeldEvaluations());
  trash->Hold(monitoring::HeldMonitors());
  trash->Hold(inference_log::HeldCaptures(*inference_log));
  trash->Hold(automation::HeldTriggers(*automation));
  trash->Hold(pipelines::HeldPipelines());
  trash->Hold(pipelines::HeldPipelineRuns());
  trash->Hold(notices::HeldChannels());
  trash->Hold(secrets::HeldSecrets());
  trash->Hold(runners::HeldJobs());
  trash->Hold(access::HeldRights(*access));
}

inference_log::LogSettings House::Rooms::CaptureSettings() const {
  return {.key_path = options.data_directory + "/capture.key",
          .buffer_bytes_max = settings.Int("capture.buffer"),
          .segment_rows_max = settings.Int("capture.segment_rows"),
          .seal_us = Micros("capture.seal")};
}

Result<evaluation::DatasetRows> House::Rooms::RowsOf(const Result<data::Version>& version) {
  if (!version) return version.error();
  GYRE_TRY(std::vector<std::string> parts, datasets->PartPaths(*version));
  return evaluation::DatasetRows{version->id, version->reference(), std::move(parts)};
}

runners::TaskRegistry AllTasks() {
  runners::TaskRegistry tasks;
  data::AddTasks(tasks);
  evaluation::AddTasks(tasks);
  inference_log::AddTasks(tasks);
  monitoring::AddTasks(tasks);
  recipes::AddTasks(tasks);
  serving::AddTasks(tasks);
  training::AddTasks(tasks);
  return tasks;
}

}  // namespace gyre
