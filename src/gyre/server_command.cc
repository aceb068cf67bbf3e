#include "gyre/server_command.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "cli/connect.h"
#include "cli/output.h"
#include "gyre/compose.h"
#include "gyre/restore_command.h"
#include "gyre/upgrade_command.h"
#include "ml/runners/tasks.h"
#include "platform/config/environment.h"
#include "platform/exec/companion.h"
#include "platform/exec/fault_point.h"
#include "platform/exec/service_manager.h"
#include "platform/exec/signals.h"
#include "platform/telemetry/log.h"

namespace gyre {
namespace {

using cli::Invocation;

constexpr telemetry::Logger kLog{"gyre"};
constexpr std::int64_t kIdlePollMicros = 20'000;

// Flag -> setting.
struct FlagSetting {
  std::string_view flag, setting;
};
constexpr FlagSetting kFlags[] = {{"listen", "server.listen"},
                                  {"base-path", "server.base_path"},
                                  {"ui-dir", "server.ui_dir"},
                                  {"tls-cert", "server.tls_cert"},
                                  {"tls-key", "server.tls_key"},
                                  {"auth", "access.auth"},
                                  {"mlflow-ui", "server.mlflow_ui"},
                                  {"log-file", "log.file"},
                                  {"log-format", "log.format"},
                                  {"log-level", "log.level"},
                                  {"behind-proxy", "server.behind_proxy"}};

std::string DataDirectory(const Invocation& in) {
  return in.Has("data") ? config::AbsolutePath(in.Get("data")) : config::DefaultDataDirectory();
}

HouseOptions OptionsOf(const Invocation& in) {
  HouseOptions options;
  options.data_directory = DataDirectory(in);
  options.is_server = true;
  options.any_port = in.Has("any-port");
  options.sources = config::DefaultSources();
  options.sources.explicit_file = in.Get("config");
  for (const FlagSetting& flag : kFlags) {
    if (in.Has(flag.flag))
      options.sources.flags.push_back(
          {std::string(flag.setting), in.Get(flag.flag), fmt::format("--{}", flag.flag)});
  }
  return options;
}

void PrintWhereItIs(const House& house, double milliseconds, cli::Output& out) {
  const std::string& url = house.info().url;
  const auto line = [&](bool last, std::string_view label, const std::string& text) {
    out.Print(fmt::format("  {} {:<9} {}\n", out.Mark(last ? "corner" : "tee"), label, text));
  };
  out.Done(fmt::format("server ready in {:.0f} ms   gyre {}   pid {}", milliseconds, Version(),
                       house.info().pid));
  line(false, "Open", url + "/");
  line(false, "API", url + "/api/v1   described in /api/v1/openapi.json");
  line(false, "Predict", url + "/e/ENDPOINT   Open Inference: " + url + "/v2");
  line(false, "Metrics", url + "/metrics   health: /healthz, /readyz");
  const std::string setup = house.setup_url();
  line(setup.empty(), "Data", house.data_directory());
  if (!setup.empty()) line(true, "Set up", setup + "   (first user; works once)");
}

void SayReloaded(std::string_view what, const Result<>& reloaded) {
  if (reloaded) return kLog.Info(fmt::format("{} read again", what), {});
  kLog.Error(fmt::format("{}: kept what was read before", what),
             {{"error", reloaded.error().ToString()}});
}

// Each by itself: broken settings do not keep a certificate from being renewed.
void Reload(House& house) {
  SayReloaded("settings", house.ReloadSettings());
  if (house.info().url.starts_with("https:")) SayReloaded("certificate", house.ReloadCertificate());
}

// A manager that does not hear us must not keep the server from serving.
void TellManager(std::string_view state) {
  if (const auto told = exec::TellServiceManager(state); !told)
    kLog.Warn("the service manager", {{"error", told.error().ToString()}});
}

// SIGHUP reloads, except in a terminal: there it says that the terminal is gone.
int WaitForEnd(exec::SignalWaiter& signals, House& house) {
  while (true) {
    const int signal = signals.Wait(-1).value_or(SIGTERM);
    if (signal != SIGHUP || ::isatty(STDIN_FILENO) != 0) return signal;
    Reload(house);
  }
}

Result<int> RunServer(Invocation& in) {
  const std::int64_t started_us = SystemClock().MonotonicMicros();
  exec::SignalWaiter signals({SIGTERM, SIGINT, SIGHUP});
  if (const auto fault = config::Environment("GYRE_FAULT_POINT")) GYRE_DO(exec::ArmFault(*fault));
  GYRE_TRY(const auto house, House::Open(OptionsOf(in)));
  const double milliseconds =
      static_cast<double>(SystemClock().MonotonicMicros() - started_us) / 1000;
  if (in.out().json()) {
    const config::OwnerInfo& info = house->info();
    in.out().Document(Json::Obj({{"pid", info.pid},
                                 {"url", info.url},
                                 {"data", DataDirectory(in)},
                                 {"setup_url", house->setup_url()}}),
                      "");
  } else {
    PrintWhereItIs(*house, milliseconds, in.out());
  }
  TellManager("READY=1");
  const int signal = WaitForEnd(signals, *house);
  TellManager("STOPPING=1");
  kLog.Info("stopping", {{"signal", signal}});
  house->Drain();
  telemetry::FlushLog();
  return 0;
}

Result<int> RunStop(Invocation& in) {
  GYRE_TRY(const double seconds, in.GetSeconds("timeout"));
  const std::string data = DataDirectory(in);
  const auto running = in.Ask("/api/v1/jobs?state=running&limit=100");
  GYRE_TRY(const bool stopped, cli::StopServer(data, static_cast<std::int64_t>(seconds * 1000)));
  in.out().Done(stopped ? "server stopped" : fmt::format("no server runs on {}", data));
  if (!stopped || !running) return 0;
  for (const Json& job : (*running)["items"].items())
    in.out().Warn(fmt::format("it ended `{}`, which ran (gyre jobs show {})",
                              job["title"].AsString(), job["id"].AsString().substr(0, 8)));
  return 0;
}

Result<int> RunStatus(Invocation& in) {
  const std::string data = DataDirectory(in);
  GYRE_TRY(const auto owner, config::FindOwner(data));
  if (!owner) {
    return NotFound("GY4033", "no server runs on {}", data)
        .Fix(fmt::format("gyre server --data {}", data));
  }
  Json json = Json::Obj({{"pid", owner->pid},
                         {"url", owner->url},
                         {"kind", owner->kind},
                         {"version", owner->version},
                         {"data", data}});
  json.Set("log_file", owner->log_file).Set("started_at", FormatTime(owner->started_us));
  in.out().Document(json,
                    fmt::format("{} runs on {}\n  pid      {}\n  url      {}\n  since    {}\n",
                                "a " + owner->kind, data, owner->pid,
                                owner->url.empty() ? "(socket only)" : owner->url,
                                FormatTime(owner->started_us)));
  return 0;
}

// Owns the directory for a command that may be left: until that command is gone and what others
// began has ended.
Result<int> RunKeeper(Invocation& in) {
  exec::SignalWaiter signals({SIGTERM, SIGINT, SIGHUP});
  HouseOptions options;
  options.data_directory = DataDirectory(in);
  options.is_keeper = true;
  options.sources = config::DefaultSources();
  options.sources.explicit_file = in.Get("config");
  GYRE_TRY(const auto house, House::Open(options));
  exec::SayReady();
  std::optional<int> signal = signals.WaitOrHangUp(STDIN_FILENO);
  while (!signal && house->busy()) signal = signals.Wait(kIdlePollMicros);
  house->Drain();
  telemetry::FlushLog();
  return 0;
}

// What GYRE_FAULT_POINT may name.
Result<int> RunFaults(Invocation& in) {
  Json items = Json::Arr();
  std::string text;
  for (const exec::FaultPoint& point : exec::kFaultPoints) {
    const std::string name =
        fmt::format("{}{}{}", point.name, point.of.empty() ? "" : ":", point.of);
    items.Push(Json::Obj({{"name", point.name}, {"of", point.of}, {"says", point.says}}));
    text += fmt::format("{:<22} {}\n", name, point.says);
  }
  in.out().Document(Json::Obj({{"items", std::move(items)}}), text);
  return 0;
}

Result<int> RunWorker(Invocation& /*in*/) { return runners::WorkerMain(AllTasks()); }

constexpr cli::Option kServerOptions[] = {
    {"--listen", "ADDR:PORT", "where to listen (127.0.0.1:7171); port 0 = any free one"},
    {"--auth", "MODE", "required: everyone needs a login, the local owner too"},
    {"--behind-proxy", "", "a proxy in front ends TLS"},
    {"--tls-cert", "FILE", "certificate chain, PEM", {}, false, "file"},
    {"--tls-key", "FILE", "private key, PEM", {}, false, "file"},
    {"--base-path", "PATH", "serve below this path"},
    {"--mlflow-ui", "DIR", "serve MLflow's own web UI from its package's js/build at /mlflow"},
    {"--ui-dir", "DIR", "serve the web UI's files from this folder, to work on them"},
    {"--log-file", "FILE", "log there, rotated, instead of standard error", {}, false, "file"},
    {"--log-format", "FORMAT", "text or json"},
    {"--log-level", "LEVEL", "debug, info, warn or error"},
    {"--any-port", "", "take any free port when the address is in use"},
};
constexpr cli::Option kStopOptions[] = {
    {"--timeout", "TIME", "how long to wait for its end", "30s"}};

constexpr cli::Positional kBackupFile[] = {
    {"FILE", "a backup; - for standard input", true, false, "file"}};
constexpr cli::Option kUpgradeOptions[] = {
    {"--rollback", "", "back to the newest snapshot; what was written since is set aside"}};

constexpr cli::Command kCommands[] = {
    {"server",
     "serve the API, predictions and metrics",
     "gyre server\ngyre server --data ./data --listen 127.0.0.1:0\ngyre server --listen "
     "0.0.0.0:443 --tls-cert c.pem --tls-key k.pem",
     {},
     kServerOptions,
     RunServer},
    {"server status",
     "who serves the data directory",
     "gyre server status -o json",
     {},
     {},
     RunStatus},
    {"server stop",
     "end the server of the data directory; running requests finish",
     "gyre server stop",
     {},
     kStopOptions,
     RunStop},
    {"backup verify",
     "read a backup to its last byte: whether it can be restored",
     "gyre backup verify monday.gyre",
     kBackupFile,
     {},
     RunVerify},
    {"restore",
     "make a new data directory of a backup",
     "gyre restore monday.gyre --data ./new\nssh elsewhere cat monday.gyre | gyre restore - --data "
     "./new",
     kBackupFile,
     {},
     RunRestore},
    {"upgrade",
     "what a start of this gyre does to the database; and the way back",
     "gyre upgrade\ngyre upgrade --rollback",
     {},
     kUpgradeOptions,
     RunUpgrade},
    {"keeper", "owns the data directory for a command", "", {}, {}, RunKeeper},
    {"worker", "computes tasks for a server", "", {}, {}, RunWorker},
    {"faults", "where a test lets the server die", "", {}, {}, RunFaults},
};

}  // namespace

std::span<const cli::Command> ProgramCommands() { return kCommands; }

}  // namespace gyre
