#include "platform/net/dispatcher.h"

#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "platform/net/fields.h"
#include "platform/net/reply.h"
#include "platform/telemetry/log.h"
#include "platform/telemetry/trace.h"

namespace gyre::net {
namespace {

constexpr telemetry::Logger kLog{"platform/net"};
constexpr std::size_t kDeferredBodyMax = 16 << 10;  // read on the I/O thread
constexpr int kStatusGone = 499;

ReplyContext ContextOf(Exchange& exchange) {
  ReplyContext context;
  context.method = exchange.method();
  context.http10 = exchange.head().version == 10;
  context.keep_alive = exchange.keep_alive;
  context.request_id = exchange.id();
  // A client on this machine has no line to spare: to pack for it costs more than to write.
  if (!exchange.IsFromHere())
    context.accept_encoding = exchange.Header("accept-encoding").value_or("");
  return context;
}

Response ErrorResponse(const Route* route, const Error& error, std::string_view request_id) {
  if (route != nullptr && route->error_response != nullptr)
    return route->error_response(error, request_id);
  return ProblemResponse(error, request_id);
}

Error Broken() {
  return Internal("GY1600", "an internal error; the log has it under this request id");
}

Error Busy() {
  return MakeError(Code::kUnavailable, "GY1613", "the server is busy")
      .Why("all of its threads work and the queue is full")
      .Fix("try again in a second");
}

// What this thread does belongs to the request.
struct RequestScope {
  explicit RequestScope(Exchange& exchange)
      : log(exchange.id()),
        trace(exchange.id(), exchange.Header("traceparent").value_or(""), &exchange.led_on) {}
  const telemetry::LogRequestScope log;
  const telemetry::TraceScope trace;
};

// Frames what a handler streams, and counts it.
class StreamWriter final : public BodyWriter {
 public:
  StreamWriter(Exchange& exchange, Framing framing, std::optional<std::int64_t> length)
      : exchange_(exchange), framing_(framing), length_(length) {}
  Result<> Write(std::string_view bytes) override {
    if (bytes.empty()) return {};
    written_ += static_cast<std::int64_t>(bytes.size());
    if (length_ && written_ > *length_)
      return Internal("GY1600", "the stream is longer than it said");
    std::string piece;
    if (framing_ == Framing::kChunked) {
      piece.reserve(bytes.size() + 24);
      AppendChunk(bytes, &piece);
    } else {
      piece = bytes;
    }
    return exchange_.PushOut(std::move(piece), true);
  }
  std::int64_t written() const { return written_; }

 private:
  Exchange& exchange_;
  const Framing framing_;
  const std::optional<std::int64_t> length_;
  std::int64_t written_ = 0;
};

}  // namespace

Dispatcher::Dispatcher(const ServerSettings& settings, std::span<const RouteTable> tables,
                       Gatekeeper& gatekeeper, Observer* observer, std::unique_ptr<TlsServer> tls)
    : settings_(settings),
      index_(tables),
      gatekeeper_(gatekeeper),
      observer_(observer),
      tls_(std::move(tls)),
      blocking_({"http", settings.blocking_threads, settings.blocking_threads * 64}) {}

bool Dispatcher::AnswersWithoutWaiting(const Exchange& exchange) const {
  const Route& route = *exchange.route;
  if (route.where == Where::kBlocking) return false;
  if (route.where == Where::kDeferred && exchange.body().size() > kDeferredBodyMax) return false;
  if (route.waits != nullptr && route.waits(exchange.table->self, exchange)) return false;
  return gatekeeper_.AdmitsWithoutWaiting(exchange, route);
}

void Dispatcher::Tell(Exchange& exchange, int status, std::int64_t bytes) {
  if (observer_ == nullptr) return;
  const std::int64_t duration_us = SystemClock().MonotonicMicros() - exchange.started_us;
  const std::string_view protocol =
      exchange.table != nullptr ? exchange.table->protocol : std::string_view();
  const telemetry::TraceScope scope(exchange.id(), exchange.Header("traceparent").value_or(""),
                                    &exchange.led_on);
  observer_->OnFinished(Finished{exchange, exchange.route, protocol, status, bytes, duration_us});
}

void Dispatcher::TellGone(Exchange& exchange) { Tell(exchange, kStatusGone, 0); }

Result<Response> Dispatcher::Guarded(Exchange& exchange) {
  // One of the four places where exceptions (of third parties) end.
  try {
    GYRE_DO(gatekeeper_.Admit(exchange, *exchange.route));
    GYRE_DO(CheckQuery(exchange, *exchange.route));
    if (exchange.early && exchange.route->body != Body::kStream) {
      while (true) {
        GYRE_TRY(const std::string piece, exchange.body_reader().Next());
        if (piece.empty()) break;
        *exchange.mutable_body() += piece;
      }
      exchange.SetBody(*exchange.mutable_body());
    }
    return exchange.route->handler(exchange.table->self, exchange);
  } catch (const std::exception& error) {
    kLog.Error("handler threw", {{"route", exchange.route->path}, {"what", error.what()}});
  } catch (...) {
    kLog.Error("handler threw", {{"route", exchange.route->path}});
  }
  return Broken();
}

Response Dispatcher::Answer(Exchange& exchange) {
  const RequestScope scope(exchange);
  const Method method = exchange.method();
  const bool witnessed = exchange.route->audited && method != Method::kGet &&
                         method != Method::kHead && method != Method::kOptions;
  Result<Response> result =
      witnessed ? gatekeeper_.Witness(exchange, *exchange.route, [&] { return Guarded(exchange); })
                : Guarded(exchange);
  return Settled(exchange, std::move(result));
}

Response Dispatcher::Settled(Exchange& exchange, Result<Response> result) {
  if (result) {
    // Handlers know nothing of the path below which everything is served.
    for (auto& [name, value] : result->headers) {
      if (name == "Location" && value.starts_with('/')) value.insert(0, settings_.base_path);
    }
    return *std::move(result);
  }
  if (result.error().code() == Code::kInternal || result.error().code() == Code::kDataLoss) {
    kLog.Failed("request failed", result.error());
  }
  return ErrorResponse(exchange.route, result.error(), exchange.id());
}

std::optional<Response> Dispatcher::RunInline(Exchange& exchange, std::string* out) {
  return Append(exchange, Answer(exchange), out);
}

std::optional<Response> Dispatcher::AppendLater(Exchange& exchange, Result<Response> answer,
                                                std::string* out) {
  const RequestScope scope(exchange);
  CloseIfUnread(exchange);
  return Append(exchange, Settled(exchange, std::move(answer)), out);
}

std::optional<Response> Dispatcher::Append(Exchange& exchange, Response response,
                                           std::string* out) {
  if (response.stream || response.later) return response;
  const std::int64_t bytes = AppendReply(response, ContextOf(exchange), Compress::kNever, out);
  Tell(exchange, response.status, bytes);
  return std::nullopt;
}

Result<> Dispatcher::Post(std::shared_ptr<Exchange> exchange) {
  const auto posted =
      blocking_.Post([this, exchange] { Deliver(exchange, Answer(*exchange), false); });
  if (!posted) return Busy();
  return {};
}

Result<> Dispatcher::PostOnStreams(std::move_only_function<void()> task) {
  if (streams_active_.fetch_add(1) >= settings_.streams_max) {
    streams_active_.fetch_sub(1);
    return Busy().Why("all of its places for uploads, downloads and event streams are taken");
  }
  std::call_once(streams_started_, [this] {
    streams_ = std::make_unique<exec::ThreadPool>(
        exec::PoolOptions{"stream", settings_.streams_max, settings_.streams_max});
  });
  auto posted = streams_->Post([this, task = std::move(task)]() mutable {
    task();
    streams_active_.fetch_sub(1);
  });
  if (!posted) {
    streams_active_.fetch_sub(1);
    return Busy();
  }
  return {};
}

Result<> Dispatcher::PostEarly(std::shared_ptr<Exchange> exchange) {
  exchange->early = true;
  return PostOnStreams([this, exchange] { Deliver(exchange, Answer(*exchange), true); });
}

Result<> Dispatcher::PostStream(std::shared_ptr<Exchange> exchange, Response response) {
  return PostOnStreams([this, exchange, response = std::move(response)]() mutable {
    RunStream(*exchange, response);
  });
}

class Dispatcher::Promise final : public Later::Taker {
 public:
  Promise(Dispatcher& dispatcher, std::shared_ptr<Exchange> exchange)
      : dispatcher_(dispatcher), exchange_(std::move(exchange)) {}
  ~Promise() override {
    if (exchange_) Promise::Take(Broken());
  }
  void Take(Result<Response> answer) override {
    if (!exchange_->GiveLater(std::move(answer))) dispatcher_.TellGone(*exchange_);
    exchange_.reset();  // the I/O thread uses it for the next request
    dispatcher_.promises_.Keep();
  }

 private:
  Dispatcher& dispatcher_;
  std::shared_ptr<Exchange> exchange_;
};

void Dispatcher::Defer(std::shared_ptr<Exchange> exchange, Response response) {
  auto begin = std::exchange(response.later, nullptr);
  exchange->SetBody({});
  promises_.Make();
  const std::shared_ptr<Exchange> kept = exchange;  // the answer may be there before this ends
  try {
    const RequestScope scope(*kept);
    begin(Later(std::make_unique<Promise>(*this, std::move(exchange))));
  } catch (const std::exception& error) {
    kLog.Error("handler threw", {{"what", error.what()}});
  }
}

Dispatcher::Promises::~Promises() {
  MutexLock lock(mutex_);
  while (count_ > 0) changed_.Wait(mutex_);
}

void Dispatcher::Promises::Make() {
  MutexLock lock(mutex_);
  ++count_;
}

void Dispatcher::Promises::Keep() {
  MutexLock lock(mutex_);
  if (--count_ == 0) changed_.NotifyAll();  // under the lock: afterwards it may be gone
}

// A body that nobody read to its end stands between this request and the next one.
void Dispatcher::CloseIfUnread(Exchange& exchange) const {
  if ((exchange.early && !exchange.body_ended()) || draining.load(std::memory_order_relaxed))
    exchange.keep_alive = false;
}

void Dispatcher::Deliver(const std::shared_ptr<Exchange>& exchange, Response response,
                         bool on_stream_thread) {
  if (response.later) return Defer(exchange, std::move(response));
  CloseIfUnread(*exchange);
  if (response.stream) {
    if (on_stream_thread) return RunStream(*exchange, response);
    exchange->is_event_stream = response.content_type.starts_with("text/event-stream");
    const auto posted = PostStream(exchange, std::move(response));
    if (posted) return;
    response = ErrorResponse(exchange->route, posted.error(), exchange->id());
  }
  std::string out;
  const std::int64_t bytes =
      AppendReply(response, ContextOf(*exchange), Compress::kWhenAccepted, &out);
  Tell(*exchange, exchange->gone() ? kStatusGone : response.status, bytes);
  exchange->Finish(std::move(out));
}

void Dispatcher::RunStream(Exchange& exchange, Response& response) {
  const RequestScope scope(exchange);
  exchange.is_event_stream = response.content_type.starts_with("text/event-stream");
  if (exchange.is_event_stream) {
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Accel-Buffering", "no");
  }
  const Framing framing = StreamFraming(response, ContextOf(exchange));
  if (framing == Framing::kClose) exchange.keep_alive = false;
  std::string head;
  AppendHead(response, ContextOf(exchange), framing, response.content_length.value_or(0), &head);
  Result<> result = exchange.PushOut(std::move(head), false);
  std::int64_t bytes = 0;
  if (result && exchange.method() != Method::kHead) {
    StreamWriter writer(exchange, framing, response.content_length);
    try {
      result = response.stream(writer);
    } catch (const std::exception& error) {
      result = Internal("GY1600", "the stream broke: {}", error.what());
    }
    bytes = writer.written();
    if (result && response.content_length && bytes != *response.content_length) {
      result =
          Internal("GY1600", "the stream ended {} bytes early", *response.content_length - bytes);
    }
    if (result && framing == Framing::kChunked) result = exchange.PushOut("0\r\n\r\n", false);
  }
  response.stream = nullptr;  // what it holds is released before anybody hears of the end
  if (!result && result.error().code() != Code::kCancelled)
    kLog.Failed("stream ended early", result.error());
  const int status = result ? response.status : HttpStatus(result.error());
  Tell(exchange, status, bytes);
  exchange.EndOut(!result);
}

void Dispatcher::AppendRefusal(Exchange& exchange, const Error& error, std::string* out) {
  Response response = ErrorResponse(exchange.route, error, exchange.id());
  const std::int64_t bytes = AppendReply(response, ContextOf(exchange), Compress::kNever, out);
  Tell(exchange, response.status, bytes);
}

void Dispatcher::AppendStopping(const Exchange& exchange, std::string* out) const {
  Response response = ProblemResponse(
      MakeError(Code::kUnavailable, "GY1628", "the server is stopping")
          .Why("the request took longer than a stopping server waits (server.drain_timeout)")
          .Fix("try again when it runs again"),
      exchange.id());
  ReplyContext context;
  context.method = exchange.method();
  context.keep_alive = false;
  context.request_id = exchange.id();
  AppendReply(response, context, Compress::kNever, out);
}

void Dispatcher::AppendAllow(Exchange& exchange, const std::vector<Method>& allowed,
                             std::string* out) {
  std::string list = "OPTIONS";
  for (const Method method : allowed) {
    list += ", ";
    list += MethodName(method);
    if (method == Method::kGet) list += ", HEAD";
  }
  Response response = Response::Empty();
  if (exchange.method() != Method::kOptions) {
    response = ProblemResponse(
        InvalidArgument("GY1606", "{} is not possible here", MethodName(exchange.method()))
            .Fix("possible: " + list),
        exchange.id());
  }
  response.headers.emplace_back("Allow", list);
  const std::int64_t bytes = AppendReply(response, ContextOf(exchange), Compress::kNever, out);
  Tell(exchange, response.status, bytes);
}

}  // namespace gyre::net
