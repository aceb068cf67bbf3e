// A number per run that changes with every write to it, and says nothing else: whoever keeps what
// it rendered of a run asks before it reads and again before it keeps. Runs share numbers.
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "ml/tracking/run_news.h"

namespace gyre::tracking {

class RunStamps {
 public:
  std::uint64_t Of(std::string_view run_id) const {
    return slots_[Place(run_id)].load(std::memory_order_acquire) +
           all_.load(std::memory_order_acquire);
  }
  // When a write is durable, before it is answered.
  void Touch(std::string_view run_id) {
    slots_[Place(run_id)].fetch_add(1, std::memory_order_acq_rel);
    news_.Add(run_id);
  }
  void TouchAll() {
    all_.fetch_add(std::uint64_t{1} << 32, std::memory_order_acq_rel);
    news_.Reset();
  }
  // As Touch, of a run that is no longer in that experiment.
  void Leave(std::string_view run_id, std::int64_t experiment) {
    Touch(run_id);
    news_.Leave(run_id, experiment);
  }
  const RunNews& news() const { return news_; }

 private:
  std::size_t Place(std::string_view run_id) const {
    return std::hash<std::string_view>{}(run_id) % slots_.size();
  }
  std::array<std::atomic<std::uint64_t>, 4096> slots_ = {};
  std::atomic<std::uint64_t> all_ = 0;
  RunNews news_;
};

}  // namespace gyre::tracking
