// Judged windows that are old go; the newest of a monitor stays, from which its windows are
// counted.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::monitoring {

// With their revisions; how many windows ended before then and are gone. What alerts and lineage
// say of them stays.
Result<std::int64_t> ForgetWindows(db::Database& database, std::int64_t before_us);

}  // namespace gyre::monitoring
