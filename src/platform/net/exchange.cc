#include "platform/net/exchange.h"

#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "platform/net/peer.h"

namespace gyre::net {
namespace {

constexpr std::int64_t kInBytesMax = 1
                                     << 20;  // waiting for the handler; then the socket is not read
constexpr std::int64_t kOutBytesMax = 1 << 18;  // waiting for the client; then the handler waits
constexpr std::size_t kRequestIdMax = 64;

Error Gone() { return MakeError(Code::kCancelled, "GY1615", "the client closed the connection"); }

// A caller's id goes into logs and headers: only what cannot be mistaken for anything else there.
bool UsableId(std::string_view id) {
  return !id.empty() && id.size() <= kRequestIdMax && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

const Peer& PeerSource::Get() {
  MutexLock lock(mutex_);
  if (!asked_ && fd_ >= 0) peer_.uid = LoopbackPeerUid(fd_);
  asked_ = true;
  return peer_;
}

bool PeerSource::IsLoopback() {
  MutexLock lock(mutex_);
  return peer_.loopback;
}

void PeerSource::Close() {
  MutexLock lock(mutex_);
  fd_ = -1;
}

Exchange::Exchange(Waker& waker, int fd, std::uint64_t serial, std::shared_ptr<PeerSource> peer)
    : waker_(waker), fd_(fd), serial_(serial), peer_(std::move(peer)) {}

void Exchange::Reset() {
  params.clear();
  query.clear();
  principal.id.clear();
  principal.name.clear();
  principal.kind = "anonymous";
  principal.token_id.clear();
  principal.all_projects = true;
  principal.projects.clear();
  route = nullptr;
  table = nullptr;
  keep_alive = true;
  early = expects_continue = led_on = false;
  is_event_stream = false;
  body_length.reset();
  path_ = body_ = authority_ = {};
  owned_body_.clear();
  if (owned_body_.capacity() > (1 << 16)) std::string().swap(owned_body_);
  id_.clear();
  forwarded_.reset();
  gone_ = half_closed_ = false;
  MutexLock lock(mutex_);
  in_.clear();
  in_bytes_ = 0;
  in_ended_ = asked_for_body_ = continue_sent_ = false;
  in_error_.reset();
  out_.clear();
  out_bytes_ = 0;
  out_ended_ = out_abort_ = false;
  later_.reset();
}

void Exchange::Begin(Method method, std::string_view path, bool behind_proxy, std::int64_t now_us) {
  method_ = method;
  path_ = path;
  started_us = now_us;
  const auto given = Header("x-request-id");
  if (given && UsableId(*given)) {
    id_.assign(*given);
  } else {
    id_ = NewId();
  }
  if (!behind_proxy) return;
  // One trusted hop stands in front: the last address in the list is the one that it saw.
  Peer peer = peer_->Get();
  if (const auto list = Header("x-forwarded-for")) {
    const std::size_t comma = list->rfind(',');
    peer.address = Trim(comma == std::string_view::npos ? *list : list->substr(comma + 1));
    peer.loopback = false;
    peer.uid.reset();
  }
  if (const auto proto = Header("x-forwarded-proto"))
    peer.tls = EqualsIgnoreCase(Trim(*proto), "https");
  forwarded_ = std::move(peer);
}

void Exchange::OwnBody() {
  if (!body_.empty() && body_.data() != owned_body_.data()) owned_body_.assign(body_);
  body_ = owned_body_;
}

std::optional<std::string_view> Exchange::Header(std::string_view name) const {
  if (!authority_.empty() && EqualsIgnoreCase(name, "host")) return authority_;
  const Head::Field* field = head_.Find(name);
  if (field == nullptr) return std::nullopt;
  return head_.Value(*field);
}

const Peer& Exchange::peer() const { return forwarded_ ? *forwarded_ : peer_->Get(); }

void Exchange::Wake() { waker_.Wake(fd_, serial_); }

bool Exchange::WantsMoreBody() {
  MutexLock lock(mutex_);
  return in_bytes_ < kInBytesMax && !in_ended_;
}

void Exchange::PushBody(std::string piece) {
  MutexLock lock(mutex_);
  in_bytes_ += static_cast<std::int64_t>(piece.size());
  in_.push_back(std::move(piece));
  changed_.NotifyAll();
}

void Exchange::EndBody() {
  MutexLock lock(mutex_);
  in_ended_ = true;
  changed_.NotifyAll();
}

void Exchange::FailBody(Error error) {
  MutexLock lock(mutex_);
  in_error_ = std::move(error);
  in_ended_ = true;
  changed_.NotifyAll();
}

bool Exchange::TakeContinue() {
  MutexLock lock(mutex_);
  if (!expects_continue || continue_sent_ || !asked_for_body_ || in_ended_) return false;
  continue_sent_ = true;
  return true;
}

bool Exchange::body_ended() {
  MutexLock lock(mutex_);
  return in_ended_ && !in_error_;
}

Result<std::string> Exchange::Reader::Next() {
  Exchange& e = exchange_;
  bool wake = false;
  std::string piece;
  {
    MutexLock lock(e.mutex_);
    if (!e.asked_for_body_) {
      e.asked_for_body_ = true;
      if (e.expects_continue && e.in_.empty()) e.Wake();
    }
    while (e.in_.empty() && !e.in_ended_ && !e.gone()) e.changed_.Wait(e.mutex_);
    if (!e.in_.empty()) {
      piece = std::move(e.in_.front());
      e.in_.pop_front();
      wake = e.in_bytes_ >= kInBytesMax;
      e.in_bytes_ -= static_cast<std::int64_t>(piece.size());
      wake = wake && e.in_bytes_ < kInBytesMax;
    } else if (e.in_error_) {
      return *e.in_error_;
    } else if (!e.in_ended_) {
      return Gone();
    }
  }
  if (wake) e.Wake();
  return piece;
}

Result<> Exchange::PushOut(std::string piece, bool wait) {
  {
    MutexLock lock(mutex_);
    while (wait && out_bytes_ >= kOutBytesMax && !gone()) changed_.Wait(mutex_);
    if (gone()) return Gone();
    out_bytes_ += static_cast<std::int64_t>(piece.size());
    out_.push_back(std::move(piece));
  }
  Wake();
  return {};
}

void Exchange::EndOut(bool abort) {
  {
    MutexLock lock(mutex_);
    out_ended_ = true;
    out_abort_ = abort;
  }
  Wake();
}

void Exchange::Finish(std::string whole) {
  {
    MutexLock lock(mutex_);
    out_bytes_ += static_cast<std::int64_t>(whole.size());
    out_.push_back(std::move(whole));
    out_ended_ = true;
  }
  Wake();
}

Exchange::Out Exchange::TakeOut(std::int64_t bytes_max) {
  Out out;
  MutexLock lock(mutex_);
  while (!out_.empty() && bytes_max > 0) {
    bytes_max -= static_cast<std::int64_t>(out_.front().size());
    out_bytes_ -= static_cast<std::int64_t>(out_.front().size());
    out.pieces.push_back(std::move(out_.front()));
    out_.pop_front();
  }
  out.ended = out_ended_ && out_.empty();
  out.abort = out_abort_;
  changed_.NotifyAll();
  return out;
}

void Exchange::MarkHalfClosed() { half_closed_ = true; }

bool Exchange::GiveLater(Result<Response> answer) {
  {
    MutexLock lock(mutex_);
    if (gone()) return false;
    later_.emplace(std::move(answer));
  }
  Wake();
  return true;
}

std::optional<Result<Response>> Exchange::TakeLater() {
  MutexLock lock(mutex_);
  return std::exchange(later_, std::nullopt);
}

bool Exchange::MarkGone() {
  MutexLock lock(mutex_);
  gone_ = true;
  changed_.NotifyAll();
  return std::exchange(later_, std::nullopt).has_value();
}

}  // namespace gyre::net
