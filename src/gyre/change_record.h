// What is written down about every change.
#pragma once

#include <optional>

#include "base/error.h"
#include "ledger/audit/audit.h"
#include "platform/db/database.h"
#include "platform/net/http.h"

namespace gyre {

// One audit entry: who did what to what, from where, and how it ended. Without a status it is
// written with the change itself, so the change was made.
db::Database::WriteBody RecordOfChange(const net::Request& request, const net::Route& route,
                                       std::optional<int> status);

}  // namespace gyre
