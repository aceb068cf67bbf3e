// A read that may take seconds: few run at once, so that what is cheap finds threads and
// connections beside them, and none for ever.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "base/time.h"
#include "platform/db/read_budget.h"

namespace gyre::tracking {

inline constexpr std::int64_t kLongReadTimeMax = 60 * kMicrosPerSecond;
inline constexpr int kLongReadsMax = 4;         // in the process: half of the standard's readers
inline constexpr int kLongReadsWaitingMax = 8;  // each holds a thread, of sixteen that answer

// As long as it lives, what this thread reads ends with its time, or when nobody waits any more.
class LongRead {
 public:
  explicit LongRead(std::function<bool()> gone) : budget_(kLongReadTimeMax, std::move(gone)) {}
  ~LongRead();
  LongRead(const LongRead&) = delete;
  LongRead& operator=(const LongRead&) = delete;

  // Waits until it is its turn. Errors: kResourceExhausted GY1418 too many wait; those of
  // db::ReadBudget.
  Result<> Take();

 private:
  db::ReadBudget budget_;
  bool taken_ = false;
};

}  // namespace gyre::tracking
