// One subscriber's thread: reads what is new, gives it to the handlers in order, moves the cursor,
// parks what fails again and again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "ledger/events/event_store.h"
#include "platform/exec/thread_pool.h"

namespace gyre::events {

// Wakes whoever waits for something to happen: a commit with events, a cursor that moved, the end.
// Shared, because a commit may still tell of itself while the service ends.
class News {
 public:
  void Tell();
  void End();  // wakes everybody for good
  std::int64_t count() const;
  bool ended() const;
  // Until something was told after `seen`; false when the time is over or all is ended.
  bool Wait(std::int64_t seen, std::int64_t timeout_us) const;

 private:
  mutable Mutex mutex_;
  mutable CondVar told_;
  std::int64_t count_ GYRE_GUARDED_BY(mutex_) = 0;
  bool ended_ GYRE_GUARDED_BY(mutex_) = false;
};

class Subscriber {
 public:
  Subscriber(Subscription subscription, db::Database& database, const Clock& clock,
             std::shared_ptr<News> published, std::shared_ptr<News> moved);
  ~Subscriber();

  Result<> Start();  // makes the cursor durable, then follows
  const std::string& name() const { return subscription_.name; }
  std::int64_t position() const;
  void RetryParked(std::int64_t sequence);

 private:
  void Run(const exec::StopFlag& stop);
  bool Reconcile(const exec::StopFlag& stop);
  // Done or parked; false when it is time to stop.
  bool Handle(const exec::StopFlag& stop, const Event& event, bool parked_before);
  Result<> Attempt(const Event& event, bool parked_before, bool* to_blame);
  Result<> Settle(const std::function<Result<>(db::Transaction&)>& effect, const Event& event,
                  bool parked_before);
  bool Follow(const exec::StopFlag& stop);
  bool RunRetries(const exec::StopFlag& stop);
  void SetPosition(std::int64_t sequence);

  const Subscription subscription_;
  db::Database& database_;
  const Clock& clock_;
  const std::shared_ptr<News> published_, moved_;
  mutable Mutex mutex_;
  std::int64_t position_ GYRE_GUARDED_BY(mutex_) = 0;
  std::deque<std::int64_t> retries_ GYRE_GUARDED_BY(mutex_);
  exec::Worker thread_;
};

}  // namespace gyre::events
