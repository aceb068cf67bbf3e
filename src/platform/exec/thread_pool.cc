#include "platform/exec/thread_pool.h"

#include <pthread.h>

#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"

namespace gyre::exec {
namespace {

void NameThisThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());  // the system keeps 15 characters
}

}  // namespace

struct ThreadPool::Impl {
  PoolOptions options;
  mutable Mutex mutex;
  CondVar wake;
  std::deque<std::move_only_function<void()>> queue GYRE_GUARDED_BY(mutex);
  bool stopping GYRE_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads;

  void Run(int index) {
    NameThisThread(fmt::format("{}-{}", options.name.substr(0, 12), index));
    while (true) {
      std::move_only_function<void()> task;
      {
        MutexLock lock(mutex);
        while (queue.empty() && !stopping) wake.Wait(mutex);
        if (queue.empty()) return;
        task = std::move(queue.front());
        queue.pop_front();
      }
      task();
    }
  }
};

ThreadPool::ThreadPool(PoolOptions options) : impl_(std::make_unique<Impl>()) {
  GYRE_CHECK(options.threads > 0 && options.queue_length_max > 0);
  impl_->options = std::move(options);
  for (int i = 0; i < impl_->options.threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get(), i] { impl->Run(i); });
  }
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.NotifyAll();
  for (std::thread& thread : impl_->threads) thread.join();
}

Result<> ThreadPool::Post(std::move_only_function<void()> task) {
  {
    MutexLock lock(impl_->mutex);
    if (std::ssize(impl_->queue) >= impl_->options.queue_length_max) {
      return Error(Code::kResourceExhausted, "GY1301",
                   fmt::format("the {} pool is busy: {} tasks wait already", impl_->options.name,
                               impl_->queue.size()))
          .Fix("try again in a moment");
    }
    impl_->queue.push_back(std::move(task));
  }
  impl_->wake.NotifyOne();
  return {};
}

int ThreadPool::queue_length() const {
  MutexLock lock(impl_->mutex);
  return static_cast<int>(impl_->queue.size());
}

// --- workers -----------------------------------------------------------------------------------

struct StopFlag::State {
  Mutex mutex;
  CondVar wake;
  bool stopped GYRE_GUARDED_BY(mutex) = false;
};

bool StopFlag::stopped() const {
  MutexLock lock(state_->mutex);
  return state_->stopped;
}

bool StopFlag::WaitMicros(std::int64_t timeout_us) const {
  const std::int64_t deadline_us = SystemClock().MonotonicMicros() + timeout_us;
  MutexLock lock(state_->mutex);
  while (!state_->stopped) {
    const std::int64_t left_us = deadline_us - SystemClock().MonotonicMicros();
    if (left_us <= 0) break;
    state_->wake.WaitMicros(state_->mutex, left_us);
  }
  return state_->stopped;
}

struct Worker::Impl {
  StopFlag flag;
  std::thread thread;
};

Worker::Worker() = default;
Worker::Worker(std::string name, std::move_only_function<void(const StopFlag&)> body)
    : impl_(std::make_unique<Impl>()) {
  impl_->flag.state_ = std::make_shared<StopFlag::State>();
  impl_->thread =
      std::thread([name = std::move(name), body = std::move(body), flag = impl_->flag]() mutable {
        NameThisThread(name);
        body(flag);
      });
}

Worker::Worker(Worker&&) noexcept = default;

Worker& Worker::operator=(Worker&& other) noexcept {
  std::swap(impl_, other.impl_);  // ours is joined when `other` goes
  return *this;
}

Worker::~Worker() {
  if (!impl_) return;
  RequestStop();
  impl_->thread.join();
}

void Worker::RequestStop() {
  if (!impl_) return;
  {
    MutexLock lock(impl_->flag.state_->mutex);
    impl_->flag.state_->stopped = true;
  }
  impl_->flag.state_->wake.NotifyAll();
}

}  // namespace gyre::exec
