// Channels go into the trash and come back. What waited for one is dead: it can be retried then.
#pragma once

#include "ledger/notices/notices.h"
#include "ledger/trash/trash.h"

namespace gyre::notices {

trash::Kind ChannelTrash(db::Database& database, const Clock& clock);
trash::Holding HeldChannels();

}  // namespace gyre::notices
