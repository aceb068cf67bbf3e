// Names and passwords that come with each request (HTTP Basic): comparing a password is dear on
// purpose, so what was right is remembered until the password changes. Nothing of it is stored.
// Thread-safe. Private to ledger/access.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "platform/net/http.h"

namespace gyre::access {

struct Credentials {
  std::string name, password;
};
// Of the header Authorization: empty = not Basic; names and passwords that are empty = not to be
// read.
std::optional<Credentials> BasicOf(const net::Request& request);

class BasicLogins {
 public:
  // Whether this password was seen to fit this hash.
  bool Knows(const Credentials& credentials, std::string_view password_hash) const;
  void Remember(const Credentials& credentials, std::string_view password_hash);

 private:
  std::string KeyOf(const Credentials& credentials) const;

  const std::string secret_ = NewKey();  // of this process
  static std::string NewKey();
  mutable Mutex mutex_;
  std::unordered_map<std::string, std::string> hashes_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::access
