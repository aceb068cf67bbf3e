#include "gyre/compose.h"

#include <unistd.h>

#include <algorithm>

#include "api/native/projects_api.h"
#include "api/native/system_api.h"
#include "base/text.h"
#include "base/time.h"
#include "gyre/requests.h"
#include "gyre/settings.h"
#include "ledger/lineage/lineage.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/tracking/tracking.h"
#include "platform/blob/blob_store.h"
#include "platform/config/environment.h"
#include "platform/db/database.h"
#include "platform/exec/signals.h"
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
  if (format != "text" && format != "json") return InvalidArgument("GY1840", "log.format is `{}`", format).Fix("text or json");
  log.format = format == "json" ? telemetry::LogFormat::kJson : telemetry::LogFormat::kText;
  GYRE_TRY(log.level, telemetry::ParseLogLevel(settings.Text("log.level")));
  log.file_bytes_max = settings.Int("log.file_bytes_max");
  log.files_max = static_cast<int>(settings.Int("log.files_max"));
  return telemetry::ConfigureLog(log);
}

Result<std::string> BasePath(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  if (path.empty() || path.starts_with('/')) return path;
  return InvalidArgument("GY1841", "server.base_path must begin with a slash, not `{}`", path);
}

}  // namespace

std::string_view Version() { return GYRE_VERSION; }

struct House::Rooms {
  HouseOptions options;
  config::Settings settings;
  std::optional<config::DirectoryLock> lock;
  config::OwnerInfo info;

  telemetry::Metrics metrics;
  std::unique_ptr<db::Database> database;
  std::unique_ptr<blob::Store> blobs;
  std::unique_ptr<runners::Jobs> jobs;
  std::unique_ptr<projects::Projects> projects;
  std::unique_ptr<tracking::Tracking> tracking;
  std::unique_ptr<registry::Registry> registry;

  std::unique_ptr<native::SystemApi> system_api;
  std::unique_ptr<native::ProjectsApi> projects_api;
  std::vector<net::RouteTable> tables;
  std::unique_ptr<LocalOwnerGate> gate;
  std::unique_ptr<RequestObserver> observer;
  std::unique_ptr<net::Server> server;

  Result<> OpenPlatform();
  Result<> Migrate();
  Result<> OpenJobs();
  Result<> OpenMl();
  void OpenApis();
  Result<> Listen();
  bool Busy() const;
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
  const db::ModuleSchema schemas[] = {blob::BlobSchema(),         lineage::LineageSchema(),   projects::ProjectsSchema(),
                                      runners::RunnersSchema(),   tracking::TrackingSchema(), registry::RegistrySchema()};
  return database->Migrate(schemas);
}

Result<> House::Rooms::OpenJobs() {
  runners::JobSettings job_settings;
  job_settings.cpu_slots = settings.Number("jobs.cpu_slots");
  job_settings.memory_bytes = settings.Int("jobs.memory");
  job_settings.queue_length_max = static_cast<int>(settings.Int("jobs.queue_length_max"));
  job_settings.log_directory = options.data_directory + "/logs/jobs";
  GYRE_TRY(jobs, runners::OpenJobs(*database, *blobs, SystemClock(), std::move(job_settings)));
  return {};
}

Result<> House::Rooms::OpenMl() {
  projects = std::make_unique<projects::Projects>(*database, SystemClock());
  GYRE_DO(projects->EnsureDefault());
  GYRE_TRY(tracking, tracking::OpenTracking(*database, SystemClock()));
  registry = std::make_unique<registry::Registry>(*database, SystemClock());
  return {};
}

void House::Rooms::OpenApis() {
  native::SystemInfo system;
  system.version = std::string(Version());
  system.settings = settings.ToJson();
  system.not_ready_reason = [] { return std::string(); };
  system.status = [this] {
    return Json::Obj({{"version", Version()}, {"pid", info.pid}, {"url", info.url}, {"kind", info.kind}, {"data_directory", options.data_directory}});
  };
  system_api = std::make_unique<native::SystemApi>(std::move(system));
  projects_api = std::make_unique<native::ProjectsApi>(*projects);
  tables = {system_api->table(), projects_api->table()};
  system_api->Describe(tables);
}

Result<> House::Rooms::StartServer(net::ServerSettings net_settings) {
  auto started = net::StartServer(net_settings, tables, *gate, observer.get());
  const bool in_use = !started && started.error().gy() == "GY1610";
  if (in_use && options.any_port) {
    net_settings.listen = net_settings.listen.substr(0, net_settings.listen.rfind(':')) + ":0";
    started = net::StartServer(std::move(net_settings), tables, *gate, observer.get());
  }
  if (!started) return std::move(started).error();
  server = *std::move(started);
  return {};
}

Result<> House::Rooms::Listen() {
  gate = std::make_unique<LocalOwnerGate>();
  observer = std::make_unique<RequestObserver>(metrics, settings.Bool("log.requests"));
  net::ServerSettings net_settings;
  net_settings.listen = options.is_server ? settings.Text("server.listen") : "";
  net_settings.unix_socket = config::SocketPath(options.data_directory);
  if (options.is_server) {
    GYRE_TRY(net_settings.base_path, BasePath(settings.Text("server.base_path")));
  }
  net_settings.tls_certificate_file = settings.Text("server.tls_cert");
  net_settings.tls_key_file = settings.Text("server.tls_key");
  net_settings.behind_proxy = settings.Bool("server.behind_proxy");
  net_settings.io_threads = options.is_server ? static_cast<int>(settings.Int("server.io_threads")) : 1;
  net_settings.blocking_threads = static_cast<int>(settings.Int("server.blocking_threads"));
  net_settings.connections_max = static_cast<int>(settings.Int("server.connections_max"));
  net_settings.header_timeout_ms = static_cast<std::int64_t>(settings.Number("server.header_timeout") * 1000);
  net_settings.idle_timeout_ms = static_cast<std::int64_t>(settings.Number("server.idle_timeout") * 1000);
  net_settings.drain_timeout_ms = static_cast<std::int64_t>(settings.Number("server.drain_timeout") * 1000);
  GYRE_DO(StartServer(std::move(net_settings)));
  info = {::getpid(), options.is_server ? server->url() : "", std::string(Version()), options.is_server ? "server" : "command",
          settings.Text("log.file"), SystemClock().NowMicros()};
  return lock->Announce(info);
}

// Other commands use our socket: what they began shall end well.
bool House::Rooms::Busy() const {
  const auto list = jobs->List("", 100);
  if (!list) return false;
  return std::any_of(list->begin(), list->end(), [](const runners::Job& job) { return job.state == "queued" || job.state == "running"; });
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
  GYRE_DO(rooms->OpenJobs());
  GYRE_DO(rooms->OpenMl());
  GYRE_DO(rooms->jobs->Start());
  rooms->OpenApis();
  GYRE_DO(rooms->Listen());
  kLog.Info("ready", {{"data", options.data_directory}, {"url", rooms->info.url}, {"pid", rooms->info.pid}});
  return std::unique_ptr<House>(new House(std::move(rooms)));
}

House::~House() { Drain(); }

const config::OwnerInfo& House::info() const { return rooms_->info; }
const config::Settings& House::settings() const { return rooms_->settings; }
const std::string& House::data_directory() const { return rooms_->options.data_directory; }
std::string House::setup_url() const { return {}; }

void House::Drain() {
  if (rooms_->server) rooms_->server->Drain();
  rooms_->server.reset();
  // Jobs use every room of the loop, so they end before any of them.
  rooms_->jobs.reset();
}

void House::WaitUntilIdle() {
  while (rooms_->Busy()) exec::InterruptCounter::SleepMicros(kIdlePollMicros);
}

runners::TaskRegistry AllTasks() {
  runners::TaskRegistry tasks;
  return tasks;
}

}  // namespace gyre
