#include "ledger/access/basic_logins.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"
#include "ledger/access/password.h"

namespace gyre::access {
namespace {

constexpr std::size_t kRememberedMax = 10'000;

}  // namespace

std::optional<Credentials> BasicOf(const net::Request& request) {
  const auto header = request.Header("authorization");
  if (!header || header->size() < 6 || !EqualsIgnoreCase(header->substr(0, 6), "basic "))
    return std::nullopt;
  std::string text;
  Credentials credentials;
  if (!Base64Decode(Trim(header->substr(6)), &text)) return credentials;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return credentials;
  credentials.name = text.substr(0, colon);
  credentials.password = text.substr(colon + 1);
  return credentials;
}

std::string BasicLogins::NewKey() { return NewSecret(""); }

std::string BasicLogins::KeyOf(const Credentials& credentials) const {
  return HmacSha256Hex(secret_, std::to_string(credentials.name.size()) + ":" + credentials.name +
                                    credentials.password);
}

bool BasicLogins::Knows(const Credentials& credentials, std::string_view password_hash) const {
  if (password_hash.empty()) return false;
  const std::string key = KeyOf(credentials);
  MutexLock lock(mutex_);
  const auto found = hashes_.find(key);
  return found != hashes_.end() && found->second == password_hash;
}

void BasicLogins::Remember(const Credentials& credentials, std::string_view password_hash) {
  std::string key = KeyOf(credentials);
  MutexLock lock(mutex_);
  if (hashes_.size() >= kRememberedMax) hashes_.clear();
  hashes_[std::move(key)] = password_hash;
}

}  // namespace gyre::access
