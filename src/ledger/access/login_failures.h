// Slows guessing down: after some failures, a pause per user and per address. Bounded; a restart
// forgets. Thread-safe. Private to ledger/access.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "ledger/access/access.h"

namespace gyre::access {

class LoginFailures {
 public:
  // Error: kResourceExhausted GY1705 while the pause lasts.
  Result<> Check(std::string_view key, std::int64_t now_us, const AccessSettings& settings)
      GYRE_EXCLUDES(mutex_);
  void Add(std::string_view key, std::int64_t now_us) GYRE_EXCLUDES(mutex_);
  void Forget(std::string_view key) GYRE_EXCLUDES(mutex_);

 private:
  struct Entry {
    int count = 0;
    std::int64_t last_us = 0;
  };
  Mutex mutex_;
  std::map<std::string, Entry, std::less<>> counts_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::access
