// One subscriber's thread: reads what is new, gives it to the handlers in order, moves the cursor,
// parks what fails again and again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "ledger/events/event_store.h"
#include "platform/exec/news.h"
#include "platform/exec/thread_pool.h"

namespace gyre::events {

class Subscriber {
 public:
  Subscriber(Subscription subscription, db::Database& database, const Clock& clock,
             std::shared_ptr<exec::News> published, std::shared_ptr<exec::News> moved);
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
  const std::shared_ptr<exec::News> published_, moved_;
  mutable Mutex mutex_;
  std::int64_t position_ GYRE_GUARDED_BY(mutex_) = 0;
  std::deque<std::int64_t> retries_ GYRE_GUARDED_BY(mutex_);
  exec::Worker thread_;
};

}  // namespace gyre::events
