// Threads that wait for something to have happened elsewhere.
#pragma once

#include <cstdint>

#include "base/mutex.h"

namespace gyre::exec {

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

}  // namespace gyre::exec
