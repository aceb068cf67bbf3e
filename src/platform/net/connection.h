// One client connection: a state machine that only its I/O thread touches. Private to platform/net.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/net/dispatcher.h"
#include "platform/net/exchange.h"
#include "platform/net/message_parser.h"
#include "platform/net/transport.h"

namespace gyre::net {

// What an I/O thread lends to whichever connection it is serving.
struct LoopContext {
  Dispatcher& dispatcher;
  Waker& waker;
  int epoll_fd;
  std::string scratch;  // received bytes
  std::string reply;    // answers not sent yet; empty between two events
  std::int64_t now_us = 0;
};

class Connection {
 public:
  Connection(LoopContext& loop, int fd, std::uint64_t serial, Peer peer, bool is_unix);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void OnEvents(std::uint32_t events);
  void OnWake();  // the exchange has news
  void Sweep();   // time has passed: deadlines
  void Drain();   // the server goes: end what is idle
  void Expire();  // the server cannot wait any longer: tell whoever has no answer yet
  bool dead() const { return dead_; }
  std::uint64_t serial() const { return serial_; }
  std::uint64_t EpollKey() const { return serial_ << 32 | static_cast<std::uint32_t>(fd_); }

 private:
  enum class State : unsigned char {
    kHead,       // between requests, or in the middle of a head
    kBodyWhole,  // collecting a small body
    kBodyEarly,  // the handler runs and takes the body piece by piece
    kBusy,       // the handler runs; the body is over
    kLinger,     // the last answer is on its way; what still comes is thrown away
  };

  void ReadSome();
  void Take(std::string_view bytes);
  std::size_t Process(std::string_view in);
  bool TakeHead(std::string_view in, std::size_t* used);  // false: more is needed
  void OnHead();
  bool FindRoute();  // false: refused
  void OnBodyAnnounced();
  std::int64_t BodyLimit(const Route& route) const;
  bool TakeWhole(std::string_view in, std::size_t* used);
  bool TakeEarly(std::string_view in, std::size_t* used);
  void DispatchWhole();
  void DispatchEarly();
  void HandOn(std::optional<Response> rest);  // what is not in loop_.reply yet
  void Refuse(const Error& error);
  void RefuseUnrouted(const Error& error);  // as whoever has all of that place would
  void TakeAnswer();
  void AfterReply();
  void OnEof();
  bool IsIdle() const;  // between two requests
  void EndIdle();
  void TellHangup();    // to the handler
  void LeaveHandler();  // nobody will take its answer
  void FlushReply();
  void SendOut();
  void Close();  // at once
  bool WantsRead();
  void UpdateInterest(bool exactly);

  LoopContext& loop_;
  const int fd_;
  const std::uint64_t serial_;
  std::shared_ptr<PeerSource> peer_;
  Transport transport_;
  State state_ = State::kHead;
  bool dead_ = false;
  bool half_closed_ = false;  // everything that the client sent has been read
  bool hangup_seen_ = false;  // the client will send no more, but sent bytes may be unread
  bool shutdown_sent_ = false;
  bool takes_no_more_ = false;  // we ended the receiving
  bool answer_begun_ = false;   // something of the handler's answer was taken
  std::uint32_t interest_ = 0;
  std::unique_ptr<MessageParser> parser_;
  std::shared_ptr<Exchange> exchange_;
  std::string pending_;          // received, not understood yet
  std::deque<std::string> out_;  // to send
  std::size_t out_sent_ = 0;     // of out_.front()
  std::int64_t body_left_ = 0;   // of a body with Content-Length
  std::int64_t body_taken_ = 0;
  std::int64_t head_started_us_ = 0;  // 0 = not begun
  std::int64_t body_started_us_ = 0;
  std::int64_t active_us_ = 0;  // last sign of life
  std::int64_t linger_until_us_ = 0;
};

}  // namespace gyre::net
