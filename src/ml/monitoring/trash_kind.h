// Monitors go into the trash and come back, by themselves or with their endpoint.
#pragma once

#include "ledger/trash/trash.h"
#include "ml/monitoring/monitors.h"
#include "ml/serving/serving.h"

namespace gyre::monitoring {

trash::Kind MonitorTrash(Monitors& monitors, serving::Serving& serving);
trash::Holding HeldMonitors();
// Where monitors name their endpoint: an endpoint that comes back under another name takes them
// along.
std::vector<trash::NameColumn> EndpointNames();

}  // namespace gyre::monitoring
