// The service manager that started this process (systemd, unit of Type=notify), where there is one.
#pragma once

#include <string_view>

#include "base/error.h"

namespace gyre::exec {

// "READY=1", "STOPPING=1": lines as sd_notify(3) describes them. Nothing where nobody waits for it.
Result<> TellServiceManager(std::string_view state);

}  // namespace gyre::exec
