#include <algorithm>

#include "api/mlflow/artifact_target.h"
#include "api/mlflow/artifacts_api.h"
#include "api/mlflow/assessments_api.h"
#include "api/mlflow/eval_sets_api.h"
#include "api/mlflow/experiments_api.h"
#include "api/mlflow/graphql_api.h"
#include "api/mlflow/logged_models_api.h"
#include "api/mlflow/metrics_api.h"
#include "api/mlflow/model_versions_api.h"
#include "api/mlflow/otlp_api.h"
#include "api/mlflow/registered_models_api.h"
#include "api/mlflow/run_models_api.h"
#include "api/mlflow/run_search_api.h"
#include "api/mlflow/runs_api.h"
#include "api/mlflow/scorers_api.h"
#include "api/mlflow/server_api.h"
#include "api/mlflow/traces_api.h"
#include "api/mlflow/ui_api.h"
#include "api/mlflow/users_api.h"
#include "api/mlflow/webhooks_api.h"
#include "api/native/access_api.h"
#include "api/native/audit_api.h"
#include "api/native/budgets_api.h"
#include "api/native/captures_api.h"
#include "api/native/catalog_api.h"
#include "api/native/charts_api.h"
#include "api/native/comparisons_api.h"
#include "api/native/datasets_api.h"
#include "api/native/declarations_api.h"
#include "api/native/deleted_api.h"
#include "api/native/endpoints_api.h"
#include "api/native/evaluation_api.h"
#include "api/native/events_api.h"
#include "api/native/experiments_api.h"
#include "api/native/history_api.h"
#include "api/native/history_models_api.h"
#include "api/native/inspections_api.h"
#include "api/native/jobs_api.h"
#include "api/native/kpis_api.h"
#include "api/native/lineage_api.h"
#include "api/native/loop_api.h"
#include "api/native/maintenance_api.h"
#include "api/native/model_files_api.h"
#include "api/native/models_api.h"
#include "api/native/monitors_api.h"
#include "api/native/notices_api.h"
#include "api/native/pipelines_api.h"
#include "api/native/projects_api.h"
#include "api/native/queries_api.h"
#include "api/native/recipes_api.h"
#include "api/native/run_changes_api.h"
#include "api/native/run_events_api.h"
#include "api/native/run_list_api.h"
#include "api/native/runs_api.h"
#include "api/native/secrets_api.h"
#include "api/native/step_rights.h"
#include "api/native/system_api.h"
#include "api/native/training_api.h"
#include "api/native/trash_api.h"
#include "api/native/triggers_api.h"
#include "api/native/usage_api.h"
#include "api/oip/oip_api.h"
#include "api/prometheus/prometheus.h"
#include "api/webui/webui_api.h"
#include "gyre/maintenance.h"
#include "gyre/repair.h"
#include "gyre/rooms.h"
#include "gyre/space.h"
#include "gyre/upgrade.h"

namespace gyre {
namespace {

// Who registers a model waits no longer than that to hear what is unsafe about it.
constexpr std::int64_t kRegisterInspectionMs = 10'000;

Result<Json> FilesOfSource(
    const std::string& project, const std::string& source,
    const std::function<Result<Json>(const tracking::FileOwner&, const std::string&)>& found) {
  GYRE_TRY(const auto target, mlflow::TargetOfSource(project, source));
  if (!target) return Json();
  return found(target->owner, target->path);
}

}  // namespace

template <class Api, class... Arguments>
std::shared_ptr<Api> House::Rooms::AddApi(Arguments&&... arguments) {
  auto api = std::make_shared<Api>(std::forward<Arguments>(arguments)...);
  apis.push_back(api);
  tables.push_back(api->table());
  return api;
}

native::SystemInfo House::Rooms::SystemFacts() {
  native::SystemInfo system;
  system.version = std::string(Version());
  {
    const MutexLock held(settings_mutex);
    shown_settings = settings.ToJson();
  }
  system.settings = [this] {
    const MutexLock held(settings_mutex);
    return shown_settings;
  };
  // A path that cannot be used is refused where the server begins to listen.
  if (options.is_server) system.base_path = BasePath().value_or("");
  system.not_ready_reason = [this] {
    if (damaged) return std::string("the database is damaged: gyre fsck; gyre restore");
    return serving->ready() ? std::string() : std::string("endpoints are loading");
  };
  system.status = [this] {
    return Json::Obj({{"version", Version()},
                      {"pid", info.pid},
                      {"url", info.url},
                      {"kind", info.kind},
                      {"data_directory", options.data_directory}});
  };
  return system;
}

void House::Rooms::OpenApis() {
  const auto system = AddApi<native::SystemApi>(SystemFacts());
  AddApi<prometheus::MetricsApi>(metrics);
  OpenLedgerApis();
  OpenMlApis();
  OpenMaintenance();
  system->Describe(tables);
  OpenMlflowApis();
  if (options.is_server) OpenWebui();
}

void House::Rooms::OpenLedgerApis() {
  AddApi<native::AccessApi>(*access, *projects, *trash,
                            options.is_server ? BasePath().value_or("") : std::string());
  AddApi<native::LineageApi>(*lineage, *registry, *datasets,
                             native::PredictionLineage(*inference_log, *serving, *registry,
                                                       *tracking, *datasets, *pipelines, *trash));
  AddApi<native::EventsApi>(*events);
  AddApi<native::AuditApi>(*audit, anchors->path());
  AddApi<native::UsageApi>(*usage);
  AddApi<native::BudgetsApi>(*budgets);
  AddApi<native::NoticesApi>(*notices, *projects, *trash);
  AddApi<native::SecretsApi>(*secrets, *projects, *notices, *trash);
  AddApi<native::TrashApi>(*trash, *access);
}

void House::Rooms::OpenRunApis() {
  AddApi<native::DeletedApi>(*tracking, *experiments, *deleted);
  AddApi<native::ExperimentsApi>(*projects, *experiments);
  AddApi<native::RunListApi>(*tracking, *experiments, *run_searcher);
  AddApi<native::RunChangesApi>(*access, *projects, *experiments, *tracking, *run_transfer);
  AddApi<native::RunEventsApi>(*access, *experiments, *tracking, *run_follower);
  AddApi<native::ChartsApi>(*tracking, *charts);
  AddApi<native::RunsApi>(
      *tracking, *jobs, *blobs, *access, *projects, *registry, *datasets, *trash,
      native::ProgramAddress{[this](const std::string& run, int pid) {
                               return program_door ? program_door->Open(run, pid) : info.url;
                             },
                             [this](const std::string& run) {
                               if (program_door) program_door->Close(run);
                             }});
}

void House::Rooms::OpenMlApis() {
  AddApi<native::ProjectsApi>(*projects, *serving, *trash);
  AddApi<native::DeclarationsApi>(*declarations, *trash);
  AddApi<native::DatasetsApi>(*datasets, *projects, *blobs, *registry, *automation, *lineage,
                              *trash, native::ProgramReads(*access, *tracking, *datasets));
  AddApi<native::JobsApi>(*jobs);
  // A quarter of the threads that answer requests may wait for queries.
  const auto threads = static_cast<int>(settings.Int("server.blocking_threads"));
  AddApi<native::QueriesApi>(*queries, *jobs, *projects, *blobs,
                             native::ProgramReads(*access, *tracking, *datasets),
                             std::max(1, threads / 4));
  AddApi<native::ComparisonsApi>(*comparisons, *blobs,
                                 native::ProgramReads(*access, *tracking, *datasets),
                                 options.is_scratch);
  AddApi<native::PipelinesApi>(*pipelines, *approvals, *access, *usage, *automation, *trash);
  OpenRunApis();
  AddApi<native::TrainingApi>(
      *training, *usage, *jobs,
      native::TrainingBounds{.threads = std::max(1.0, settings.Number("jobs.cpu_slots")),
                             .memory_bytes = settings.Int("training.memory")});
  AddApi<native::TriggersApi>(*automation, *projects, *pipelines, *access, *releases, *usage,
                              *trash);
  AddApi<native::ModelsApi>(*registry, *evaluations, *projects, *datasets, *blobs, *serving, *trash,
                            *logged_gate, *access);
  AddApi<native::CatalogApi>(*registry, *catalog, *logged_gate);
  AddApi<native::HistoryApi>(
      *projects, *experiments, *catalog,
      mlflow::FilesOfRuns(*tracking, *logged_models, *files, *blobs).model_root);
  AddApi<native::HistoryModelsApi>(*projects, *logged_models, *files, *blobs);
  AddApi<native::ModelFilesApi>(*registry, *datasets, *projects, *blobs, *jobs,
                                settings.Int("training.memory"));
  AddApi<native::EvaluationApi>(*evaluations);
  AddApi<native::RecipesApi>(*datasets, *registry, *blobs, *jobs);
  AddApi<native::MonitorsApi>(*monitors, *automation, *trash);
  AddApi<native::KpisApi>(*kpis);
  AddApi<native::LoopApi>(loop::LoopRooms{.projects = *projects,
                                          .kpis = *kpis,
                                          .datasets = *datasets,
                                          .tracking = *tracking,
                                          .registry = *registry,
                                          .serving = *serving,
                                          .releases = *releases,
                                          .monitors = *monitors,
                                          .automation = *automation,
                                          .pipelines = *pipelines,
                                          .jobs = *jobs,
                                          .clock = SystemClock()});
  OpenServingApis();
}

void House::Rooms::OpenServingApis() {
  const auto inspections_api = AddApi<native::InspectionsApi>(*inspections, *registry, *tracking,
                                                              *logged_models, FilesOfSource);
  AddApi<native::EndpointsApi>(*serving, *predictions, *blobs, *releases, *automation, *trash,
                               [inspections_api](const auto& project, const auto& reference) {
                                 return inspections_api->DangerOf(project, reference);
                               });
  AddApi<native::CapturesApi>(*inference_log, *serving, *blobs);
  AddApi<native::PredictApi>(*serving);
  AddApi<oip::OipApi>(*serving, std::string(Version()));
}

// Not in our OpenAPI document: each row stands four times, and MLflow describes it.
void House::Rooms::OpenMlflowApis() {
  access->SetProgramRoutes(mlflow::IsForPrograms);
  AddApi<mlflow::ServerApi>();
  AddApi<mlflow::ExperimentsApi>(*projects, *experiments);
  AddApi<mlflow::UsersApi>(*projects, *access);
  AddApi<mlflow::WebhooksApi>(*projects, *notices, *secrets, SystemClock());
  const mlflow::IsFree is_free = [this](const registry::ModelVersion& version) {
    return native::CheckNotServed(*serving, version);
  };
  const mlflow::MayMoveAliases may_move = [this](net::Request& request,
                                                 const std::string& project) {
    return native::AdmitAlso(*access, request, project, "model.approve");
  };
  AddApi<mlflow::RegisteredModelsApi>(*projects, *registry, *catalog, *model_searcher, *logged_gate,
                                      is_free, may_move);
  mlflow::VersionFiles version_files =
      mlflow::FilesOfRuns(*tracking, *logged_models, *files, *blobs);
  version_files.danger = [this](const std::string& project, const std::string& source) {
    const auto report =
        FilesOfSource(project, source, [this](const auto& owner, const std::string& folder) {
          return inspections->Inspect(owner, folder, {.timeout_ms = kRegisterInspectionMs});
        });
    return report ? training::DangerOf(*report) : std::string();
  };
  AddApi<mlflow::ModelVersionsApi>(*projects, *catalog, *model_searcher, *logged_gate,
                                   std::move(version_files), is_free, may_move);
  AddApi<mlflow::RunsApi>(*projects, *tracking, *run_pages);
  AddApi<mlflow::RunModelsApi>(*projects, *tracking);
  AddApi<mlflow::GraphqlApi>(*projects, *experiments, *run_pages, *model_searcher);
  AddApi<mlflow::RunSearchApi>(*projects, *experiments, *run_searcher, *run_pages);
  AddApi<mlflow::MetricsApi>(*projects, *tracking);
  AddApi<mlflow::TracesApi>(*projects, *experiments, *tracking, *traces, *files, *blobs);
  AddApi<mlflow::AssessmentsApi>(*projects, *traces);
  AddApi<mlflow::EvalSetsApi>(*projects, *experiments, *eval_sets);
  AddApi<mlflow::ScorersApi>(*projects, *experiments, *scorers);
  AddApi<mlflow::OtlpApi>(*projects, *experiments, *tracking, *traces);
  const auto artifacts =
      AddApi<mlflow::ArtifactsApi>(*projects, *tracking, *files, *blobs, *catalog, SystemClock(),
                                   options.is_server ? BasePath().value_or("") : std::string());
  AddApi<mlflow::LoggedModelsApi>(*projects, *experiments, *logged_models, *files, *artifacts);
}

void House::Rooms::OpenWebui() {
  AddApi<webui::WebuiApi>(webui::BuiltAssets(),
                          webui::WebuiSettings{.base_path = BasePath().value_or(""),
                                               .folder = settings.Text("server.ui_dir")});
  if (const std::string folder = settings.Text("server.mlflow_ui"); !folder.empty())
    AddApi<mlflow::UiApi>(folder, BasePath().value_or(""));
}

void House::Rooms::OpenMaintenance() {
  native::Maintenance maintenance = HouseKeeping(
      {*database, *blobs, *events, *notices, *jobs, *pipelines, *automation, *trash, *deleted},
      SystemClock(),
      {.trash_us = Micros("retention.trash"),
       .deleted_us = Micros("retention.deleted"),
       .events_us = Micros("retention.events"),
       .notices_us = Micros("retention.notices"),
       .queries_us = Micros("retention.queries"),
       .jobs_us = Micros("retention.jobs"),
       .firings_us = Micros("retention.firings"),
       .pipelines_us = Micros("retention.pipelines"),
       .windows_us = Micros("retention.windows"),
       .kpis_us = Micros("retention.kpis")},
      [this]() -> std::int64_t { return housekeeper ? housekeeper->next_us() : 0; });
  maintenance.collect = [this,
                         collect = maintenance.collect](std::int64_t grace_us) -> Result<Json> {
    GYRE_DO(ForgetSetAside(*database, options.data_directory));
    return collect(grace_us);
  };
  AddBackup(
      maintenance, *database, *blobs, options.data_directory,
      [this] {
        const MutexLock held(settings_mutex);
        return shown_settings;
      },
      SystemClock());
  maintenance.space = [this] { return SpaceOf(*database, options.data_directory); };
  AddRepair(maintenance, *database, *blobs, options.data_directory);
  AddApi<native::MaintenanceApi>(maintenance, *jobs);
  if (const std::int64_t every_us = Micros("retention.every"); options.is_server && every_us > 0)
    housekeeper = std::make_unique<Housekeeper>(maintenance, every_us, SystemClock());
}

}  // namespace gyre
