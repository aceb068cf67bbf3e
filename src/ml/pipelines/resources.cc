#include "ml/pipelines/resources.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "ml/pipelines/programs.h"
#include "platform/exec/capture.h"

namespace gyre::pipelines {

MachineFacts OfThisMachine() {
  static const MachineFacts facts = {
      exec::AllowedCpus(),
      static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE)};
  return facts;
}

std::vector<std::string> FindGpus(const std::string& devices,
                                  const std::optional<std::string>& visible, std::int64_t count) {
  std::vector<std::string> gpus;
  if (visible) {
    for (const std::string_view one : Split(*visible, ',')) {
      if (Trim(one).empty() || Trim(one).starts_with('-')) break;  // as CUDA reads it
      gpus.emplace_back(Trim(one));
    }
  } else {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(devices, failed)) {
      const std::string name = entry.path().filename().string();
      const std::string_view number =
          std::string_view(name).substr(std::min<std::size_t>(6, name.size()));
      if (name.starts_with("nvidia") && ParseInt(number))
        gpus.push_back(fmt::format("{}", gpus.size()));
    }
  }
  if (count < 0) return gpus;
  gpus.resize(std::min(gpus.size(), static_cast<std::size_t>(count)));
  while (gpus.size() < static_cast<std::size_t>(count))
    gpus.push_back(fmt::format("{}", gpus.size()));
  return gpus;
}

Error NotHere(std::string_view step, std::string_view asked, std::string_view there) {
  return FailedPrecondition("GY4733", "step `{}` asks for {}, and this machine has {}", step, asked,
                            there)
      .Fix("ask for less in its `resources`, or run it on a larger machine");
}

std::string GpuText(std::int64_t gpus) {
  return fmt::format("{} GPU{}", gpus, gpus == 1 ? "" : "s");
}

Result<> CheckResources(const Spec& spec, const MachineFacts& machine) {
  for (const Step& step : spec.steps) {
    const Resources& asked = step.resources;
    if (asked.cpus > machine.cpus)
      return NotHere(step.name, fmt::format("{} CPUs", asked.cpus),
                     fmt::format("{}", machine.cpus));
    if (asked.memory_bytes > machine.memory_bytes)
      return NotHere(step.name, HumanBytes(asked.memory_bytes) + " of memory",
                     HumanBytes(machine.memory_bytes));
    const auto gpus = std::ssize(machine.gpus);
    if (asked.gpus > gpus)
      return NotHere(step.name, GpuText(asked.gpus), fmt::format("{}", gpus))
          .Fix(fmt::format("GYRE_PIPELINES_GPUS={} for a server that has more than it sees",
                           asked.gpus));
    if (asked.gpus > 0 && !IsProgram(step.kind))
      return InvalidArgument("GY4744", "step `{}` asks for {}, and a step of kind `{}` uses none",
                             step.name, GpuText(asked.gpus), step.kind)
          .Fix("take `gpus` out of its `resources`");
  }
  return {};
}

}  // namespace gyre::pipelines
