#include "platform/net/server.h"

#include <unistd.h>

#include <algorithm>

#include "base/mutex.h"
#include "base/time.h"
#include "platform/exec/thread_pool.h"
#include "platform/net/dispatcher.h"
#include "platform/net/event_loop.h"
#include "platform/net/listener.h"

namespace gyre::net {
namespace {

constexpr std::int64_t kDrainPollMicros = 2'000;
constexpr std::int64_t kPartForRefusals = 10;  // one tenth

// "0.0.0.0" is where a server listens, but nowhere to go: others know the machine by its name.
std::string ReachableHost(const std::string& host) {
  if (host != "0.0.0.0" && host != "[::]") return host;
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : host;
}

class EpollServer final : public Server {
 public:
  EpollServer(std::vector<std::unique_ptr<Listener>> listeners,
              std::unique_ptr<Dispatcher> dispatcher)
      : listeners_(std::move(listeners)), dispatcher_(std::move(dispatcher)) {
    const ServerSettings& settings = dispatcher_->settings();
    for (const auto& listener : listeners_) {
      if (listener->is_unix()) continue;
      port_ = listener->port();
      url_ = fmt::format("{}://{}:{}{}", dispatcher_->tls() ? "https" : "http",
                         ReachableHost(listener->host()), port_, settings.base_path);
    }
    std::vector<EventLoop*> all;
    for (int i = 0; i < std::max(settings.io_threads, 1); ++i) {
      loops_.push_back(std::make_unique<EventLoop>(*dispatcher_));
      all.push_back(loops_.back().get());
    }
    loops_[0]->Listen(listeners_, all);
    for (EventLoop* loop : all)
      workers_.emplace_back("io", [loop](const exec::StopFlag&) { loop->Run(); });
  }
  ~EpollServer() override {
    for (const auto& loop : loops_) loop->Stop();
    workers_.clear();     // connections die, their exchanges say `gone`
    dispatcher_.reset();  // so the pools' handlers end
    loops_.clear();       // until here handlers may still ring
  }

  int port() const override { return port_; }
  const std::string& url() const override { return url_; }
  Result<> ReloadCertificate() override {
    return dispatcher_->tls() == nullptr ? Result<>() : dispatcher_->tls()->Reload();
  }
  void Drain() override {
    dispatcher_->draining = true;
    for (const auto& loop : loops_) loop->StartDraining();
    // The last part of the time is for telling those who get no answer.
    const std::int64_t timeout_us = dispatcher_->settings().drain_timeout_ms * 1000;
    const std::int64_t until_us = SystemClock().MonotonicMicros() + timeout_us;
    if (WaitUntilDrained(until_us - timeout_us / kPartForRefusals)) return;
    for (const auto& loop : loops_) loop->Expire();
    WaitUntilDrained(until_us);
  }

 private:
  bool WaitUntilDrained(std::int64_t until_us) {
    MutexLock lock(mutex_);
    while (!IsDrained() && SystemClock().MonotonicMicros() < until_us)
      tick_.WaitMicros(mutex_, kDrainPollMicros);
    return IsDrained();
  }
  // The loops first: until they know, they let connections in.
  bool IsDrained() const {
    return std::ranges::all_of(loops_, [](const auto& loop) { return loop->drained(); }) &&
           dispatcher_->connections.load() == 0;
  }

  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<exec::Worker> workers_;
  Mutex mutex_;
  CondVar tick_;
  int port_ = 0;
  std::string url_;
};

}  // namespace

Result<std::unique_ptr<Server>> StartServer(ServerSettings settings,
                                            std::span<const RouteTable> tables,
                                            Gatekeeper& gatekeeper, Observer* observer) {
  while (settings.base_path.ends_with('/')) settings.base_path.pop_back();
  if (!settings.base_path.empty() && settings.base_path[0] != '/')
    settings.base_path.insert(0, "/");
  if (settings.tls_certificate_file.empty() != settings.tls_key_file.empty()) {
    return InvalidArgument("GY1619", "TLS needs a certificate and a key")
        .Fix("--tls-cert FILE --tls-key FILE");
  }
  std::unique_ptr<TlsServer> tls;
  if (!settings.tls_certificate_file.empty()) {
    GYRE_TRY(tls, TlsServer::Load(settings.tls_certificate_file, settings.tls_key_file));
  }
  std::vector<std::unique_ptr<Listener>> listeners;
  if (!settings.listen.empty()) {
    GYRE_TRY(auto listener,
             Listener::Tcp(settings.listen, tls != nullptr || settings.behind_proxy));
    listeners.push_back(std::move(listener));
  }
  if (!settings.unix_socket.empty()) {
    GYRE_TRY(auto listener, Listener::Unix(settings.unix_socket));
    listeners.push_back(std::move(listener));
  }
  auto dispatcher =
      std::make_unique<Dispatcher>(settings, tables, gatekeeper, observer, std::move(tls));
  return std::make_unique<EpollServer>(std::move(listeners), std::move(dispatcher));
}

}  // namespace gyre::net
