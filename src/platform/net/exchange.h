// One request and its answer, between the I/O thread that owns the connection and the pool thread
// that runs the handler. The connection may die while the handler runs; the exchange then says
// `gone` and swallows what is written. Private to platform/net.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "platform/net/http.h"
#include "platform/net/message_parser.h"

namespace gyre::net {

class Exchange;

// The I/O thread's bell: "look at this exchange again". Called from any thread.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void Wake(int fd, std::uint64_t serial) = 0;
};

// Facts of the connection that its requests share; the uid is asked from the kernel at the first
// question.
class PeerSource {
 public:
  PeerSource(int fd, Peer peer, bool is_unix)
      : fd_(fd), peer_(std::move(peer)), asked_(is_unix || !peer_.loopback) {}
  const Peer& Get();
  bool IsLoopback();  // asks nobody
  void Close();       // the descriptor is going away; later questions find no uid

 private:
  Mutex mutex_;
  int fd_ GYRE_GUARDED_BY(mutex_);
  Peer peer_;
  bool asked_ GYRE_GUARDED_BY(mutex_);
};

class Exchange final : public Request {
 public:
  Exchange(Waker& waker, int fd, std::uint64_t serial, std::shared_ptr<PeerSource> peer);

  // Request.
  Method method() const override { return method_; }
  std::string_view path() const override { return path_; }
  std::optional<std::string_view> Header(std::string_view name) const override;
  std::string_view body() const override { return body_; }
  BodyReader& body_reader() override { return reader_; }
  const Peer& peer() const override;
  bool IsFromHere() const { return forwarded_ ? forwarded_->loopback : peer_->IsLoopback(); }
  const std::string& id() const override { return id_; }
  bool client_gone() const override {
    return gone() || half_closed_.load(std::memory_order_relaxed);
  }

  // The I/O thread sets it up.
  void Reset();
  Head& head() { return head_; }
  void Begin(Method method, std::string_view path, bool behind_proxy, std::int64_t now_us);
  // The host that the request's target names, which counts instead of the Host header; or nothing.
  void SetAuthority(std::string_view authority) { authority_ = authority; }
  void SetBody(std::string_view view) { body_ = view; }  // not copied
  void OwnBody();  // copies the view, because the handler runs elsewhere
  std::string* mutable_body() { return &owned_body_; }
  const RouteTable* table = nullptr;
  bool keep_alive = true;
  bool early = false;  // dispatched before its body was complete: the body comes through the reader
  bool expects_continue = false;
  bool led_on = false;  // to a job or a run
  std::int64_t started_us = 0;
  std::optional<std::int64_t> body_length;

  // Body, from the I/O thread to the handler.
  bool WantsMoreBody();  // false: pause reading
  void PushBody(std::string piece);
  void EndBody();
  void FailBody(Error error);
  bool TakeContinue();  // true once, when the handler asked for a body that the client holds back
  bool body_ended();

  // Answer, from the handler to the I/O thread. Errors: kCancelled GY1615.
  Result<> PushOut(std::string piece, bool wait);
  void EndOut(bool abort);
  void Finish(std::string whole);  // PushOut and EndOut with one ring of the bell
  struct Out {
    std::deque<std::string> pieces;
    bool ended = false;
    bool abort = false;  // the stream broke: the connection must be cut so that the client notices
  };
  Out TakeOut(std::int64_t bytes_max);

  // An answer that comes later, to be written by the I/O thread. False: the connection has gone,
  // and nobody will take it.
  bool GiveLater(Result<Response> answer);
  std::optional<Result<Response>> TakeLater();

  bool MarkGone();  // true: a later answer was there, and nobody took it
  bool gone() const { return gone_.load(std::memory_order_relaxed); }
  // The client sends no more (it may still read), or the server drains: client_gone() turns true,
  // but answers are still taken.
  void MarkHalfClosed();
  std::atomic<bool> is_event_stream{false};

 private:
  class Reader final : public BodyReader {
   public:
    explicit Reader(Exchange& exchange) : exchange_(exchange) {}
    Result<std::string> Next() override;
    std::optional<std::int64_t> content_length() const override { return exchange_.body_length; }

   private:
    Exchange& exchange_;
  };
  void Wake();

  Waker& waker_;
  const int fd_;
  const std::uint64_t serial_;
  std::shared_ptr<PeerSource> peer_;
  Reader reader_{*this};
  Head head_;
  Method method_ = Method::kGet;
  std::string_view path_, body_, authority_;
  std::string owned_body_, id_;
  std::optional<Peer> forwarded_;
  std::atomic<bool> gone_{false}, half_closed_{false};

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::string> in_ GYRE_GUARDED_BY(mutex_);
  std::int64_t in_bytes_ GYRE_GUARDED_BY(mutex_) = 0;
  bool in_ended_ GYRE_GUARDED_BY(mutex_) = false;
  bool asked_for_body_ GYRE_GUARDED_BY(mutex_) = false;
  bool continue_sent_ GYRE_GUARDED_BY(mutex_) = false;
  std::optional<Error> in_error_ GYRE_GUARDED_BY(mutex_);
  std::deque<std::string> out_ GYRE_GUARDED_BY(mutex_);
  std::int64_t out_bytes_ GYRE_GUARDED_BY(mutex_) = 0;
  bool out_ended_ GYRE_GUARDED_BY(mutex_) = false;
  bool out_abort_ GYRE_GUARDED_BY(mutex_) = false;
  std::optional<Result<Response>> later_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::net
