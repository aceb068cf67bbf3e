// std::mutex with clang's thread-safety annotations (empty for g++). Every mutable shared member is
// GYRE_GUARDED_BY one of these.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define GYRE_ANNOTATE(x) __attribute__((x))
#else
#define GYRE_ANNOTATE(x)
#endif
#define GYRE_GUARDED_BY(x) GYRE_ANNOTATE(guarded_by(x))
#define GYRE_REQUIRES(...) GYRE_ANNOTATE(requires_capability(__VA_ARGS__))
#define GYRE_EXCLUDES(...) GYRE_ANNOTATE(locks_excluded(__VA_ARGS__))

namespace gyre {

class GYRE_ANNOTATE(capability("mutex")) Mutex {
 public:
  void Lock() GYRE_ANNOTATE(acquire_capability()) { mutex_.lock(); }
  void Unlock() GYRE_ANNOTATE(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class GYRE_ANNOTATE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) GYRE_ANNOTATE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() GYRE_ANNOTATE(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // The caller holds the mutex; wakes may be spurious: wait in a loop over the condition.
  void Wait(Mutex& mutex) GYRE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when the time passed.
  bool WaitMicros(Mutex& mutex, long long timeout_us) GYRE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto status = condition_.wait_for(lock, std::chrono::microseconds(timeout_us));
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace gyre
