#include <unistd.h>

#include <algorithm>

#include "api/mlflow/ui_api.h"
#include "base/text.h"
#include "gyre/rooms.h"
#include "platform/config/environment.h"

namespace gyre {

Result<> House::Rooms::Listen() {
  using AccessLog = prometheus::RequestObserver::AccessLog;
  observer = std::make_unique<prometheus::RequestObserver>(
      metrics, tables, settings.Bool("log.requests") ? AccessLog::kOn : AccessLog::kOff);
  egress_meter = std::make_unique<EgressMeter>(
      *observer, *usage, SystemClock(),
      [this](std::string_view endpoint) { return serving->ProjectOf(endpoint); });
  spans = std::make_unique<RequestSpans>(*egress_meter, exporter.get());
  running = std::make_unique<RunningRequests>(*access, *spans);
  net::ServerSettings net_settings = NetSettings();
  if (options.is_server) {
    GYRE_TRY(net_settings.base_path, BasePath());
    const std::string mlflow_ui = settings.Text("server.mlflow_ui");
    if (!mlflow_ui.empty()) GYRE_DO(mlflow::CheckUiFolder(mlflow_ui));
  }
  GYRE_DO(StartServer(std::move(net_settings)));
  OpenProgramDoor();
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

// A server has its address; a command or a keeper takes one when a program asks for it.
void House::Rooms::OpenProgramDoor() {
  if (options.is_server) return;
  programs_only = std::make_unique<ProgramsOnly>(*running);
  program_door = std::make_unique<ProgramDoor>([this] {
    net::ServerSettings net_settings = NetSettings();
    net_settings.listen = "127.0.0.1:0";
    net_settings.unix_socket.clear();
    net_settings.tls_certificate_file.clear();
    net_settings.tls_key_file.clear();
    net_settings.behind_proxy = false;
    return net::StartServer(std::move(net_settings), tables, *programs_only, running.get());
  });
}

net::ServerSettings House::Rooms::NetSettings() const {
  net::ServerSettings net_settings;
  net_settings.listen = options.is_server ? settings.Text("server.listen") : "";
  net_settings.unix_socket = config::SocketPath(options.data_directory);
  net_settings.tls_certificate_file = settings.Text("server.tls_cert");
  net_settings.tls_key_file = settings.Text("server.tls_key");
  net_settings.behind_proxy = settings.Bool("server.behind_proxy");
  net_settings.io_threads =
      options.is_server ? static_cast<int>(settings.Int("server.io_threads")) : 1;
  net_settings.blocking_threads = static_cast<int>(settings.Int("server.blocking_threads"));
  net_settings.connections_max = static_cast<int>(settings.Int("server.connections_max"));
  net_settings.header_bytes_max = settings.Int("server.header_bytes_max");
  net_settings.body_bytes_max = settings.Int("server.body_bytes_max");
  net_settings.header_timeout_ms = Millis("server.header_timeout");
  net_settings.idle_timeout_ms = Millis("server.idle_timeout");
  net_settings.drain_timeout_ms = Millis("server.drain_timeout");
  return net_settings;
}

Result<std::string> House::Rooms::BasePath() const {
  std::string path = settings.Text("server.base_path");
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

}  // namespace gyre
