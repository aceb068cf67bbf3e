// A clock that stands where a test puts it.
#pragma once

#include "base/time.h"

namespace gyre::automation {

class SetClock final : public Clock {
 public:
  std::int64_t NowMicros() const override { return now_us; }
  std::int64_t MonotonicMicros() const override { return now_us; }
  std::int64_t now_us = 1'800'000'000 * kMicrosPerSecond;
};

}  // namespace gyre::automation
