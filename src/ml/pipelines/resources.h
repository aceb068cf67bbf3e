// What this machine has, and what a pipeline asks of it. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/pipelines/spec.h"

namespace gyre::pipelines {

struct MachineFacts {
  int cpus = 1;  // that we may run on
  std::int64_t memory_bytes = 0;
  std::vector<std::string> gpus{};  // as CUDA_VISIBLE_DEVICES names them
};
MachineFacts OfThisMachine();  // without its GPUs

// `visible`: our own CUDA_VISIBLE_DEVICES, where that is set; else one for each nvidia0, nvidia1,
// ... in `devices` ("/dev"). `count`: so many instead; -1 = as many as there are.
std::vector<std::string> FindGpus(const std::string& devices,
                                  const std::optional<std::string>& visible, std::int64_t count);

// What a step asks for and this machine does not have. GY4733.
Error NotHere(std::string_view step, std::string_view asked, std::string_view there);
std::string GpuText(std::int64_t gpus);  // "1 GPU", "2 GPUs"

// Whoever asks for more than there is would get less, or wait for ever. Error: GY4733.
Result<> CheckResources(const Spec& spec, const MachineFacts& machine);

}  // namespace gyre::pipelines
