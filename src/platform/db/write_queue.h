// Waiting writers of any backend: callers put closures in and sleep, or are told later; the one
// writer thread takes them out in batches.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "platform/db/database.h"

namespace gyre::db {

struct WriteRequest {
  Database::WriteBody body;
  Database::WriteDone done = nullptr;  // unless its caller sleeps
  Result<> result = {};
};

// Requests of callers that sleep live on their stacks; the batch is shared, so that the last waker
// touches nothing of a caller that has gone.
struct WriteBatch {
  std::vector<WriteRequest*> requests;
  std::vector<std::unique_ptr<WriteRequest>> kept;  // those of them whose callers do not sleep
  std::atomic<std::uint32_t> done = 0;
};

class WriteQueue {
 public:
  WriteQueue(int queue_length_max, int batch_length_max)
      : queue_length_max_(queue_length_max), batch_length_max_(batch_length_max) {}

  // Waits until the request has its result. Errors of its own: GY1401 when the queue is full,
  // kUnavailable GY1413 when closed.
  Result<> Submit(WriteRequest& request);
  // Does not wait; the request's `done` is told, also of those errors.
  void SubmitLater(std::unique_ptr<WriteRequest> request);

  // Writer thread. Waits up to idle_us for work; null when there was none (or the queue is closed
  // and empty). When writers come in groups, lingers up to linger_us for all who are known to come
  // again: those of the last batch, who were woken together, and those who came while it ran.
  std::shared_ptr<WriteBatch> Take(std::int64_t idle_us, std::int64_t linger_us);
  void Finish(WriteBatch& batch);  // wakes its callers, tells the others
  void Close();
  bool closed() const;

 private:
  Result<std::shared_ptr<WriteBatch>> Enqueue(WriteRequest* request,
                                              std::unique_ptr<WriteRequest>* kept);

  const std::int64_t queue_length_max_;
  const std::int64_t batch_length_max_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<std::shared_ptr<WriteBatch>> batches_ GYRE_GUARDED_BY(mutex_);
  std::int64_t waiting_ GYRE_GUARDED_BY(mutex_) = 0;
  std::int64_t wake_at_ GYRE_GUARDED_BY(mutex_) =
      0;  // the writer sleeps until so many wait; 0 = it is awake
  std::int64_t expected_ GYRE_GUARDED_BY(mutex_) = 0;
  bool closed_ GYRE_GUARDED_BY(mutex_) = false;
};

}  // namespace gyre::db
