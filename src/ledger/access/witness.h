// Sees to it that a change and its record are made together. Private.
#pragma once

#include <functional>

#include "ledger/access/access.h"

namespace gyre::access {

// Runs the change; its record rides on its first write, and what wrote nothing or went wrong is
// recorded after it.
Result<net::Response> RunRecorded(db::Database& database, const Access::ChangeRecorder& recorder,
                                  const net::Request& request, const net::Route& route,
                                  const std::function<Result<net::Response>()>& run);

}  // namespace gyre::access
