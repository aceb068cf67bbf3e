// One I/O thread: epoll over its connections. Private to platform/net.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "platform/net/connection.h"
#include "platform/net/dispatcher.h"
#include "platform/net/listener.h"

namespace gyre::net {

class EventLoop final : public Waker {
 public:
  explicit EventLoop(Dispatcher& dispatcher);
  ~EventLoop() override;

  // The loop that accepts hands connections round to `all` in turn. Before Run.
  void Listen(std::vector<std::unique_ptr<Listener>>& listeners, std::vector<EventLoop*> all);
  void Run();  // until Stop
  void Stop();
  void StartDraining();
  void Expire();  // after StartDraining: whoever has no answer yet is told that there will be none
  bool drained() const { return drained_; }  // nobody is let in any more
  void Wake(int fd, std::uint64_t serial) override;

 private:
  struct Accepted {
    int fd;
    bool is_unix;
    Peer peer;
  };
  struct Bell {
    int fd;
    std::uint64_t serial;
  };
  void Adopt(Accepted accepted);
  void Add(Accepted accepted);
  bool Accept(Listener& listener);  // false: nobody waits any more
  void StopListening();
  void Ring();
  void TakeMail();
  void OnEvent(std::uint64_t key, std::uint32_t events);
  void Reap(std::size_t fd);
  void SweepAll();
  void RunClock(bool runs);

  Dispatcher& dispatcher_;
  const int epoll_fd_, bell_fd_;
  const int clock_fd_;  // ticks for the sweeps while there are connections
  bool clock_runs_ = false;
  LoopContext context_;
  std::vector<std::unique_ptr<Listener>>* listeners_ = nullptr;
  std::vector<EventLoop*> all_;
  std::size_t next_ = 0;
  bool accepting_ = true;
  std::atomic<bool> drained_{false};
  std::atomic<bool> expire_{false};
  std::uint64_t next_serial_ = 1;
  std::size_t count_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::atomic<bool> stop_{false};

  Mutex mutex_;
  std::vector<Accepted> adopted_ GYRE_GUARDED_BY(mutex_);
  std::vector<Bell> bells_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::net
