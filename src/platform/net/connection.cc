#include "platform/net/connection.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "platform/net/request_target.h"

namespace gyre::net {
namespace {

constexpr std::int64_t kBodyWholeMax = 64 << 10;  // larger ones are admitted before they are read
constexpr std::size_t kReplyFlush = 256 << 10;
constexpr std::int64_t kLingerMicros = 2 * kMicrosPerSecond;
constexpr std::int64_t kRateGraceMicros = 10 * kMicrosPerSecond;
constexpr std::int64_t kTrimAfterMicros = 5 * kMicrosPerSecond;
constexpr int kReadRounds = 16;

std::optional<Method> MethodOf(std::string_view text) {
  for (const Method method : {Method::kPost, Method::kGet, Method::kHead, Method::kPut,
                              Method::kPatch, Method::kDelete, Method::kOptions}) {
    if (MethodName(method) == text) return method;
  }
  return std::nullopt;
}

Error Truncated() { return InvalidArgument("GY1603", "the body ends before its announced length"); }
Error BodyTooLarge(std::int64_t limit) {
  return InvalidArgument("GY1604", "the body is larger than {} allowed here", HumanBytes(limit));
}
Error TooSlow() {
  return MakeError(Code::kDeadlineExceeded, "GY1607", "the request came too slowly");
}

}  // namespace

Connection::Connection(LoopContext& loop, int fd, std::uint64_t serial, Peer peer, bool is_unix)
    : loop_(loop),
      fd_(fd),
      serial_(serial),
      peer_(std::make_shared<PeerSource>(fd, std::move(peer), is_unix)),
      transport_(fd, is_unix ? nullptr : loop.dispatcher.tls()),
      active_us_(loop.now_us) {
  interest_ = EPOLLIN | EPOLLRDHUP;
  epoll_event event{};
  event.events = interest_;
  event.data.u64 = EpollKey();
  if (epoll_ctl(loop_.epoll_fd, EPOLL_CTL_ADD, fd_, &event) != 0) dead_ = true;
}

Connection::~Connection() {
  if (exchange_) LeaveHandler();
  peer_->Close();
  close(fd_);
}

void Connection::Close() {
  dead_ = true;
  if (exchange_ && (state_ == State::kBusy || state_ == State::kBodyEarly)) LeaveHandler();
}

void Connection::LeaveHandler() {
  if (exchange_->MarkGone()) loop_.dispatcher.TellGone(*exchange_);
}

bool Connection::WantsRead() {
  switch (state_) {
    case State::kHead:
      return out_.empty() && !half_closed_;
    case State::kBodyWhole:
      return true;
    case State::kBodyEarly:
      return exchange_->WantsMoreBody();
    case State::kBusy:
      return false;
    case State::kLinger:
      return !half_closed_;
  }
  return false;
}

// Excess interest costs a system call to take back, so it is left in place until an event proves it
// unwanted.
void Connection::UpdateInterest(bool exactly) {
  if (dead_) return;
  std::uint32_t wanted = half_closed_ || hangup_seen_ ? 0U : static_cast<std::uint32_t>(EPOLLRDHUP);
  if (WantsRead()) wanted |= EPOLLIN;
  if (!out_.empty() || transport_.wants_write_to_read()) wanted |= EPOLLOUT;
  const bool missing = (wanted & ~interest_) != 0;
  const bool excess = (interest_ & ~wanted) != 0;
  if (!missing &&
      !(excess && (exactly || (interest_ & ~wanted & ~static_cast<std::uint32_t>(EPOLLIN)) != 0)))
    return;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = EpollKey();
  if (epoll_ctl(loop_.epoll_fd, EPOLL_CTL_MOD, fd_, &event) != 0) Close();
  interest_ = wanted;
}

void Connection::OnEvents(std::uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return Close();
  if ((events & EPOLLOUT) != 0) {
    SendOut();
    if (!dead_ && out_.empty()) OnWake();
    if (!dead_ && transport_.wants_write_to_read()) ReadSome();
  }
  if (dead_) return;
  const bool unwanted = (events & EPOLLIN) != 0 && !WantsRead();
  if ((events & EPOLLIN) != 0 && !unwanted) ReadSome();
  if (dead_) return;
  // Only recv tells the end: more requests may still lie in front of it.
  if ((events & EPOLLRDHUP) != 0 && !WantsRead()) hangup_seen_ = true;
  TellHangup();
  FlushReply();
  UpdateInterest(unwanted);
}

void Connection::TellHangup() {
  if (dead_ || !(half_closed_ || hangup_seen_)) return;
  if (state_ == State::kBusy || (state_ == State::kBodyEarly && !WantsRead()))
    exchange_->MarkHalfClosed();
}

void Connection::ReadSome() {
  for (int round = 0; round < kReadRounds && !dead_ && WantsRead(); ++round) {
    const ssize_t n = transport_.Recv(loop_.scratch.data(), loop_.scratch.size());
    if (n == kAgain) break;
    if (n == kBroken) return Close();
    if (n == 0) return OnEof();
    active_us_ = loop_.now_us;
    Take({loop_.scratch.data(), static_cast<std::size_t>(n)});
    if (!transport_.tls() && static_cast<std::size_t>(n) < loop_.scratch.size()) break;
  }
}

void Connection::Take(std::string_view bytes) {
  if (pending_.empty()) {
    const std::size_t used = Process(bytes);
    if (!dead_) pending_.assign(bytes.substr(used));
  } else {
    pending_.append(bytes);
    pending_.erase(0, Process(pending_));
  }
  if (pending_.empty() && pending_.capacity() > (16 << 10)) std::string().swap(pending_);
}

std::size_t Connection::Process(std::string_view in) {
  std::size_t used = 0;
  int served = 0;
  while (!dead_) {
    const std::string_view rest = in.substr(used);
    std::size_t taken = 0;
    switch (state_) {
      case State::kHead:
        if (loop_.reply.size() > kReplyFlush ||
            served >= loop_.dispatcher.settings().requests_pipelined_max) {
          FlushReply();
          served = 0;
        }
        if (rest.empty() || !out_.empty() || !TakeHead(rest, &taken)) return used + taken;
        ++served;
        break;
      case State::kBodyWhole:
        if (!TakeWhole(rest, &taken)) return used + taken;
        break;
      case State::kBodyEarly:
        if (!TakeEarly(rest, &taken)) return used + taken;
        break;
      case State::kBusy:
        return used;
      case State::kLinger:
        return in.size();
    }
    used += taken;
  }
  return in.size();
}

bool Connection::TakeHead(std::string_view in, std::size_t* used) {
  if (head_started_us_ == 0) {
    while (in.substr(*used).starts_with("\r\n"))
      *used += 2;  // some clients end a body with an empty line
    if (*used == in.size() || in.substr(*used) == "\r") return false;
    head_started_us_ = loop_.now_us;
    if (!parser_)
      parser_ = std::make_unique<MessageParser>(MessageParser::Kind::kRequest,
                                                loop_.dispatcher.settings().header_bytes_max);
    parser_->Reset();
    if (exchange_ && exchange_.use_count() == 1) {
      exchange_->Reset();
    } else {
      exchange_ = std::make_shared<Exchange>(loop_.waker, fd_, serial_, peer_);
    }
  }
  const auto parsed = parser_->ParseHead(in.substr(*used));
  if (!parsed) {
    *used = in.size();
    exchange_->head().Clear();
    exchange_->Begin(Method::kGet, "", false, loop_.now_us);
    exchange_->keep_alive = false;
    Refuse(parsed.error());
    return true;
  }
  *used += *parsed;
  if (!parser_->head_done()) return false;
  parser_->SwapHead(&exchange_->head());
  head_started_us_ = 0;
  OnHead();
  return true;
}

void Connection::OnHead() {
  Exchange& e = *exchange_;
  const Head& head = e.head();
  body_left_ = body_taken_ = 0;  // nothing of this body yet, also when it is refused right away
  const std::string& base = loop_.dispatcher.settings().base_path;
  const RequestTarget target = SplitTarget(head.target(), base);
  const std::optional<Method> method = MethodOf(head.method());
  e.SetAuthority(target.authority);
  e.Begin(method.value_or(Method::kGet), target.path, loop_.dispatcher.settings().behind_proxy,
          loop_.now_us);
  answer_begun_ = false;
  e.keep_alive = head.KeepsAlive() && !takes_no_more_ &&
                 !loop_.dispatcher.draining.load(std::memory_order_relaxed);
  if (head.content_length >= 0) e.body_length = head.content_length;
  if (!method)
    return Refuse(MakeError(Code::kUnimplemented, "GY1608", "the method is not known here"));
  if (const auto sound = CheckTarget(head.target(), target.authority); !sound)
    return RefuseUnrouted(sound.error());
  if (!target.inside)
    return Refuse(
        NotFound("GY1616", "nothing is here").Fix("this server's addresses begin with " + base));
  if (!FindRoute()) return;
  if (const auto parsed = ParseQuery(target.query, &e.query); !parsed)
    return Refuse(parsed.error());
  OnBodyAnnounced();
}

void Connection::RefuseUnrouted(const Error& error) {
  const RouteMatch keeper = loop_.dispatcher.index().KeeperOf(exchange_->path());
  exchange_->route = keeper.route;
  exchange_->table = keeper.table;
  Refuse(error);
}

bool Connection::FindRoute() {
  Exchange& e = *exchange_;
  auto match = loop_.dispatcher.index().Find(e.method(), e.path(), &e.params);
  if (!match) {
    RefuseUnrouted(match.error());
    return false;
  }
  if (match->route != nullptr) {
    e.route = match->route;
    e.table = match->table;
    return true;
  }
  if (match->allowed.empty()) {
    RefuseUnrouted(NotFound("GY1616", "nothing is here"));
    return false;
  }
  if (e.body_length.value_or(0) > 0 || e.head().chunked) e.keep_alive = false;
  loop_.dispatcher.AppendAllow(e, match->allowed, &loop_.reply);
  AfterReply();
  return false;
}

std::int64_t Connection::BodyLimit(const Route& route) const {
  const std::int64_t of_route = route.body == Body::kNone ? kBodyWholeMax : route.body_bytes_max;
  return std::min(of_route, loop_.dispatcher.settings().body_bytes_max);
}

void Connection::OnBodyAnnounced() {
  Exchange& e = *exchange_;
  const Head& head = e.head();
  body_left_ = std::max<std::int64_t>(head.content_length, 0);
  body_started_us_ = loop_.now_us;
  const std::int64_t limit = BodyLimit(*e.route);
  if (body_left_ > limit) return Refuse(BodyTooLarge(limit));
  if (const Head::Field* expect = head.Find("expect")) {
    if (!EqualsIgnoreCase(head.Value(*expect), "100-continue")) {
      return Refuse(
          InvalidArgument("GY1617", "the expectation `{}` is not known here", head.Value(*expect)));
    }
    e.expects_continue = head.version == 11 && (body_left_ > 0 || head.chunked);
  }
  if (const Head::Field* encoding = head.Find("content-encoding");
      encoding != nullptr && !e.route->encoded_body &&
      !EqualsIgnoreCase(head.Value(*encoding), "identity")) {
    return Refuse(InvalidArgument("GY1618", "a body with Content-Encoding `{}` cannot be read",
                                  head.Value(*encoding))
                      .Fix("send it as it is"));
  }
  if (e.route->body == Body::kStream || head.chunked || body_left_ > kBodyWholeMax ||
      e.expects_continue)
    return DispatchEarly();
  if (body_left_ == 0) return DispatchWhole();
  state_ = State::kBodyWhole;
}

bool Connection::TakeWhole(std::string_view in, std::size_t* used) {
  const auto left = static_cast<std::size_t>(body_left_);
  std::string* body = exchange_->mutable_body();
  *used = std::min(left, in.size());
  body_taken_ += static_cast<std::int64_t>(*used);
  if (*used < left) {
    body->append(in.substr(0, *used));
    body_left_ -= static_cast<std::int64_t>(*used);
    return false;
  }
  if (body->empty()) {
    exchange_->SetBody(in.substr(0, left));
  } else {
    body->append(in.substr(0, left));
    exchange_->SetBody(*body);
  }
  DispatchWhole();
  return true;
}

bool Connection::TakeEarly(std::string_view in, std::size_t* used) {
  Exchange& e = *exchange_;
  const bool chunked = e.head().chunked;
  if (in.empty() || !e.WantsMoreBody()) return false;
  std::string piece;
  bool ended = false;
  if (chunked) {
    const auto parsed = parser_->ParseChunks(in, &piece);
    if (!parsed) {
      e.FailBody(parsed.error());
      state_ = State::kBusy;
      return true;
    }
    *used = *parsed;
    ended = parser_->chunks_done();
  } else {
    *used = std::min(in.size(), static_cast<std::size_t>(body_left_));
    piece.assign(in.substr(0, *used));
    body_left_ -= static_cast<std::int64_t>(*used);
    ended = body_left_ == 0;
  }
  body_taken_ += static_cast<std::int64_t>(piece.size());
  const std::int64_t limit = BodyLimit(*e.route);
  if (body_taken_ > limit) {
    e.FailBody(BodyTooLarge(limit));
    state_ = State::kBusy;
    return true;
  }
  if (!piece.empty()) e.PushBody(std::move(piece));
  if (ended) {
    e.EndBody();
    state_ = State::kBusy;
    return true;
  }
  return *used > 0;
}

void Connection::DispatchWhole() {
  Exchange& e = *exchange_;
  body_left_ = 0;
  if (loop_.dispatcher.AnswersWithoutWaiting(e)) {
    return HandOn(loop_.dispatcher.RunInline(e, &loop_.reply));
  }
  e.OwnBody();
  state_ = State::kBusy;
  if (const auto posted = loop_.dispatcher.Post(exchange_); !posted) Refuse(posted.error());
}

void Connection::DispatchEarly() {
  state_ = State::kBodyEarly;
  const bool nothing =
      exchange_->body_length == 0 || (!exchange_->body_length && !exchange_->head().chunked);
  if (nothing) {
    exchange_->EndBody();
    state_ = State::kBusy;
  }
  if (const auto posted = loop_.dispatcher.PostEarly(exchange_); !posted) Refuse(posted.error());
}

// Answers in the handler's place. A body that still stands in the way is not waited for.
void Connection::Refuse(const Error& error) {
  Exchange& e = *exchange_;
  if (body_left_ > 0 || e.head().chunked || e.body_length.value_or(0) > body_taken_)
    e.keep_alive = false;
  loop_.dispatcher.AppendRefusal(e, error, &loop_.reply);
  AfterReply();
}

void Connection::AfterReply() {
  active_us_ = loop_.now_us;
  head_started_us_ = 0;
  body_left_ = 0;
  state_ = exchange_->keep_alive ? State::kHead : State::kLinger;
}

void Connection::OnEof() {
  half_closed_ = true;
  switch (state_) {
    case State::kHead:
    case State::kLinger:
      FlushReply();
      if (out_.empty()) Close();
      return;
    case State::kBodyWhole:
      // Cut by ourselves: the client knows that nothing was done, because its send failed.
      if (takes_no_more_) return Close();
      Refuse(Truncated());
      return;
    case State::kBodyEarly:
      exchange_->FailBody(Truncated());
      state_ = State::kBusy;
      return;
    case State::kBusy:
      exchange_->MarkHalfClosed();
      return;
  }
}

void Connection::FlushReply() {
  if (dead_) return;
  std::string& reply = loop_.reply;
  if (!reply.empty()) {
    std::size_t sent = 0;
    while (out_.empty() && sent < reply.size()) {
      const ssize_t n = transport_.Send(reply.data() + sent, reply.size() - sent);
      if (n == kBroken) {
        reply.clear();
        return Close();
      }
      if (n == kAgain) break;
      sent += static_cast<std::size_t>(n);
    }
    if (sent < reply.size()) out_.push_back(reply.substr(sent));
    reply.clear();
    if (reply.capacity() > 4 * kReplyFlush) std::string().swap(reply);
  }
  if (state_ == State::kLinger && out_.empty() && !shutdown_sent_) {
    shutdown_sent_ = true;
    linger_until_us_ = loop_.now_us + kLingerMicros;
    transport_.ShutdownSend();
    if (half_closed_) Close();
  }
}

void Connection::OnWake() {
  if (dead_) return;
  if (state_ == State::kBusy || state_ == State::kBodyEarly) {
    if (exchange_->TakeContinue()) loop_.reply += "HTTP/1.1 100 Continue\r\n\r\n";
    FlushReply();
    TakeAnswer();
    if (dead_) return;
  }
  Take({});  // what waited for the body's reader or for the next turn
  if (!dead_ && state_ == State::kHead && half_closed_ && out_.empty()) {
    FlushReply();
    if (out_.empty()) return Close();
  }
  // An answer that began before the draining may have promised to keep the connection.
  if (loop_.dispatcher.draining.load(std::memory_order_relaxed)) EndIdle();
  TellHangup();
  FlushReply();
  UpdateInterest(false);
}

void Connection::Sweep() {
  if (dead_) return;
  const ServerSettings& limits = loop_.dispatcher.settings();
  const std::int64_t now = loop_.now_us;
  const std::int64_t quiet_us = now - active_us_;
  if (!out_.empty() && quiet_us > limits.idle_timeout_ms * 1000) return Close();
  switch (state_) {
    case State::kHead:
      if (head_started_us_ != 0 && now - head_started_us_ > limits.header_timeout_ms * 1000) {
        exchange_->head().Clear();
        exchange_->Begin(Method::kGet, "", false, head_started_us_);
        exchange_->keep_alive = false;
        Refuse(TooSlow());
      } else if (head_started_us_ == 0 && quiet_us > limits.idle_timeout_ms * 1000) {
        EndIdle();
      } else if (head_started_us_ == 0 && quiet_us > kTrimAfterMicros) {
        parser_.reset();  // an idle connection keeps next to nothing
        exchange_.reset();
      }
      break;
    case State::kBodyWhole:
    case State::kBodyEarly: {
      if (!WantsRead()) {
        body_started_us_ = now;  // we make the client wait, not the other way round
        body_taken_ = std::max<std::int64_t>(body_taken_, 0);
        break;
      }
      const std::int64_t waited_us = now - body_started_us_;
      const double owed = static_cast<double>(waited_us) / kMicrosPerSecond *
                          static_cast<double>(limits.body_bytes_per_second_min);
      if (waited_us < kRateGraceMicros || static_cast<double>(body_taken_) >= owed) break;
      if (state_ == State::kBodyWhole) {
        Refuse(TooSlow());
      } else {
        exchange_->FailBody(TooSlow());
        state_ = State::kBusy;
      }
      break;
    }
    case State::kBusy:
      break;
    case State::kLinger:
      // A draining server does not wait for clients that forget to close.
      if (shutdown_sent_ &&
          (now > linger_until_us_ || loop_.dispatcher.draining.load(std::memory_order_relaxed)))
        return Close();
      break;
  }
  FlushReply();
  UpdateInterest(false);
}

void Connection::Drain() {
  if (dead_) return;
  if (state_ == State::kHead && head_started_us_ != 0) {
    ReadSome();  // its rest may have arrived
    FlushReply();
    if (!dead_ && state_ == State::kHead && head_started_us_ != 0) return Close();
  }
  EndIdle();
  if (!dead_ && exchange_ && exchange_->is_event_stream) exchange_->MarkHalfClosed();
}

void Connection::Expire() {
  OnWake();  // an answer may be there
  if (dead_) return;
  const bool busy = state_ == State::kBusy || state_ == State::kBodyEarly;
  if (!busy && state_ != State::kBodyWhole) return;
  if (busy) LeaveHandler();  // it hears of it and ends
  if (answer_begun_) return Close();
  loop_.dispatcher.AppendStopping(*exchange_, &loop_.reply);
  state_ = State::kLinger;
  FlushReply();
  UpdateInterest(false);
}

bool Connection::IsIdle() const {
  return !dead_ && state_ == State::kHead && head_started_us_ == 0 && out_.empty();
}

// A request may be on its way. What has arrived is served; from then on the client's sends fail, so
// that it knows that nothing was done (on a Unix socket for certain; TCP leaves the time that an
// acknowledgement needs).
void Connection::EndIdle() {
  if (!IsIdle()) return;
  ReadSome();
  FlushReply();
  if (!IsIdle()) return UpdateInterest(false);
  if (transport_.tls()) return Close();
  takes_no_more_ = true;
  transport_.ShutdownReceive();
  // On TCP bytes can still come; what comes behind the last request is for the loop to throw away.
  while (!dead_ && state_ != State::kLinger && WantsRead()) ReadSome();
  FlushReply();
  UpdateInterest(false);
}

}  // namespace gyre::net
