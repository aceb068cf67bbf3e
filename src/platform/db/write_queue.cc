#include "platform/db/write_queue.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "base/time.h"

namespace gyre::db {
namespace {

// std::atomic::wait spins with sched_yield first; with a group of waiters that is most of the
// machine's time.
void SleepUntilSet(std::atomic<std::uint32_t>& word) {
  while (word.load(std::memory_order_acquire) == 0) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, 0, nullptr,
            nullptr, 0);
  }
}

void SetAndWakeAll(std::atomic<std::uint32_t>& word) {
  word.store(1, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr,
          nullptr, 0);
}

}  // namespace

Result<std::shared_ptr<WriteBatch>> WriteQueue::Enqueue(WriteRequest* request,
                                                        std::unique_ptr<WriteRequest>* kept) {
  std::shared_ptr<WriteBatch> batch;
  bool wake = false;
  {
    MutexLock lock(mutex_);
    if (closed_) return Error(Code::kUnavailable, "GY1413", "the database is being closed");
    if (waiting_ >= queue_length_max_) {
      return Error(Code::kResourceExhausted, "GY1401",
                   fmt::format("the database is busy: {} writes wait already", waiting_))
          .Fix("try again in a moment");
    }
    if (batches_.empty() || std::ssize(batches_.back()->requests) >= batch_length_max_) {
      batches_.push_back(std::make_shared<WriteBatch>());
    }
    batch = batches_.back();
    batch->requests.push_back(request);
    if (kept != nullptr) batch->kept.push_back(std::move(*kept));
    ++waiting_;
    wake = wake_at_ > 0 && waiting_ >= wake_at_;
  }
  if (wake) wake_.NotifyOne();
  return batch;
}

Result<> WriteQueue::Submit(WriteRequest& request) {
  GYRE_TRY(const auto batch, Enqueue(&request, nullptr));
  SleepUntilSet(batch->done);
  return std::move(request.result);
}

void WriteQueue::SubmitLater(std::unique_ptr<WriteRequest> request) {
  const auto batch = Enqueue(request.get(), &request);
  if (batch) return;
  request->body = nullptr;
  request->done(Result<>(batch.error()));
}

std::shared_ptr<WriteBatch> WriteQueue::Take(std::int64_t idle_us, std::int64_t linger_us) {
  MutexLock lock(mutex_);
  const auto wait_for = [&](std::int64_t count, std::int64_t timeout_us) GYRE_REQUIRES(mutex_) {
    const std::int64_t deadline_us = SystemClock().MonotonicMicros() + timeout_us;
    wake_at_ = count;
    while (waiting_ < count && !closed_) {
      const std::int64_t left_us = deadline_us - SystemClock().MonotonicMicros();
      if (left_us <= 0) break;
      wake_.WaitMicros(mutex_, left_us);
    }
    wake_at_ = 0;
  };
  wait_for(1, idle_us);
  if (expected_ > 1 && linger_us > 0 && !batches_.empty()) {
    wait_for(std::min(expected_, batch_length_max_), linger_us);
  }
  if (batches_.empty()) {
    expected_ = 0;
    return nullptr;
  }
  std::shared_ptr<WriteBatch> batch = std::move(batches_.front());
  batches_.pop_front();
  waiting_ -= std::ssize(batch->requests);
  return batch;
}

void WriteQueue::Finish(WriteBatch& batch) {
  {
    MutexLock lock(mutex_);
    expected_ = std::ssize(batch.requests) + waiting_;
  }
  if (batch.kept.size() < batch.requests.size()) SetAndWakeAll(batch.done);
  for (const auto& request : batch.kept) request->done(std::move(request->result));
}

void WriteQueue::Close() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  wake_.NotifyAll();
}

bool WriteQueue::closed() const {
  MutexLock lock(mutex_);
  return closed_ && batches_.empty();
}

}  // namespace gyre::db
