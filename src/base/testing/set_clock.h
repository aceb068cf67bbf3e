// A clock that stands where a test puts it.
#pragma once

#include <atomic>

#include "base/time.h"

namespace gyre {

class SetClock final : public Clock {
 public:
  explicit SetClock(std::int64_t start_us = 1'800'000'000 * kMicrosPerSecond) : now_us(start_us) {}
  std::int64_t NowMicros() const override { return now_us; }
  std::int64_t MonotonicMicros() const override { return now_us; }
  std::atomic<std::int64_t> now_us;
};

}  // namespace gyre
