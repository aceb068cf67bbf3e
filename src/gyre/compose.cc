#include "gyre/compose.h"

#include "gyre/budget_keeper.h"
#include "gyre/rooms.h"
#include "gyre/settings.h"
#include "gyre/storage_meter.h"
#include "platform/exec/signals.h"
#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kLog{"gyre"};
constexpr std::int64_t kIdlePollMicros = 20'000;

const std::span<const config::Setting> kSettingTables[] = {kServerSettings};

}  // namespace

std::string_view Version() { return GYRE_VERSION; }

Result<config::Settings> LoadSettings(const config::Sources& sources) {
  return config::Settings::Load(kSettingTables, sources);
}

House::House(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}

Result<std::unique_ptr<House>> House::Open(const HouseOptions& options) {
  auto rooms = std::make_unique<Rooms>();
  rooms->options = options;
  GYRE_TRY(rooms->settings, config::Settings::Load(kSettingTables, options.sources));
  GYRE_TRY(rooms->lock, config::DirectoryLock::Acquire(options.data_directory));
  GYRE_DO(rooms->OpenLog());
  GYRE_DO(rooms->OpenPlatform());
  GYRE_DO(rooms->Migrate());
  GYRE_DO(rooms->OpenLedger());
  GYRE_DO(rooms->OpenMl());
  GYRE_DO(rooms->Start());
  rooms->OpenApis();
  GYRE_DO(rooms->Listen());
  rooms->StartMeter();
  kLog.Info("ready",
            {{"data", options.data_directory}, {"url", rooms->info.url}, {"pid", rooms->info.pid}});
  telemetry::FlushLog();
  return std::unique_ptr<House>(new House(std::move(rooms)));
}

// Everything is in its place: what was left unfinished is ended or taken up, then news flow.
Result<> House::Rooms::Start() {
  if (exporter) exporter->Start();
  GYRE_DO(jobs->Start());
  inference_log->Start();
  GYRE_DO(pipelines->Start());
  GYRE_DO(serving->Start());
  const std::int64_t every_us = Micros("monitoring.every");
  if (options.is_server && every_us > 0) monitors->Start(every_us);
  const std::int64_t kpis_every_us = Micros("kpis.every");
  if (options.is_server && kpis_every_us > 0) kpis->Start(kpis_every_us);
  if (options.is_server) GYRE_DO(automation->Start());
  notices->Start();
  return events->Start();
}

void House::Rooms::StartMeter() {
  if (options.is_server) KeepBooks();  // a command does so when it ends
  meter = std::make_unique<EndpointMeter>(*serving, *usage, SystemClock(), [this] { KeepBooks(); });
}

// What there is to book and to look at now and then, beside the endpoints.
void House::Rooms::KeepBooks() {
  telemetry::FlushLog();  // lines of a quiet server, which fill no buffer
  egress_meter->Book();
  booking_storage.Look(BookStorage(*database, SystemClock()));
  keeping_budgets.Look(
      KeepBudgets({*database, *budgets, *events, *notices, *jobs, *pipelines, SystemClock()}));
}

// Other commands use our socket: what they began shall end well.
bool House::Rooms::Busy() const {
  if (running->count() > 0 || (program_door && program_door->busy())) return true;
  // A command that has told something lets each channel hear it once; a server has time.
  return jobs->busy() || pipelines->busy() || (!options.is_server && notices->busy());
}

// No new requests; what runs ends. A second call finds nothing left to do.
void House::Rooms::Drain() {
  if (notices) notices->Stop();  // receivers that hang hold up no end
  if (program_door) program_door->Drain();
  if (server) server->Drain();
  server.reset();
  // Jobs and subscribers use every room of the loop, so they end before any of them; jobs publish
  // events, so they go first.
  housekeeper.reset();
  if (monitors) monitors->Stop();
  if (kpis) kpis->Stop();
  if (automation) automation->Stop();
  meter.reset();  // books the last requests
  if (serving) serving->Stop();
  if (inference_log) inference_log->Stop();  // nobody answers any more: the last rows are sealed
  pipelines.reset();                         // asks jobs; programs go on
  jobs.reset();
  events.reset();
  anchors.reset();  // nothing is changed any more
  if (exporter) exporter->Stop();
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

}  // namespace gyre
