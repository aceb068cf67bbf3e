// One attempt to deliver one notice to one channel.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ledger/notices/notices.h"

namespace gyre::notices {

struct Outcome {
  std::optional<Error> error;       // none: it was taken
  std::string answer = {};          // what the receiver said
  std::int64_t retry_after_us = 0;  // what it asks for
};

using Interrupted = std::function<bool()>;
using Transmit =
    std::function<Outcome(const NewChannel&, const Notice&, const Interrupted& interrupted)>;

// Credentials are looked up at each attempt, and stand in no outcome. Errors: GY4410 the receiver
// refused it; those of Secrets::Resolve, net::Client and net::SendMail.
Transmit MakeTransmit(secrets::Secrets& secrets, const net::EgressGuard& guard, const Clock& clock,
                      std::int64_t timeout_us);

}  // namespace gyre::notices
