// The threads that deliver what waits. A channel is served by one of them at a time, and those
// channels that failed last may hold half of them at most, so that receivers that hang take nothing
// from the others.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "ledger/notices/notice_store.h"
#include "ledger/notices/transmit.h"
#include "platform/exec/news.h"
#include "platform/exec/thread_pool.h"

namespace gyre::notices {

// After that many attempts: four times as long each time, at most 6 h, give or take a quarter.
// `chance` is in [0, 1).
std::int64_t PauseMicros(int attempts, std::int64_t first_us, double chance);
constexpr std::int64_t kPauseMicrosMax = 6 * 3600 * kMicrosPerSecond;

class Courier {
 public:
  Courier(const NoticeRooms& rooms, const Settings& settings, Transmit transmit);
  ~Courier() { Stop(); }

  void Start();
  void Stop();
  // Delivers what is due first, if anything is: false. For the threads, and for tests without any.
  bool DeliverOne();
  const std::shared_ptr<exec::News>& news() const { return news_; }
  Interrupted interrupted() const {
    return [news = news_] { return news->ended(); };
  }
  // Something has not been tried yet, at a channel that has not just failed.
  bool busy();

 private:
  using Name = std::pair<std::string, std::string>;  // project, channel

  void Run();
  // The next one, its channel held; how long to wait when there is none.
  std::optional<Parcel> Take(std::int64_t* wait_us);
  std::optional<Due> Choose(const std::vector<Due>& due, std::int64_t* wait_us)
      GYRE_REQUIRES(mutex_);
  void Release(const Name& name, bool failed);
  void Deliver(const Parcel& parcel);
  Result<> Record(const Parcel& parcel, const Outcome& outcome);

  const NoticeRooms rooms_;
  const Settings settings_;
  const Transmit transmit_;
  const std::int64_t since_us_;
  const std::shared_ptr<exec::News> news_ = std::make_shared<exec::News>();
  std::atomic<bool> stuck_{false};  // it cannot be written down what became of an attempt
  Mutex mutex_;
  std::set<Name> held_ GYRE_GUARDED_BY(mutex_);
  std::set<Name> failing_ GYRE_GUARDED_BY(mutex_);
  Random random_ GYRE_GUARDED_BY(mutex_);
  std::vector<exec::Worker> threads_;
};

}  // namespace gyre::notices
