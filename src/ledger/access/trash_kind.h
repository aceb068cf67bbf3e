// Users go into the trash with their roles and tokens, and come back with them.
#pragma once

#include "ledger/access/access.h"
#include "ledger/trash/trash.h"

namespace gyre::access {

trash::Kind UserTrash(Access& access);
// Roles in a project, and tokens for it.
trash::Holding HeldRights(Access& access);

}  // namespace gyre::access
