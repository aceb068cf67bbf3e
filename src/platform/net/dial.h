// A connected TCP socket, for whoever is a client. Private to platform/net.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"

namespace gyre::net {

class EgressGuard;

struct DialOptions {
  std::int64_t until_us = 0;               // of the monotonic clock; finding the name counts, too
  std::function<bool()> interrupted = {};  // asked now and then: true gives up
  const EgressGuard* guard = nullptr;      // null: anywhere
};

// Non-blocking, without delay of small packets. Errors: kUnavailable GY1620 (also when the time is
// over), kCancelled GY1625, kPermissionDenied GY1626 when the guard let no address pass.
Result<int> Dial(const std::string& host, const std::string& port, const DialOptions& options);

// Milliseconds for poll until then; -1 when it is never.
int MillisUntil(std::int64_t until_us);

}  // namespace gyre::net
