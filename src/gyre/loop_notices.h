// What automation and monitors tell people, as notices.
#pragma once

#include "ml/automation/automation.h"
#include "ml/monitoring/monitors.h"

namespace gyre::notices {
class Notices;
}

namespace gyre {

// Both outlive what is returned or filled in.
monitoring::Notify MakeNotify(notices::Notices& notices);
void TellPeople(notices::Notices& notices, automation::Below* below);

}  // namespace gyre
