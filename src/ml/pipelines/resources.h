// What this machine has, and what a pipeline asks of it. Private.
#pragma once

#include <cstdint>

#include "ml/pipelines/spec.h"

namespace gyre::pipelines {

struct MachineFacts {
  int cpus = 1;  // that we may run on
  std::int64_t memory_bytes = 0;
};
MachineFacts OfThisMachine();

// Whoever asks for more than there is would get less, or wait for ever. Error: GY4733.
Result<> CheckResources(const Spec& spec, const MachineFacts& machine);

}  // namespace gyre::pipelines
