// Endpoints go into the trash and come back: they answer again as they did.
#pragma once

#include "ledger/events/events.h"
#include "ledger/trash/trash.h"
#include "ml/serving/serving.h"

namespace gyre::serving {

trash::Kind EndpointTrash(events::Events& events, Serving& serving);
trash::Holding HeldEndpoints(Serving& serving);

}  // namespace gyre::serving
