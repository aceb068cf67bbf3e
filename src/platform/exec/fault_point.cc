#include "platform/exec/fault_point.h"

#include <signal.h>
#include <unistd.h>

namespace gyre::exec {

constinit const std::string* armed_fault = nullptr;

Result<> ArmFault(std::string_view name) {
  const std::string_view point = name.substr(0, name.find(':'));
  const auto known = std::ranges::find(kFaultPoints, point, &FaultPoint::name);
  if (known == std::end(kFaultPoints) || known->of.empty() != (point.size() == name.size()))
    return InvalidArgument("GY1390", "there is no fault point `{}`", name).Fix("gyre faults");
  static const std::string armed(name);
  armed_fault = &armed;
  return {};
}

void DieAt(std::string_view name, std::string_view of) {
  const std::string_view armed = *armed_fault;
  if (!armed.starts_with(name)) return;
  const std::string_view rest = armed.substr(name.size());
  if (of.empty() ? !rest.empty() : !(rest.starts_with(':') && rest.substr(1) == of)) return;
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();
}

}  // namespace gyre::exec
