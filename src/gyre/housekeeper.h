// Collects in the background of a server what `gyre gc` collects by hand.
#pragma once

#include <atomic>
#include <cstdint>

#include "api/native/maintenance_api.h"
#include "base/time.h"
#include "platform/exec/thread_pool.h"

namespace gyre {

class Housekeeper {
 public:
  // Every so often, and not at once: a server that is started for a moment collects nothing.
  Housekeeper(native::Maintenance maintenance, std::int64_t every_us, const Clock& clock);
  std::int64_t next_us() const { return next_us_.load(); }  // when it collects the next time

 private:
  void Collect() const;

  const native::Maintenance maintenance_;
  std::atomic<std::int64_t> next_us_;
  exec::Worker worker_;
};

}  // namespace gyre
