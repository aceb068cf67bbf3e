// Shadows: variants that score what another one has answered, after the answer is on its way. Their
// outputs are compared and captured, never sent. Thread-safe. Private.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "ml/serving/answer.h"
#include "ml/serving/route.h"
#include "ml/serving/snapshot.h"
#include "platform/exec/thread_pool.h"

namespace gyre::serving {

class Shadows {
 public:
  explicit Shadows(std::int64_t rows_max) : rows_max_(rows_max) {}
  ~Shadows() { Stop(); }
  void Stop();  // what waits is left out

  // Copies what the shadows need and returns; when too much waits already, the request is counted
  // as dropped for each of them.
  void Offer(const Route& route, const std::shared_ptr<const Snapshot>& answered,
             std::string_view body, const Answer& answer, std::int64_t received_us);
  // Until nothing waits; for tests.
  void Drain();

 private:
  struct Item {
    std::vector<std::shared_ptr<const Snapshot>> shadows;
    std::string body;
    Outputs answered;
    std::shared_ptr<const Snapshot> by;
    std::uint64_t id_high = 0, id_low = 0;
    std::int64_t received_us = 0;
  };
  void Run(const exec::StopFlag& stop);
  void Score(const Item& item);

  const std::int64_t rows_max_;
  Mutex mutex_;
  CondVar news_;
  std::deque<Item> waiting_ GYRE_GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ GYRE_GUARDED_BY(mutex_) = 0;
  bool busy_ GYRE_GUARDED_BY(mutex_) = false;
  bool started_ GYRE_GUARDED_BY(mutex_) = false;
  bool stopping_ GYRE_GUARDED_BY(mutex_) = false;
  RowReader reader_;  // the worker's
  inference_log::Recorder recorder_;
  exec::Worker worker_;
};

}  // namespace gyre::serving
