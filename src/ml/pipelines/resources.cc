#include "ml/pipelines/resources.h"

#include <unistd.h>

#include "base/text.h"
#include "platform/exec/capture.h"

namespace gyre::pipelines {

MachineFacts OfThisMachine() {
  static const MachineFacts facts = {
      exec::AllowedCpus(),
      static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE)};
  return facts;
}

Result<> CheckResources(const Spec& spec, const MachineFacts& machine) {
  const auto refuse = [](const Step& step, std::string_view asked, std::string_view there) {
    return FailedPrecondition("GY4733", "step `{}` asks for {}, and this machine has {}", step.name,
                              asked, there)
        .Fix("ask for less in its `resources`, or run it on a larger machine");
  };
  for (const Step& step : spec.steps) {
    const Resources& asked = step.resources;
    if (asked.cpus > machine.cpus)
      return refuse(step, fmt::format("{} CPUs", asked.cpus), fmt::format("{}", machine.cpus));
    if (asked.memory_bytes > machine.memory_bytes)
      return refuse(step, HumanBytes(asked.memory_bytes) + " of memory",
                    HumanBytes(machine.memory_bytes));
  }
  return {};
}

}  // namespace gyre::pipelines
