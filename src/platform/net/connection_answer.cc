// How the answer of a handler that runs elsewhere reaches its connection.
#include <utility>

#include "platform/net/connection.h"

namespace gyre::net {
namespace {

constexpr std::int64_t kOutTake = 512 << 10;

}  // namespace

void Connection::HandOn(std::optional<Response> rest) {
  if (!rest) return AfterReply();
  state_ = State::kBusy;
  if (rest->later) return loop_.dispatcher.Defer(exchange_, *std::move(rest));
  exchange_->OwnBody();
  if (const auto posted = loop_.dispatcher.PostStream(exchange_, *std::move(rest)); !posted)
    Refuse(posted.error());
}

void Connection::SendOut() {
  while (!out_.empty()) {
    const std::string& front = out_.front();
    const ssize_t n = transport_.Send(front.data() + out_sent_, front.size() - out_sent_);
    if (n == kBroken) return Close();
    if (n == kAgain) return;
    active_us_ = loop_.now_us;
    out_sent_ += static_cast<std::size_t>(n);
    if (out_sent_ == front.size()) {
      out_.pop_front();
      out_sent_ = 0;
    }
  }
}

void Connection::TakeAnswer() {
  if (auto later = exchange_->TakeLater())
    return HandOn(loop_.dispatcher.AppendLater(*exchange_, *std::move(later), &loop_.reply));
  bool ended = false;
  while (!dead_ && out_.empty() && !ended) {
    Exchange::Out out = exchange_->TakeOut(kOutTake);
    if (out.ended && out.abort) return Close();
    ended = out.ended;
    if (out.pieces.empty()) break;
    answer_begun_ = true;
    out_ = std::move(out.pieces);
    out_sent_ = 0;
    SendOut();
  }
  if (dead_ || !ended) return;
  if (state_ == State::kBodyEarly) exchange_->keep_alive = false;
  AfterReply();
}

}  // namespace gyre::net
