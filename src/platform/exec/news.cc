#include "platform/exec/news.h"

#include "base/time.h"

namespace gyre::exec {

void News::Tell() {
  {
    MutexLock lock(mutex_);
    ++count_;
  }
  told_.NotifyAll();
}

void News::End() {
  {
    MutexLock lock(mutex_);
    ended_ = true;
  }
  told_.NotifyAll();
}

std::int64_t News::count() const {
  MutexLock lock(mutex_);
  return count_;
}

bool News::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

bool News::Wait(std::int64_t seen, std::int64_t timeout_us) const {
  const std::int64_t deadline_us = SystemClock().MonotonicMicros() + timeout_us;
  MutexLock lock(mutex_);
  while (count_ == seen && !ended_) {
    const std::int64_t left_us = deadline_us - SystemClock().MonotonicMicros();
    if (left_us <= 0) return false;
    told_.WaitMicros(mutex_, left_us);
  }
  return !ended_;
}

}  // namespace gyre::exec
