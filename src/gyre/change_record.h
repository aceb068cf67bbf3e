// What is written down about every change.
#pragma once

#include "base/error.h"
#include "ledger/audit/audit.h"
#include "platform/net/http.h"

namespace gyre {

// One audit entry: who did what to what, from where, and how it ended.
Result<> RecordChange(audit::Audit& audit, const net::Request& request, const net::Route& route,
                      int status);

}  // namespace gyre
