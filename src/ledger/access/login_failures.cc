#include "ledger/access/login_failures.h"

namespace gyre::access {
namespace {

constexpr std::size_t kFailuresRemembered = 10'000;

}  // namespace

Result<> LoginFailures::Check(std::string_view key, std::int64_t now_us,
                              const AccessSettings& settings) {
  MutexLock lock(mutex_);
  const auto found = counts_.find(key);
  if (found == counts_.end() || found->second.count < settings.login_failures_max) return {};
  if (now_us - found->second.last_us > settings.login_pause_us) {
    counts_.erase(found);
    return {};
  }
  return MakeError(Code::kResourceExhausted, "GY1705", "too many failed logins; wait a minute");
}

void LoginFailures::Add(std::string_view key, std::int64_t now_us) {
  MutexLock lock(mutex_);
  if (counts_.size() > kFailuresRemembered) counts_.clear();
  Entry& entry = counts_[std::string(key)];
  ++entry.count;
  entry.last_us = now_us;
}

void LoginFailures::Forget(std::string_view key) {
  MutexLock lock(mutex_);
  if (const auto found = counts_.find(key); found != counts_.end()) counts_.erase(found);
}

}  // namespace gyre::access
