#include "gyre/compose.h"

#include <unistd.h>

#include <algorithm>

#include "api/native/access_api.h"
#include "api/native/audit_api.h"
#include "api/native/captures_api.h"
#include "api/native/comparisons_api.h"
#include "api/native/datasets_api.h"
#include "api/native/endpoints_api.h"
#include "api/native/evaluation_api.h"
#include "api/native/events_api.h"
#include "api/native/jobs_api.h"
#include "api/native/lineage_api.h"
#include "api/native/maintenance_api.h"
#include "api/native/models_api.h"
#include "api/native/monitors_api.h"
#include "api/native/notices_api.h"
#include "api/native/pipelines_api.h"
#include "api/native/projects_api.h"
#include "api/native/queries_api.h"
#include "api/native/recipes_api.h"
#include "api/native/runs_api.h"
#include "api/native/secrets_api.h"
#include "api/native/system_api.h"
#include "api/native/training_api.h"
#include "api/native/triggers_api.h"
#include "api/native/usage_api.h"
#include "api/oip/oip_api.h"
#include "api/prometheus/prometheus.h"
#include "base/mutex.h"
#include "base/text.h"
#include "base/time.h"
#include "gyre/change_record.h"
#include "gyre/endpoint_meter.h"
#include "gyre/feedback_loop.h"
#include "gyre/housekeeper.h"
#include "gyre/maintenance.h"
#include "gyre/pipeline_steps.h"
#include "gyre/requests.h"
#include "gyre/settings.h"
#include "ledger/access/access.h"
#include "ledger/audit/anchors.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ledger/notices/notices.h"
#include "ledger/secrets/secrets.h"
#include "ledger/usage/usage.h"
#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/data/datasets.h"
#include "ml/data/queries.h"
#include "ml/evaluation/evaluations.h"
#include "ml/inference_log/inference_log.h"
#include "ml/monitoring/comparisons.h"
#include "ml/monitoring/monitors.h"
#include "ml/pipelines/pipelines.h"
#include "ml/projects/projects.h"
#include "ml/recipes/tasks.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/serving/predictions.h"
#include "ml/serving/serving.h"
#include "ml/tracking/tracking.h"
#include "ml/training/training.h"
#include "platform/blob/blob_store.h"
#include "platform/config/environment.h"
#include "platform/db/database.h"
#include "platform/exec/signals.h"
#include "platform/net/egress.h"
#include "platform/net/server.h"
#include "platform/telemetry/log.h"
#include "platform/telemetry/metrics.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kLog{"gyre"};
constexpr std::int64_t kIdlePollMicros = 20'000;

const std::span<const config::Setting> kSettingTables[] = {kServerSettings};

Result<> OpenLog(const config::Settings& settings, const HouseOptions& options) {
  telemetry::LogSettings log;
  log.file = settings.Text("log.file");
  // A command's stderr belongs to the command: its requests to itself are no news there.
  if (!options.is_server && log.file.empty()) log.file = options.data_directory + "/command.log";
  if (!log.file.empty()) log.file = config::AbsolutePath(log.file);
  const std::string& format = settings.Text("log.format");
  if (format != "text" && format != "json")
    return InvalidArgument("GY1840", "log.format is `{}`", format).Fix("text or json");
  log.format = format == "json" ? telemetry::LogFormat::kJson : telemetry::LogFormat::kText;
  GYRE_TRY(log.level, telemetry::ParseLogLevel(settings.Text("log.level")));
  log.file_bytes_max = settings.Int("log.file_bytes_max");
  log.files_max = static_cast<int>(settings.Int("log.files_max"));
  return telemetry::ConfigureLog(log);
}

Result<std::string> BasePath(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  if (path.empty()) return path;
  const auto refuse = [&](std::string_view rule) {
    return InvalidArgument("GY1841", "server.base_path cannot be `{}`: {}", path, rule)
        .Fix("--base-path /gyre");
  };
  if (!path.starts_with('/')) return refuse("it must begin with a slash");
  // Every client and every proxy must read it alike, so nothing in it may need an escape.
  for (const std::string_view part : Split(std::string_view(path).substr(1), '/')) {
    const bool plain = std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '.';
    });
    if (part.empty() || part == "." || part == ".." || !plain)
      return refuse("its parts are letters, digits, `-`, `_` and `.`");
  }
  return path;
}

}  // namespace

std::string_view Version() { return GYRE_VERSION; }

struct House::Rooms {
  Rooms() = default;
  ~Rooms() { Drain(); }  // also when they could not all be opened
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  HouseOptions options;
  config::Settings settings;
  Mutex settings_mutex;
  Json shown_settings GYRE_GUARDED_BY(settings_mutex);  // as they are in effect
  std::optional<config::DirectoryLock> lock;
  config::OwnerInfo info;

  telemetry::Metrics metrics;
  std::unique_ptr<db::Database> database;
  std::unique_ptr<blob::Store> blobs;

  std::unique_ptr<access::Access> access;
  std::unique_ptr<audit::Audit> audit;
  std::unique_ptr<audit::Anchors> anchors;
  std::unique_ptr<events::Events> events;
  std::unique_ptr<lineage::Lineage> lineage;
  std::unique_ptr<secrets::Secrets> secrets;
  std::unique_ptr<usage::Usage> usage;
  net::EgressGuard egress;
  std::unique_ptr<notices::Notices> notices;

  std::unique_ptr<runners::Jobs> jobs;
  std::unique_ptr<pipelines::Pipelines> pipelines;
  std::unique_ptr<projects::Projects> projects;
  std::unique_ptr<data::Datasets> datasets;
  std::unique_ptr<data::Queries> queries;
  std::unique_ptr<tracking::Tracking> tracking;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<evaluation::Evaluations> evaluations;
  std::unique_ptr<training::Training> training;
  std::unique_ptr<inference_log::InferenceLog> inference_log;
  std::unique_ptr<serving::Serving> serving;
  std::unique_ptr<serving::Predictions> predictions;
  std::unique_ptr<monitoring::Comparisons> comparisons;
  std::unique_ptr<monitoring::Monitors> monitors;
  std::unique_ptr<automation::Releases> releases;
  std::unique_ptr<automation::Automation> automation;
  std::unique_ptr<EndpointMeter> meter;
  std::unique_ptr<Housekeeper> housekeeper;  // of a server

  std::vector<std::shared_ptr<void>> apis;  // what the tables' handlers are called on
  std::vector<net::RouteTable> tables;
  std::unique_ptr<prometheus::RequestObserver> observer;
  std::unique_ptr<RunningRequests> running;
  std::unique_ptr<net::Server> server;

  Result<> OpenPlatform();
  Result<> Migrate();
  Result<> OpenLedger();
  Result<> OpenJobs();
  Result<> OpenMl();
  inference_log::LogSettings CaptureSettings() const;
  Result<evaluation::DatasetRows> RowsOf(const Result<data::Version>& version);
  void OpenApis();
  std::int64_t QueryMillis() const {
    return static_cast<std::int64_t>(settings.Number("query.timeout") * 1000);
  }
  template <class Api, class... Arguments>
  std::shared_ptr<Api> AddApi(Arguments&&... arguments);
  native::SystemInfo SystemFacts();
  Result<> Start();
  std::int64_t Micros(std::string_view setting) const;
  Result<> Listen();
  bool Busy() const;
  void Drain();
  Result<> StartServer(net::ServerSettings net_settings);
};

Result<> House::Rooms::OpenPlatform() {
  db::Settings database_settings;
  database_settings.path = options.data_directory + "/gyre.db";
  database_settings.readers_max = static_cast<int>(settings.Int("database.readers_max"));
  GYRE_TRY(database, db::OpenSqlite(std::move(database_settings)));
  GYRE_TRY(blobs, blob::OpenLocalStore(options.data_directory + "/blobs"));
  return {};
}

Result<> House::Rooms::Migrate() {
  const db::ModuleSchema schemas[] = {blob::BlobSchema(),
                                      access::AccessSchema(),
                                      audit::AuditSchema(),
                                      events::EventsSchema(),
                                      lineage::LineageSchema(),
                                      secrets::SecretsSchema(),
                                      usage::UsageSchema(),
                                      notices::NoticesSchema(),
                                      runners::RunnersSchema(),
                                      pipelines::PipelinesSchema(),
                                      projects::ProjectsSchema(),
                                      data::DataSchema(),
                                      tracking::TrackingSchema(),
                                      registry::RegistrySchema(),
                                      evaluation::EvaluationSchema(),
                                      inference_log::InferenceLogSchema(),
                                      serving::ServingSchema(),
                                      monitoring::MonitoringSchema(),
                                      automation::AutomationSchema()};
  return database->Migrate(schemas);
}

Result<> House::Rooms::OpenLedger() {
  const std::string& auth = settings.Text("access.auth");
  if (auth != "auto" && auth != "required")
    return InvalidArgument("GY1842", "access.auth is `{}`", auth).Fix("auto or required");
  access::AccessSettings access_settings;
  access_settings.auth_required = auth == "required";
  access_settings.behind_proxy = settings.Bool("server.behind_proxy");
  access_settings.beyond_loopback =
      options.is_server && !net::IsLoopbackListen(settings.Text("server.listen"));
  GYRE_TRY(access, access::OpenAccess(*database, SystemClock(), access_settings));
  audit = std::make_unique<audit::Audit>(*database);
  anchors = std::make_unique<audit::Anchors>(*audit, options.data_directory + "/audit.anchors",
                                             SystemClock());
  access->SetChangeRecorder(RecordOfChange);
  events = events::OpenEvents(*database, SystemClock());
  lineage = std::make_unique<lineage::Lineage>(*database);
  GYRE_TRY(secrets,
           secrets::OpenSecrets(*database, options.data_directory + "/master.key", SystemClock()));
  usage = std::make_unique<usage::Usage>(*database, SystemClock());
  GYRE_TRY(egress, net::EgressGuard::Parse(settings.Text("egress.allow")));
  notices = notices::OpenNotices(
      {*database, *events, *secrets, metrics, egress, SystemClock()},
      {.threads = options.is_server ? static_cast<int>(settings.Int("notices.threads")) : 1,
       .attempts_max = static_cast<int>(settings.Int("notices.attempts_max")),
       .retry_us = Micros("notices.retry_first"),
       .timeout_us = Micros("notices.timeout"),
       .only_new = !options.is_server});
  return {};
}

Result<> House::Rooms::OpenJobs() {
  runners::JobSettings job_settings;
  job_settings.cpu_slots = settings.Number("jobs.cpu_slots");
  job_settings.memory_bytes = settings.Int("jobs.memory");
  job_settings.queue_length_max = static_cast<int>(settings.Int("jobs.queue_length_max"));
  job_settings.log_directory = options.data_directory + "/logs/jobs";
  job_settings.request_timeout_ms = QueryMillis();
  GYRE_TRY(jobs, runners::OpenJobs(*database, *blobs, SystemClock(), std::move(job_settings)));
  GYRE_TRY(pipelines,
           pipelines::OpenPipelines({*database, *blobs, *events, SystemClock()},
                                    PipelinesSettingsOf(settings, options.data_directory)));
  return {};
}

Result<> House::Rooms::OpenMl() {
  projects = std::make_unique<projects::Projects>(*database, SystemClock());
  GYRE_DO(projects->EnsureDefault());
  GYRE_TRY(datasets, data::OpenDatasets(*database, *blobs, *jobs, *events, SystemClock()));
  queries = std::make_unique<data::Queries>(*datasets, *blobs, *jobs, QueryMillis());
  GYRE_TRY(tracking, tracking::OpenTracking(*database, SystemClock()));
  registry = std::make_unique<registry::Registry>(*database, SystemClock(), events.get());
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
  training = std::make_unique<training::Training>(
      training::TrainingRooms{*datasets, *projects, *tracking, *registry, *blobs, *jobs,
                              SystemClock(), evaluations.get()},
      training::Training::Settings{
          .threads = std::max(1, static_cast<int>(settings.Number("jobs.cpu_slots"))),
          .memory_bytes = settings.Int("training.memory"),
          .budget_seconds = settings.Number("training.budget")});
  training->AddJobs();
  predictions = std::make_unique<serving::Predictions>(*registry, *blobs, *jobs);
  comparisons = std::make_unique<monitoring::Comparisons>(
      *datasets, *blobs, *jobs, std::max(1, static_cast<int>(settings.Number("jobs.cpu_slots"))));
  AddCheckJob(*jobs, *database, *blobs, *datasets, *registry);
  GYRE_TRY(inference_log,
           inference_log::OpenInferenceLog(*database, *blobs, *jobs, *datasets, metrics,
                                           SystemClock(), CaptureSettings()));
  GYRE_TRY(serving, serving::OpenServing(
                        *database, *blobs, *registry, *events, metrics, SystemClock(),
                        {.rows_max = settings.Int("serving.rows_max")}, inference_log.get()));
  events->Subscribe({.name = "serving", .kinds = {"model."}, .react = [this](const events::Event&) {
                       return serving->Reconcile();
                     }});
  GYRE_TRY(monitors, monitoring::OpenMonitors({*database, *blobs, *events, *projects, *registry,
                                               *evaluations, *serving, *inference_log, *jobs,
                                               metrics, SystemClock(), MakeNotify(*notices)}));
  releases = std::make_unique<automation::Releases>(*database, SystemClock(),
                                                    MakeTraffic(*serving, *monitors));
  automation = automation::OpenAutomation(
      *database, *events, SystemClock(), MakeBelow(*pipelines, *monitors, *notices, *releases), {});
  AddSteps(*pipelines, {*blobs, *jobs, *datasets, *queries, *evaluations, *registry, *serving,
                        *training, *comparisons, *notices, *inference_log, *releases});
  return {};
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

template <class Api, class... Arguments>
std::shared_ptr<Api> House::Rooms::AddApi(Arguments&&... arguments) {
  auto api = std::make_shared<Api>(std::forward<Arguments>(arguments)...);
  apis.push_back(api);
  tables.push_back(api->table());
  return api;
}

std::int64_t House::Rooms::Micros(std::string_view setting) const {
  return static_cast<std::int64_t>(settings.Number(setting) * kMicrosPerSecond);
}

// Everything is in its place: what was left unfinished is ended or taken up, then news flow.
Result<> House::Rooms::Start() {
  GYRE_DO(jobs->Start());
  inference_log->Start();
  GYRE_DO(pipelines->Start());
  GYRE_DO(serving->Start());
  meter = std::make_unique<EndpointMeter>(*serving, *usage, SystemClock());
  const std::int64_t every_us = Micros("monitoring.every");
  if (options.is_server && every_us > 0) monitors->Start(every_us);
  if (options.is_server) GYRE_DO(automation->Start());
  notices->Start();
  return events->Start();
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
  if (options.is_server)
    system.base_path = BasePath(settings.Text("server.base_path")).value_or("");
  system.not_ready_reason = [this] {
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
  AddApi<native::AccessApi>(*access, *projects);
  AddApi<prometheus::MetricsApi>(metrics);
  AddApi<native::ProjectsApi>(*projects);
  AddApi<native::DatasetsApi>(*datasets, *projects, *blobs, *registry,
                              native::ProgramReads(*access, *tracking, *datasets));
  AddApi<native::JobsApi>(*jobs);
  // A quarter of the threads that answer requests may wait for queries.
  const auto threads = static_cast<int>(settings.Int("server.blocking_threads"));
  AddApi<native::QueriesApi>(*queries, *jobs, *projects, *blobs,
                             native::ProgramReads(*access, *tracking, *datasets),
                             std::max(1, threads / 4));
  AddApi<native::ComparisonsApi>(*comparisons, *blobs,
                                 native::ProgramReads(*access, *tracking, *datasets),
                                 options.is_scratch);
  AddApi<native::PipelinesApi>(*pipelines, *access);
  AddApi<native::RunsApi>(*tracking, *jobs, *blobs, *access, *projects, *registry, *datasets);
  AddApi<native::TrainingApi>(*training);
  AddApi<native::TriggersApi>(*automation, *projects, *pipelines, *access);
  AddApi<native::ModelsApi>(*registry, *evaluations, *projects, *datasets, *blobs, *serving);
  AddApi<native::EvaluationApi>(*evaluations);
  AddApi<native::RecipesApi>(*datasets, *registry, *blobs, *jobs);
  AddApi<native::MonitorsApi>(*monitors);
  AddApi<native::EndpointsApi>(*serving, *predictions, *blobs);
  AddApi<native::CapturesApi>(*inference_log, *serving, *blobs);
  AddApi<native::PredictApi>(*serving);
  AddApi<oip::OipApi>(*serving, std::string(Version()));
  AddApi<native::LineageApi>(*lineage, *registry, *datasets);
  AddApi<native::EventsApi>(*events);
  AddApi<native::AuditApi>(*audit, anchors->path());
  AddApi<native::UsageApi>(*usage);
  AddApi<native::NoticesApi>(*notices, *projects);
  AddApi<native::SecretsApi>(*secrets, *projects);
  const native::Maintenance maintenance =
      HouseKeeping(*database, *blobs, *events, *notices, *jobs, *pipelines, SystemClock(),
                   {.events_us = Micros("retention.events"),
                    .queries_us = Micros("retention.queries"),
                    .pipelines_us = Micros("retention.pipelines")});
  AddApi<native::MaintenanceApi>(maintenance, *jobs);
  if (const std::int64_t every_us = Micros("retention.every"); options.is_server && every_us > 0)
    housekeeper = std::make_unique<Housekeeper>(maintenance, every_us);
  system->Describe(tables);
}

Result<> House::Rooms::StartServer(net::ServerSettings net_settings) {
  auto started = net::StartServer(net_settings, tables, *running, running.get());
  const bool in_use = !started && started.error().gy() == "GY1610";
  if (in_use && options.any_port) {
    info.taken = net_settings.listen;
    net_settings.listen = net_settings.listen.substr(0, net_settings.listen.rfind(':')) + ":0";
    started = net::StartServer(std::move(net_settings), tables, *running, running.get());
  }
  if (!started) return std::move(started).error();
  server = *std::move(started);
  return {};
}

Result<> House::Rooms::Listen() {
  using AccessLog = prometheus::RequestObserver::AccessLog;
  observer = std::make_unique<prometheus::RequestObserver>(
      metrics, tables, settings.Bool("log.requests") ? AccessLog::kOn : AccessLog::kOff);
  running = std::make_unique<RunningRequests>(*access, *observer);
  net::ServerSettings net_settings;
  net_settings.listen = options.is_server ? settings.Text("server.listen") : "";
  net_settings.unix_socket = config::SocketPath(options.data_directory);
  if (options.is_server) {
    GYRE_TRY(net_settings.base_path, BasePath(settings.Text("server.base_path")));
  }
  net_settings.tls_certificate_file = settings.Text("server.tls_cert");
  net_settings.tls_key_file = settings.Text("server.tls_key");
  net_settings.behind_proxy = settings.Bool("server.behind_proxy");
  net_settings.io_threads =
      options.is_server ? static_cast<int>(settings.Int("server.io_threads")) : 1;
  net_settings.blocking_threads = static_cast<int>(settings.Int("server.blocking_threads"));
  net_settings.connections_max = static_cast<int>(settings.Int("server.connections_max"));
  net_settings.header_bytes_max = settings.Int("server.header_bytes_max");
  net_settings.body_bytes_max = settings.Int("server.body_bytes_max");
  net_settings.header_timeout_ms =
      static_cast<std::int64_t>(settings.Number("server.header_timeout") * 1000);
  net_settings.idle_timeout_ms =
      static_cast<std::int64_t>(settings.Number("server.idle_timeout") * 1000);
  net_settings.drain_timeout_ms =
      static_cast<std::int64_t>(settings.Number("server.drain_timeout") * 1000);
  GYRE_DO(StartServer(std::move(net_settings)));
  info = {::getpid(),
          options.is_server ? server->url() : "",
          std::string(Version()),
          options.is_server   ? "server"
          : options.is_keeper ? "keeper"
                              : "command",
          settings.Text("log.file"),
          SystemClock().NowMicros(),
          info.taken};
  return lock->Announce(info);
}

// Other commands use our socket: what they began shall end well.
bool House::Rooms::Busy() const {
  if (running->count() > 0) return true;
  // A command that has told something lets each channel hear it once; a server has time.
  return jobs->busy() || pipelines->busy() || (!options.is_server && notices->busy());
}

// No new requests; what runs ends. A second call finds nothing left to do.
void House::Rooms::Drain() {
  if (notices) notices->Stop();  // receivers that hang hold up no end
  if (server) server->Drain();
  server.reset();
  // Jobs and subscribers use every room of the loop, so they end before any of them; jobs publish
  // events, so they go first.
  housekeeper.reset();
  if (monitors) monitors->Stop();
  if (automation) automation->Stop();
  meter.reset();  // books the last requests
  if (serving) serving->Stop();
  if (inference_log) inference_log->Stop();  // nobody answers any more: the last rows are sealed
  pipelines.reset();                         // asks jobs; programs go on
  jobs.reset();
  events.reset();
  anchors.reset();  // nothing is changed any more
}

Result<> CheckSettings(const config::Sources& sources) {
  const auto settings = config::Settings::Load(kSettingTables, sources);
  return settings ? Result<>() : settings.error();
}

House::House(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}

Result<std::unique_ptr<House>> House::Open(const HouseOptions& options) {
  auto rooms = std::make_unique<Rooms>();
  rooms->options = options;
  GYRE_TRY(rooms->settings, config::Settings::Load(kSettingTables, options.sources));
  GYRE_TRY(rooms->lock, config::DirectoryLock::Acquire(options.data_directory));
  GYRE_DO(OpenLog(rooms->settings, options));
  GYRE_DO(rooms->OpenPlatform());
  GYRE_DO(rooms->Migrate());
  GYRE_DO(rooms->OpenLedger());
  GYRE_DO(rooms->OpenJobs());
  GYRE_DO(rooms->OpenMl());
  GYRE_DO(rooms->Start());
  rooms->OpenApis();
  GYRE_DO(rooms->Listen());
  kLog.Info("ready",
            {{"data", options.data_directory}, {"url", rooms->info.url}, {"pid", rooms->info.pid}});
  return std::unique_ptr<House>(new House(std::move(rooms)));
}

House::~House() = default;

const config::OwnerInfo& House::info() const { return rooms_->info; }
const config::Settings& House::settings() const { return rooms_->settings; }
const std::string& House::data_directory() const { return rooms_->options.data_directory; }

std::string House::setup_url() const {
  const auto secret = rooms_->access->NewSetupSecret();
  return secret && !secret->empty() ? rooms_->info.url + "/setup?token=" + *secret : std::string();
}

Result<> House::ReloadSettings() {
  GYRE_TRY(const config::Settings fresh,
           config::Settings::Load(kSettingTables, rooms_->options.sources));
  GYRE_TRY(const telemetry::LogLevel level, telemetry::ParseLogLevel(fresh.Text("log.level")));
  telemetry::SetLogLevel("", level);
  MutexLock lock(rooms_->settings_mutex);
  Json shown = Json::Arr();
  const Json read = fresh.ToJson();
  for (std::size_t i = 0; i < read.size(); ++i) {
    const bool hot = read.items()[i]["hot"].AsBool();
    shown.Push(hot ? read.items()[i] : rooms_->shown_settings.items()[i]);
  }
  rooms_->shown_settings = std::move(shown);
  return {};
}

Result<> House::ReloadCertificate() { return rooms_->server->ReloadCertificate(); }

void House::Drain() { rooms_->Drain(); }

bool House::busy() const { return rooms_->Busy(); }

void House::WaitUntilIdle() {
  while (busy()) exec::InterruptCounter::SleepMicros(kIdlePollMicros);
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
