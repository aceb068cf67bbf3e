#include "platform/net/event_loop.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/time.h"
#include "platform/net/peer.h"
#include "platform/telemetry/log.h"

namespace gyre::net {
namespace {

constexpr telemetry::Logger kLog{"platform/net"};
constexpr int kSweepMillis = 250;
constexpr int kEventsMax = 256;
constexpr std::size_t kScratchBytes = 64 << 10;
// Keys below 2^32 have serial 0 and are no connections: the bell, the clock, then the listeners.
constexpr std::uint64_t kBellKey = 0;
constexpr std::uint64_t kClockKey = 1;
constexpr std::uint64_t kFirstListenerKey = 2;

void Watch(int epoll_fd, int fd, std::uint64_t key) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key;
  GYRE_CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

}  // namespace

EventLoop::EventLoop(Dispatcher& dispatcher)
    : dispatcher_(dispatcher),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      bell_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      clock_fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      context_{dispatcher, *this, epoll_fd_, std::string(kScratchBytes, '\0'), {}, 0} {
  GYRE_CHECK(epoll_fd_ >= 0 && bell_fd_ >= 0 && clock_fd_ >= 0);
  Watch(epoll_fd_, bell_fd_, kBellKey);
  Watch(epoll_fd_, clock_fd_, kClockKey);
}

EventLoop::~EventLoop() {
  for (const Accepted& accepted : adopted_) close(accepted.fd);
  connections_.clear();
  close(clock_fd_);
  close(bell_fd_);
  close(epoll_fd_);
}

void EventLoop::Listen(std::vector<std::unique_ptr<Listener>>& listeners,
                       std::vector<EventLoop*> all) {
  listeners_ = &listeners;
  all_ = std::move(all);
  for (std::size_t i = 0; i < listeners.size(); ++i)
    Watch(epoll_fd_, listeners[i]->fd(), kFirstListenerKey + i);
}

void EventLoop::Ring() {
  const std::uint64_t one = 1;
  // A full counter means that the bell rings already.
  if (write(bell_fd_, &one, sizeof one) < 0 && errno != EAGAIN)
    kLog.Error("cannot wake an I/O thread", {{"errno", errno}});
}

void EventLoop::Stop() {
  stop_ = true;
  Ring();
}

void EventLoop::StartDraining() { Ring(); }

void EventLoop::Expire() {
  expire_ = true;
  Ring();
}

void EventLoop::Wake(int fd, std::uint64_t serial) {
  bool first = false;
  {
    MutexLock lock(mutex_);
    if (!bells_.empty() && bells_.back().fd == fd && bells_.back().serial == serial) return;
    first = bells_.empty();
    bells_.push_back({fd, serial});
  }
  if (first) Ring();
}

void EventLoop::Adopt(Accepted accepted) {
  {
    MutexLock lock(mutex_);
    adopted_.push_back(std::move(accepted));
  }
  Ring();
}

void EventLoop::Add(Accepted accepted) {
  const auto slot = static_cast<std::size_t>(accepted.fd);
  if (connections_.size() <= slot) connections_.resize(slot + 64);
  connections_[slot] = std::make_unique<Connection>(context_, accepted.fd, next_serial_++,
                                                    std::move(accepted.peer), accepted.is_unix);
  ++count_;
  if (next_serial_ >= (std::uint64_t{1} << 32)) next_serial_ = 1;
  if (drained_) connections_[slot]->Drain();
  Reap(slot);
}

bool EventLoop::Accept(Listener& listener) {
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        kLog.Error("cannot accept connections", {{"errno", errno}});
        for (const auto& each : *listeners_)
          epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, each->fd(), nullptr);
        accepting_ = false;  // until the next sweep, instead of spinning
      }
      return false;
    }
    if (dispatcher_.connections.fetch_add(1) >= dispatcher_.settings().connections_max) {
      static constexpr char kFull[] =
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
          "close\r\n\r\n";
      const ssize_t ignored = send(fd, kFull, sizeof kFull - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
      static_cast<void>(ignored);
      close(fd);
      dispatcher_.connections.fetch_sub(1);
      continue;
    }
    Accepted accepted{fd, listener.is_unix(), {}};
    if (accepted.is_unix) {
      accepted.peer.address = "unix";
      accepted.peer.loopback = true;
      accepted.peer.uid = UnixPeerUid(fd);
    } else {
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      accepted.peer.address = AddressText(address);
      accepted.peer.loopback = IsLoopback(address);
      accepted.peer.tls = dispatcher_.tls() != nullptr;
    }
    EventLoop* target = all_[next_++ % all_.size()];
    if (target == this) {
      Add(std::move(accepted));
    } else {
      target->Adopt(std::move(accepted));
    }
  }
  return true;
}

// Whoever was let in before is served or told, not dropped.
void EventLoop::StopListening() {
  if (listeners_ == nullptr) return;
  for (const auto& listener : *listeners_) {
    listener->Refuse();
    while (Accept(*listener)) {
    }
    listener->Close();
  }
}

void EventLoop::TakeMail() {
  std::uint64_t count = 0;
  const ssize_t ignored = read(bell_fd_, &count, sizeof count);
  static_cast<void>(ignored);
  std::vector<Accepted> adopted;
  std::vector<Bell> bells;
  {
    MutexLock lock(mutex_);
    adopted.swap(adopted_);
    bells.swap(bells_);
  }
  for (Accepted& accepted : adopted) Add(std::move(accepted));
  for (const Bell& bell : bells) {
    const auto slot = static_cast<std::size_t>(bell.fd);
    if (slot >= connections_.size() || !connections_[slot] ||
        connections_[slot]->serial() != bell.serial)
      continue;
    connections_[slot]->OnWake();
    Reap(slot);
  }
  if (expire_.exchange(false)) {
    for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
      if (!connections_[slot]) continue;
      connections_[slot]->Expire();
      Reap(slot);
    }
  }
  if (!dispatcher_.draining.load() || drained_) return;
  StopListening();
  drained_ = true;
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    if (!connections_[slot]) continue;
    connections_[slot]->Drain();
    Reap(slot);
  }
}

void EventLoop::Reap(std::size_t slot) {
  if (!connections_[slot]->dead()) return;
  context_.reply.clear();
  connections_[slot].reset();
  --count_;
  dispatcher_.connections.fetch_sub(1);
}

void EventLoop::OnEvent(std::uint64_t key, std::uint32_t events) {
  const auto slot = static_cast<std::size_t>(key & 0xffffffffU);
  const std::uint64_t serial = key >> 32;
  if (slot >= connections_.size() || !connections_[slot] || connections_[slot]->serial() != serial)
    return;
  connections_[slot]->OnEvents(events);
  Reap(slot);
}

void EventLoop::SweepAll() {
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    if (!connections_[slot]) continue;
    connections_[slot]->Sweep();
    Reap(slot);
  }
  if (!accepting_ && !drained_) {
    accepting_ = true;
    for (std::size_t i = 0; i < listeners_->size(); ++i)
      Watch(epoll_fd_, (*listeners_)[i]->fd(), kFirstListenerKey + i);
  }
}

// A clock of its own costs less than a timeout, which every epoll_wait would set and take back.
void EventLoop::RunClock(bool runs) {
  if (runs == clock_runs_) return;
  clock_runs_ = runs;
  itimerspec each{};
  if (runs) each.it_value.tv_nsec = each.it_interval.tv_nsec = kSweepMillis * 1'000'000L;
  GYRE_CHECK(timerfd_settime(clock_fd_, 0, &each, nullptr) == 0);
}

void EventLoop::Run() {
  epoll_event events[kEventsMax];
  while (!stop_.load(std::memory_order_relaxed)) {
    // Without connections there are no deadlines, and an idle server does not wake up at all.
    RunClock(count_ != 0 || !accepting_);
    const int n = epoll_wait(epoll_fd_, events, kEventsMax, -1);
    bool sweep = false;
    context_.now_us = SystemClock().MonotonicMicros();
    for (int i = 0; i < n; ++i) {
      const std::uint64_t key = events[i].data.u64;
      if (key == kBellKey) {
        TakeMail();
      } else if (key == kClockKey) {
        std::uint64_t ticks = 0;
        sweep = read(clock_fd_, &ticks, sizeof ticks) > 0;
      } else if (key >> 32 == 0) {
        if (!drained_) Accept(*(*listeners_)[key - kFirstListenerKey]);
      } else {
        OnEvent(key, events[i].events);
      }
    }
    if (sweep) SweepAll();
  }
  for (auto& connection : connections_) {
    if (connection) dispatcher_.connections.fetch_sub(1);
    connection.reset();
  }
  count_ = 0;
}

}  // namespace gyre::net
