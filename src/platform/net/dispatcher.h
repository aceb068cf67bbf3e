// What all I/O threads of one server share: routes, the gatekeeper, the pools, the limits. Runs
// handlers. Private to platform/net.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/mutex.h"
#include "platform/exec/thread_pool.h"
#include "platform/net/exchange.h"
#include "platform/net/route_index.h"
#include "platform/net/server.h"
#include "platform/net/transport.h"

namespace gyre::net {

class Dispatcher {
 public:
  Dispatcher(const ServerSettings& settings, std::span<const RouteTable> tables,
             Gatekeeper& gatekeeper, Observer* observer, std::unique_ptr<TlsServer> tls);

  const ServerSettings& settings() const { return settings_; }
  const RouteIndex& index() const { return index_; }
  TlsServer* tls() const { return tls_.get(); }
  bool AnswersWithoutWaiting(const Exchange& exchange) const;

  // On the I/O thread: appends the answer, or returns the response when it is a stream or comes
  // later.
  std::optional<Response> RunInline(Exchange& exchange, std::string* out);
  std::optional<Response> AppendLater(Exchange& exchange, Result<Response> answer,
                                      std::string* out);
  // Begins what `response.later` waits for; the answer comes through the exchange.
  void Defer(std::shared_ptr<Exchange> exchange, Response response);
  void TellGone(Exchange& exchange);  // that nobody took its answer
  // On a pool: the answer comes through the exchange. An error (queue full) is for the caller to
  // answer.
  Result<> Post(std::shared_ptr<Exchange> exchange);
  Result<> PostEarly(std::shared_ptr<Exchange> exchange);
  Result<> PostStream(std::shared_ptr<Exchange> exchange, Response response);
  // An answer that no handler gave.
  void AppendRefusal(Exchange& exchange, const Error& error, std::string* out);
  // Beside a handler that still runs, which will tell of its own end.
  void AppendStopping(const Exchange& exchange, std::string* out) const;
  void AppendAllow(Exchange& exchange, const std::vector<Method>& allowed, std::string* out);

  std::atomic<int> connections{0};
  std::atomic<bool> draining{false};

 private:
  class Promise;
  // Answers that will come. Whoever gives one uses the dispatcher, so its end waits for them.
  class Promises {
   public:
    ~Promises();
    void Make();
    void Keep();

   private:
    Mutex mutex_;
    CondVar changed_;
    int count_ GYRE_GUARDED_BY(mutex_) = 0;
  };

  Response Answer(Exchange& exchange);
  void CloseIfUnread(Exchange& exchange) const;
  Response Settled(Exchange& exchange, Result<Response> result);
  std::optional<Response> Append(Exchange& exchange, Response response, std::string* out);
  Result<Response> Guarded(Exchange& exchange);
  void Deliver(const std::shared_ptr<Exchange>& exchange, Response response, bool on_stream_thread);
  void RunStream(Exchange& exchange, Response& response);
  Result<> PostOnStreams(std::move_only_function<void()> task);
  void Tell(Exchange& exchange, int status, std::int64_t bytes);

  const ServerSettings settings_;
  const RouteIndex index_;
  Gatekeeper& gatekeeper_;
  Observer* const observer_;
  const std::unique_ptr<TlsServer> tls_;
  std::atomic<int> streams_active_{0};
  std::once_flag streams_started_;
  Promises promises_;
  // Last: their threads use everything above, and handlers hand streams on, so their pool ends
  // first. Most servers never stream, so those threads start with the first stream.
  std::unique_ptr<exec::ThreadPool> streams_;
  exec::ThreadPool blocking_;
};

}  // namespace gyre::net
