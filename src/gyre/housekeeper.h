// Collects in the background of a server what `gyre gc` collects by hand.
#pragma once

#include <cstdint>

#include "api/native/maintenance_api.h"
#include "platform/exec/thread_pool.h"

namespace gyre {

class Housekeeper {
 public:
  // Every so often, and not at once: a server that is started for a moment collects nothing.
  Housekeeper(native::Maintenance maintenance, std::int64_t every_us);

 private:
  void Collect() const;

  const native::Maintenance maintenance_;
  exec::Worker worker_;
};

}  // namespace gyre
